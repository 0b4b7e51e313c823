-- Rules; the rule of a view is the view itself.
SELECT r.oid, r.rulename, r.ev_class, r.ev_type = '1', r.ev_type,
       r.ev_type <> '1', CASE WHEN r.ev_type <> '1' THEN pg_get_ruledef(r.oid) END,
       r.ev_enabled
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
WHERE r.oid >= 16384 AND c.relpersistence <> 't'
