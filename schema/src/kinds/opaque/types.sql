-- Enums, domains, composite types, ranges and base types, each with its array type; a composite type with its
-- relation; a range with its multirange type and the array type of that.
SELECT t.oid, t.typname, t.typnamespace, t.typtype, t.typarray,
       t.typrelid, r.rngmultitypid, m.typarray
FROM pg_type t
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_type m ON m.oid = r.rngmultitypid
WHERE t.oid >= 16384
  AND t.typtype IN ('e', 'd', 'c', 'r', 'b')
  AND (t.typrelid = 0 OR c.relkind = 'c')
  AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
