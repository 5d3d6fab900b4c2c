-- Read what the exported snapshot :'snapshot' sees, and nothing that came later.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET TRANSACTION SNAPSHOT :'snapshot';
SELECT CASE WHEN pg_is_in_recovery() THEN 0 ELSE txid_current() END AS xid;
