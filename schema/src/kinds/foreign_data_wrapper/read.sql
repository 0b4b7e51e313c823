-- Foreign data wrappers.
SELECT w.oid, w.fdwname, w.fdwowner, hn.nspname, h.proname, vn.nspname, v.proname, w.fdwoptions
FROM pg_foreign_data_wrapper w
LEFT JOIN pg_proc h ON h.oid = w.fdwhandler
LEFT JOIN pg_namespace hn ON hn.oid = h.pronamespace
LEFT JOIN pg_proc v ON v.oid = w.fdwvalidator
LEFT JOIN pg_namespace vn ON vn.oid = v.pronamespace
WHERE w.oid >= 16384
