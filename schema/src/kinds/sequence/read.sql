-- Sequences, with the column that owns them (i: as its identity).
SELECT c.oid, c.relname, c.relnamespace,
       d.deptype, d.refobjid, d.refobjsubid,
       c.relowner, c.relpersistence = 'u',
       format_type(s.seqtypid, -1), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle
FROM pg_class c
JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_depend d ON d.classid = 1259 AND d.objid = c.oid AND d.objsubid = 0
    AND d.refclassid = 1259 AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
WHERE c.oid >= 16384 AND c.relkind = 'S' AND c.relpersistence <> 't'
