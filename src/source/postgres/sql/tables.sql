-- Every table that could be captured; which of them are is decided by the filters (filter.c).
SELECT c.oid,
       n.nspname AS schema,
       c.relname AS name,
       c.relkind = 'p' AS is_partitioned,
       has_schema_privilege(n.oid, 'USAGE') AS may_use_schema,
       has_table_privilege(c.oid, 'SELECT') AS may_select,
       pg_has_role(c.relowner, 'MEMBER') AS is_ours,
       (n.nspname, c.relname) IN (SELECT p.schemaname, p.tablename
                                  FROM pg_publication_tables p
                                  WHERE p.pubname = :'publication') AS is_published
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND c.relpersistence = 'p'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY n.nspname, c.relname;
