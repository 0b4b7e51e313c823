-- Materialized views, with their row types and the array types of those.
SELECT c.oid, c.relname, c.relnamespace,
       c.reltype, t.typarray,
       c.relowner, c.reloptions, am.amname, ts.spcname, c.relispopulated,
       pg_get_viewdef(c.oid),
       (/* output */)
FROM pg_class c
LEFT JOIN pg_type t ON t.oid = c.reltype
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE c.oid >= 16384 AND c.relkind = 'm'
