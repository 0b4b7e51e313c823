-- Tables in publications.
SELECT r.oid, r.prpubid, r.prrelid,
       r.prattrs, r.prqual IS NOT NULL, pg_get_expr(r.prqual, r.prrelid) -- since 15
       NULL, false, NULL -- before 15
FROM pg_publication_rel r
