-- Foreign tables, with their row types and the array types of those.
SELECT c.oid, c.relname, c.relnamespace, c.reltype, t.typarray
FROM pg_class c
LEFT JOIN pg_type t ON t.oid = c.reltype
WHERE c.oid >= 16384 AND c.relkind = 'f'
