-- Publications with the schemas whose tables they hold.
SELECT p.oid, p.pubname, p.pubowner, p.puballtables,
       p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot,
       p.pubgencols, -- since 18
       'n', -- before 18
       ARRAY(SELECT n.nspname FROM pg_publication_namespace pn JOIN pg_namespace n ON n.oid = pn.pnnspid -- since 15
             WHERE pn.pnpubid = p.oid AND n.nspname <> 'schemac' ORDER BY 1), -- since 15
       NULL, -- before 15
       ARRAY(SELECT pn.oid FROM pg_publication_namespace pn WHERE pn.pnpubid = p.oid) -- since 15
       NULL -- before 15
FROM pg_publication p
