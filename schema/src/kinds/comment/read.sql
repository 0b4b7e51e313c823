-- Also on schemas, extensions and languages that initdb has made.
SELECT classoid, objoid, objsubid, description
FROM pg_description
WHERE objoid >= 16384 OR classoid IN (2612, 2615, 3079)
