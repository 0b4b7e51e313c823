-- Triggers that users made, and their clones on partitions (before 15 those count as internal).
SELECT t.oid, t.tgname, t.tgrelid, NULLIF(t.tgparentid, 0), t.tgenabled, above.tgenabled, t.tgtype, t.tgattr,
       t.tgqual IS NOT NULL, CASE WHEN t.tgqual IS NOT NULL THEN pg_get_triggerdef(t.oid) END,
       pn.nspname, p.proname,
       encode(t.tgargs, 'hex'),
       t.tgconstraint, t.tgdeferrable, t.tginitdeferred,
       fn.nspname, f.relname,
       t.tgoldtable, t.tgnewtable
FROM pg_trigger t
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace pn ON pn.oid = p.pronamespace
LEFT JOIN pg_trigger above ON above.oid = t.tgparentid
LEFT JOIN pg_class f ON f.oid = t.tgconstrrelid
LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
LEFT JOIN pg_constraint con ON con.oid = t.tgconstraint
WHERE NOT t.tgisinternal OR (t.tgparentid <> 0 AND COALESCE(con.contype, 't') = 't')
ORDER BY t.tgparentid <> 0, t.oid
