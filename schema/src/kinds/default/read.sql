SELECT d.oid, d.adrelid, d.adnum, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef d
JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid >= 16384 AND a.attgenerated = '' AND NOT a.attisdropped
