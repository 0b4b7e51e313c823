-- Foreign tables, with their row types and the array types of those.
SELECT c.oid, c.relname, c.relnamespace, c.reltype, t.typarray,
       c.relowner, s.srvname, f.ftoptions,
       EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
FROM pg_class c
JOIN pg_foreign_table f ON f.ftrelid = c.oid
JOIN pg_foreign_server s ON s.oid = f.ftserver
LEFT JOIN pg_type t ON t.oid = c.reltype
WHERE c.oid >= 16384 AND c.relkind = 'f'
