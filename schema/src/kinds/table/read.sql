-- Tables and partitioned tables, with their row types and the array types of those.
SELECT c.oid, c.relname, c.relnamespace,
       c.reltype, t.typarray,
       c.relowner, c.relpersistence, c.reloptions, toast.reloptions,
       c.relrowsecurity, c.relforcerowsecurity,
       c.relreplident,
       CASE WHEN c.relreplident = 'i' THEN (
           SELECT ic.relname FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
           WHERE i.indrelid = c.oid AND i.indisreplident) END,
       c.relkind = 'p', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
       NULLIF(am.amname, 'heap'), ts.spcname,
       CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, -1) END
FROM pg_class c
LEFT JOIN pg_type t ON t.oid = c.reltype
LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
