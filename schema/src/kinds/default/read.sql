-- Defaults; of a column that comes from a parent only one that no parent has, and NULL where the parents have one and
-- it has none. A default names no column, so nobody has to look its table up to print it.
SELECT d.oid, d.adrelid, d.adnum, pg_get_expr(d.adbin, 0),
       a.attislocal OR NOT EXISTS (
           SELECT FROM pg_inherits i
           JOIN pg_attribute p ON p.attrelid = i.inhparent AND p.attname = a.attname
           JOIN pg_attrdef pd ON pd.adrelid = p.attrelid AND pd.adnum = p.attnum
           WHERE i.inhrelid = a.attrelid AND pg_get_expr(pd.adbin, pd.adrelid) = pg_get_expr(d.adbin, d.adrelid))
FROM pg_attrdef d
JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid >= 16384 AND a.attgenerated = '' AND NOT a.attisdropped
UNION ALL
SELECT 0, a.attrelid, a.attnum, 'NULL', true
FROM pg_inherits i
JOIN pg_attrdef pd ON pd.adrelid = i.inhparent
JOIN pg_attribute p ON p.attrelid = pd.adrelid AND p.attnum = pd.adnum AND p.attgenerated = ''
JOIN pg_attribute a ON a.attrelid = i.inhrelid AND a.attname = p.attname
WHERE NOT a.attislocal AND NOT a.atthasdef
