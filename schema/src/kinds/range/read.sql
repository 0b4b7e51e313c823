-- Range types, with their array and multirange types.
SELECT t.oid, t.typname, t.typnamespace, t.typowner, t.typarray,
       m.oid, m.typarray, m.typname,
       format_type(r.rngsubtype, -1),
       CASE WHEN NOT o.opcdefault THEN o.opcname END, n.nspname,
       cn.nspname, co.collname,
       pn.nspname, p.proname,
       dn.nspname, d.proname
FROM pg_type t
JOIN pg_range r ON r.rngtypid = t.oid
JOIN pg_type s ON s.oid = r.rngsubtype
JOIN pg_type m ON m.oid = r.rngmultitypid
JOIN pg_opclass o ON o.oid = r.rngsubopc
JOIN pg_namespace n ON n.oid = o.opcnamespace
LEFT JOIN pg_collation co ON co.oid = r.rngcollation AND r.rngcollation <> s.typcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
LEFT JOIN pg_proc p ON p.oid = r.rngcanonical
LEFT JOIN pg_namespace pn ON pn.oid = p.pronamespace
LEFT JOIN pg_proc d ON d.oid = r.rngsubdiff
LEFT JOIN pg_namespace dn ON dn.oid = d.pronamespace
WHERE t.oid >= 16384
