-- Aggregates. A function of pg_catalog comes without a schema, no function as a dash.
SELECT p.oid, p.proname, p.pronamespace, p.proowner,
       ARRAY(SELECT format_type(u.type, -1)
             FROM unnest(p.proargtypes) WITH ORDINALITY AS u(type, place) ORDER BY u.place),
       p.provariadic <> 0, p.proargnames,
       a.aggkind, a.aggnumdirectargs,
       a.aggtransfn::text, NULL, format_type(a.aggtranstype, -1), a.aggtransspace,
       a.aggfinalfn::text, a.aggfinalextra, a.aggfinalmodify, a.agginitval,
       a.aggmtransfn::text, a.aggminvtransfn::text, format_type(NULLIF(a.aggmtranstype, 0), -1), a.aggmtransspace,
       a.aggmfinalfn::text, a.aggmfinalextra, a.aggmfinalmodify, a.aggminitval,
       a.aggcombinefn::text, a.aggserialfn::text, a.aggdeserialfn::text,
       n.nspname, o.oprname, p.proparallel
FROM pg_aggregate a
JOIN pg_proc p ON p.oid = a.aggfnoid
LEFT JOIN pg_operator o ON o.oid = a.aggsortop
LEFT JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE p.oid >= 16384
