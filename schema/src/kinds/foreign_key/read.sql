-- Foreign keys; those that were declared before those that came with partitions.
SELECT oid, conname, conrelid, confrelid, conparentid,
       conkey, confkey, confmatchtype, confdeltype, confupdtype
       , confdelsetcols   -- since 15
       , NULL             -- before 15
       , condeferrable, condeferred, convalidated
       , conenforced      -- since 18
       , true             -- before 18
       , conperiod        -- since 18
       , false            -- before 18
FROM pg_constraint
WHERE contype = 'f' AND oid >= 16384
ORDER BY conparentid <> 0, oid
