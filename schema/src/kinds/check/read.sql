-- Checks; those that children have from their parents last.
SELECT oid, conname, conrelid, contypid,
       pg_get_expr(conbin, conrelid),
       connoinherit, convalidated
       , conenforced   -- since 18
       , true          -- before 18
       , NOT conislocal
FROM pg_constraint
WHERE contype = 'c' AND oid >= 16384
ORDER BY NOT conislocal
