-- Access control lists. Without one the owner has everything, and everybody may use routines and types.
SELECT 1259 AS class, oid, 0 AS sub, relowner AS owner, relacl::text AS list
FROM pg_class
WHERE oid >= 16384 AND relacl IS NOT NULL AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
UNION ALL
SELECT 1259, a.attrelid, a.attnum, c.relowner, a.attacl::text
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attrelid >= 16384 AND a.attacl IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 2615, oid, 0, nspowner, nspacl::text FROM pg_namespace WHERE nspacl IS NOT NULL
UNION ALL
SELECT 2328, oid, 0, fdwowner, fdwacl::text FROM pg_foreign_data_wrapper WHERE oid >= 16384 AND fdwacl IS NOT NULL
UNION ALL
SELECT 1417, oid, 0, srvowner, srvacl::text FROM pg_foreign_server WHERE oid >= 16384 AND srvacl IS NOT NULL
UNION ALL
SELECT 1255, oid, 0, proowner, COALESCE(proacl, acldefault('f', proowner))::text FROM pg_proc WHERE oid >= 16384
UNION ALL
SELECT 1247, oid, 0, typowner, COALESCE(typacl, acldefault('T', typowner))::text
FROM pg_type
WHERE oid >= 16384 AND typtype IN ('e', 'd', 'c', 'r', 'b')
