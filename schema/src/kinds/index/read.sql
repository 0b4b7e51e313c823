-- Indexes that belong to no constraint; those that partitions have from their tables last. That of a partitioned
-- table is valid only when all parts of it are there, and may have the index of a partition's own key for one.
SELECT i.indexrelid, c.relname, i.indrelid,
       CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid END,
       i.indisclustered, i.indisunique, i.indisvalid,
       pg_get_indexdef(i.indexrelid),
       c.reloptions, ts.spcname,
       CASE WHEN i.indexprs IS NOT NULL THEN ARRAY(
           SELECT a.attnum || '=' || a.attstattarget FROM pg_attribute a
           WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0 ORDER BY a.attnum) END,
       CASE WHEN c.relkind = 'I' THEN ARRAY(
           SELECT part.relid::oid FROM pg_partition_tree(i.indexrelid) part
           JOIN pg_constraint con ON con.conindid = part.relid AND con.contype IN ('p', 'u')
           WHERE con.conparentid = 0) END
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE i.indexrelid >= 16384
  AND c.relpersistence <> 't'
  AND c.relnamespace <> 99
  AND NOT EXISTS (
      SELECT FROM pg_constraint con WHERE con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x'))
ORDER BY c.relispartition
