-- Views, with their row types and the array types of those.
SELECT c.oid, c.relname, c.relnamespace,
       c.reltype, t.typarray,
       c.relowner, c.reloptions,
       pg_get_viewdef(c.oid),
       (/* output */)
FROM pg_class c
LEFT JOIN pg_type t ON t.oid = c.reltype
WHERE c.oid >= 16384 AND c.relkind = 'v' AND c.relpersistence <> 't'
