-- How much WAL the server keeps for the slot, in bytes.
SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                       s.restart_lsn)::bigint AS retained_bytes
FROM pg_replication_slots s
WHERE s.slot_name = :'slot';
