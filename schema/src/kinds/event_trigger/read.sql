-- Event triggers.
SELECT e.oid, e.evtname, e.evtowner, e.evtevent, e.evttags, pn.nspname, p.proname, e.evtenabled
FROM pg_event_trigger e
JOIN pg_proc p ON p.oid = e.evtfoid
JOIN pg_namespace pn ON pn.oid = p.pronamespace
WHERE e.oid >= 16384
