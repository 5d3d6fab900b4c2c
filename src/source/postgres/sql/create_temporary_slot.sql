-- On a replication connection: a slot that goes with it, for its snapshot.
CREATE_REPLICATION_SLOT :"slot" TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT;
