-- Domains, and their array types.
SELECT t.oid, t.typname, t.typnamespace, t.typowner, t.typarray,
       format_type(t.typbasetype, t.typtypmod),
       cn.nspname, co.collname,
       t.typnotnull,
       t.typdefaultbin IS NOT NULL, pg_get_expr(t.typdefaultbin, 0)
FROM pg_type t
JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_collation co ON co.oid = t.typcollation AND t.typcollation <> b.typcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
WHERE t.oid >= 16384 AND t.typtype = 'd'
