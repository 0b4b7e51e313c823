-- Who uses what. Schemas do not count, system objects are below 16384.
SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid
FROM pg_depend
WHERE objid >= 16384
  AND refobjid >= 16384
  AND refclassid <> 2615
  AND deptype IN ('n', 'a', 'i', 'P', 'S', 'e')
