-- Columns in their order, those that children have from their parents last; the expression is that of a generated
-- column. Since PostgreSQL 18 a NOT NULL has a name, mostly the one that PostgreSQL chooses.
SELECT a.attrelid, a.attnum, a.attname,
       format_type(a.atttypid, a.atttypmod),
       cn.nspname, co.collname,
       a.attnotnull, a.attidentity, a.attgenerated,
       d.oid, a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid),
       CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END,
       a.attcompression,
       NULLIF(a.attstattarget, -1),
       a.attoptions, a.attfdwoptions,
       a.attislocal,
       above.not_null, above.storage, above.compression,
       NULL, NULL -- before 18
       nn.conname, -- since 18
       concat(CASE WHEN nn.connoinherit THEN 'i' END, CASE WHEN NOT nn.convalidated THEN 'v' END) -- since 18
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation co ON co.oid = a.attcollation AND a.attcollation <> t.typcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
LEFT JOIN LATERAL (
    SELECT bool_or(p.attnotnull) AS not_null, min(p.attstorage::text) AS storage,
           min(p.attcompression::text) AS compression
    FROM pg_inherits i JOIN pg_attribute p ON p.attrelid = i.inhparent AND p.attname = a.attname
    WHERE NOT a.attislocal AND i.inhrelid = a.attrelid
) above ON NOT a.attislocal
LEFT JOIN pg_constraint nn ON nn.contype = 'n' AND nn.conislocal AND nn.conrelid = a.attrelid AND nn.conkey[1] = a.attnum -- since 18
LEFT JOIN pg_attrdef d ON a.attgenerated <> '' AND d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid >= 16384
  AND a.attnum > 0
  AND NOT a.attisdropped
  AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND c.relpersistence <> 't'
ORDER BY NOT a.attislocal, a.attrelid, a.attnum
