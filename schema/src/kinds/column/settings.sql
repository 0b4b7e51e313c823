-- Columns of materialized views and expressions of exclusion constraints with settings of their own.
SELECT a.attrelid, c.relkind, a.attname,
       concat_ws(', ',
           CASE WHEN a.attstattarget >= 0 THEN 'a statistics target' END,
           CASE WHEN c.relkind = 'm' AND a.attstorage <> t.typstorage THEN 'a storage of its own' END,
           CASE WHEN c.relkind = 'm' AND a.attcompression <> '' THEN 'a compression of its own' END)
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relkind IN ('m', 'i', 'I') AND NOT c.relispartition
  AND (c.relkind = 'm' OR EXISTS (SELECT FROM pg_constraint con WHERE con.conindid = c.oid AND con.contype = 'x'))
  AND (a.attstattarget >= 0
       OR c.relkind = 'm' AND (a.attstorage <> t.typstorage OR a.attcompression <> ''))
