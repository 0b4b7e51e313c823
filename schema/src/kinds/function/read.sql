-- Functions, procedures and window functions; the constructors of ranges come with the type that they are part of.
SELECT p.oid, p.proname, p.pronamespace, p.prokind, d.refclassid, d.refobjid,
       p.proowner, l.lanname,
       ARRAY(SELECT format_type(u.type, -1)
             FROM unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS u(type, place)
             ORDER BY u.place),
       p.proargmodes::text[], p.proargnames,
       CASE WHEN p.pronargdefaults > 0 THEN ARRAY(
           SELECT COALESCE(pg_get_function_arg_default(p.oid, place::int4), '')
           FROM generate_series(1, cardinality(COALESCE(p.proallargtypes, p.proargtypes::oid[]))) AS place) END,
       format_type(p.prorettype, -1), p.proretset,
       p.provolatile, p.proisstrict, p.prosecdef, p.proleakproof, p.proparallel, p.procost, p.prorows,
       sn.nspname, s.proname,
       ARRAY(SELECT format_type(u.type, -1) FROM unnest(p.protrftypes) WITH ORDINALITY AS u(type, place) ORDER BY u.place),
       p.proconfig,
       p.prosrc, p.probin,
       p.prosqlbody IS NOT NULL, CASE WHEN p.prosqlbody IS NOT NULL THEN pg_get_function_sqlbody(p.oid) END
FROM pg_proc p
JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN pg_proc s ON s.oid = p.prosupport
LEFT JOIN pg_namespace sn ON sn.oid = s.pronamespace
LEFT JOIN pg_depend d ON d.classid = 1255 AND d.objid = p.oid AND d.deptype = 'i'
WHERE p.oid >= 16384 AND p.prokind <> 'a'
