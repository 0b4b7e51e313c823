-- The parents of tables in their order; of partitions with the bound.
SELECT i.inhrelid, i.inhparent, c.relispartition,
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
ORDER BY i.inhrelid, i.inhseqno
