SELECT oid, conname, conrelid, contypid,
       pg_get_expr(conbin, conrelid),
       connoinherit, convalidated
       , conenforced   -- since 18
       , true          -- before 18
FROM pg_constraint
WHERE contype = 'c' AND oid >= 16384
