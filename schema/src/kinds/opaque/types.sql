-- Base types, each with its array type.
SELECT t.oid, t.typname, t.typnamespace, t.typarray
FROM pg_type t
WHERE t.oid >= 16384
  AND t.typtype = 'b'
  AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
