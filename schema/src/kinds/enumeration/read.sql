-- Enums with their labels in order, and their array types.
SELECT t.oid, t.typname, t.typnamespace, t.typowner, t.typarray,
       ARRAY(SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
FROM pg_type t
WHERE t.oid >= 16384 AND t.typtype = 'e'
