-- What the server is and what our role may do there. One row.
SELECT current_setting('server_version_num') AS version,
       current_setting('wal_level') AS wal_level,
       pg_is_in_recovery() AS is_standby,
       (SELECT setting FROM pg_settings WHERE name = 'wal_sender_timeout') AS wal_sender_timeout_ms,
       current_database() AS database,
       current_user AS role,
       r.rolsuper OR r.rolreplication OR EXISTS (
           SELECT FROM pg_roles g
           WHERE g.rolname IN ('rds_superuser', 'rds_replication', 'rdsadmin', 'azuresu', 'cloudsqlsuperuser')
             AND pg_has_role(r.oid, g.oid, 'MEMBER')) AS may_replicate,
       r.rolsuper AS is_superuser,
       has_database_privilege(current_database(), 'CREATE') AS may_create
FROM pg_roles r
WHERE r.rolname = current_user;
