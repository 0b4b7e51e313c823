-- Everything else that has a name: its class, oid and schema, what it is, and how PostgreSQL identifies it.
SELECT o.class, o.oid, o.schema, i.type, i.identity
FROM (
    SELECT 2605 AS class, oid, 0::oid AS schema FROM pg_cast
    UNION ALL SELECT 2617, oid, oprnamespace FROM pg_operator
    UNION ALL SELECT 2616, oid, opcnamespace FROM pg_opclass
    UNION ALL SELECT 2753, oid, opfnamespace FROM pg_opfamily
    UNION ALL SELECT 2607, oid, connamespace FROM pg_conversion
    UNION ALL SELECT 3602, oid, cfgnamespace FROM pg_ts_config
    UNION ALL SELECT 3600, oid, dictnamespace FROM pg_ts_dict
    UNION ALL SELECT 3601, oid, prsnamespace FROM pg_ts_parser
    UNION ALL SELECT 3764, oid, tmplnamespace FROM pg_ts_template
    UNION ALL SELECT 2601, oid, 0 FROM pg_am
    UNION ALL SELECT 3576, oid, 0 FROM pg_transform
) o
CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) i
-- The cast from a range to its multirange is part of the type.
WHERE o.oid >= 16384
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 2605 AND d.classid = o.class AND d.objid = o.oid AND d.deptype = 'i')
UNION ALL
-- pg_user_mapping itself is the superuser's.
SELECT 1418, umid, 0, 'user mapping', format('for %s on server %s', usename, srvname) FROM pg_user_mappings
UNION ALL
SELECT 6100, s.oid, 0, 'subscription', quote_ident(s.subname)
FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
WHERE d.datname = current_database()
