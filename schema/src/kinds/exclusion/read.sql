-- Exclusion constraints with their indexes; those that partitions have from their tables last.
SELECT con.oid, con.conname, con.conrelid, con.conindid,
       CASE WHEN con.conparentid <> 0 THEN pg_partition_root(con.conindid)::oid END,
       i.indisclustered, pg_get_constraintdef(con.oid), con.condeferrable, con.condeferred,
       c.reloptions, ts.spcname
FROM pg_constraint con
JOIN pg_class c ON c.oid = con.conindid
JOIN pg_index i ON i.indexrelid = con.conindid
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE con.contype = 'x' AND con.oid >= 16384
ORDER BY con.conparentid <> 0
