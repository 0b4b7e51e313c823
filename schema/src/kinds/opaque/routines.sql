-- Routines by their input types; the constructors of ranges come with the type that they are part of.
SELECT p.oid, p.proname, p.pronamespace, p.prokind,
       ARRAY(SELECT format_type(u.type, NULL)
             FROM unnest(p.proargtypes) WITH ORDINALITY AS u(type, place) ORDER BY u.place),
       d.refclassid, d.refobjid
FROM pg_proc p
LEFT JOIN pg_depend d ON d.classid = 1255 AND d.objid = p.oid AND d.deptype = 'i'
WHERE p.oid >= 16384
