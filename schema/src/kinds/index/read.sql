-- Indexes that belong to no constraint. That of a partitioned table is valid only when all parts of it are there.
SELECT i.indexrelid, c.relname, i.indrelid,
       i.indisunique, i.indisvalid OR c.relkind = 'I',
       pg_get_indexdef(i.indexrelid),
       c.reloptions, ts.spcname,
       pn.nspname, pc.relname
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
LEFT JOIN pg_class pc ON pc.oid = h.inhparent
LEFT JOIN pg_namespace pn ON pn.oid = pc.relnamespace
WHERE i.indexrelid >= 16384
  AND c.relpersistence <> 't'
  AND c.relnamespace <> 99
  AND NOT EXISTS (
      SELECT FROM pg_constraint con WHERE con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x'))
