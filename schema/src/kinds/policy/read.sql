SELECT oid, polname, polrelid, polcmd, polpermissive, polroles,
       polqual IS NOT NULL, pg_get_expr(polqual, polrelid),
       polwithcheck IS NOT NULL, pg_get_expr(polwithcheck, polrelid)
FROM pg_policy
