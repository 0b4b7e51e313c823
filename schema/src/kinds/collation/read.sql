-- Collations that users made; the locale is libc's two, or the one of the others.
SELECT o.oid, o.collname, o.collnamespace, o.collowner,
       CASE o.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'default' END,
       COALESCE(/* locale */, o.collcollate), COALESCE(/* locale */, o.collctype),
       o.collisdeterministic
       , o.collicurules   -- since 16
       , NULL             -- before 16
FROM pg_collation o
WHERE o.oid >= 16384
