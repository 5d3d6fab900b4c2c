-- On a replication connection: systemid, timeline, xlogpos, dbname.
IDENTIFY_SYSTEM;
