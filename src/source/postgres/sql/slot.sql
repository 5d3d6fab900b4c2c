-- The slot, or no row. (wal_status came with PostgreSQL 13.)
SELECT s.plugin,
       s.slot_type,
       s.database,
       s.active_pid,
       a.application_name,
       to_jsonb(s) ->> 'wal_status' AS wal_status,
       s.confirmed_flush_lsn,
       s.restart_lsn
FROM pg_replication_slots s
LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
WHERE s.slot_name = :'slot';
