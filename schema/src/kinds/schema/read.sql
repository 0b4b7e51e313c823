SELECT oid, nspname, nspowner
FROM pg_namespace
WHERE nspname NOT IN ('information_schema', 'schemac') AND nspname !~ '^pg_'
