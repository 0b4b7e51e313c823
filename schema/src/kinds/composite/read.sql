-- Composite types with their array types, relations and fields.
SELECT t.oid, t.typname, t.typnamespace, t.typowner, t.typarray, t.typrelid, f.*
FROM pg_type t
JOIN pg_class c ON c.oid = t.typrelid
CROSS JOIN LATERAL (
    SELECT COALESCE(array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum), '{}'),
           COALESCE(array_agg(COALESCE(cn.nspname::text, '') ORDER BY a.attnum), '{}'),
           COALESCE(array_agg(COALESCE(co.collname::text, '') ORDER BY a.attnum), '{}'),
           COALESCE(array_agg(a.attname::text ORDER BY a.attnum), '{}'),
           COALESCE(array_agg(a.attnum ORDER BY a.attnum), '{}')
    FROM pg_attribute a
    JOIN pg_type ft ON ft.oid = a.atttypid
    LEFT JOIN pg_collation co ON co.oid = a.attcollation AND a.attcollation <> ft.typcollation
    LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
    WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
) f
WHERE t.oid >= 16384 AND t.typtype = 'c' AND c.relkind = 'c'
