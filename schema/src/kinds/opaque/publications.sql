-- Publications, then their tables and schemas as parts of them.
SELECT 6104 AS class, oid, oid AS publication, pubname FROM pg_publication
UNION ALL
SELECT 6106, oid, prpubid, NULL FROM pg_publication_rel
UNION ALL                                                       -- since 15
SELECT 6237, oid, pnpubid, NULL FROM pg_publication_namespace   -- since 15
