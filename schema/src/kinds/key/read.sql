-- Primary keys and unique constraints with their indexes; those that partitions have from their tables last.
SELECT con.oid, con.conname, con.conrelid, con.conindid,
       CASE WHEN con.conparentid <> 0 THEN pg_partition_root(con.conindid)::oid END,
       i.indisclustered, con.contype = 'p', con.conkey, i.indkey,
       con.condeferrable, con.condeferred,
       c.reloptions, ts.spcname
       , i.indnullsnotdistinct   -- since 15
       , false                   -- before 15
       , con.conperiod           -- since 18
       , false                   -- before 18
       , i.indisvalid
FROM pg_constraint con
JOIN pg_index i ON i.indexrelid = con.conindid
JOIN pg_class c ON c.oid = con.conindid
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE con.contype IN ('p', 'u') AND con.oid >= 16384
ORDER BY con.conparentid <> 0
