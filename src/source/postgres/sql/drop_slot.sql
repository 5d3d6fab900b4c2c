-- On a replication connection.
DROP_REPLICATION_SLOT :"slot";
