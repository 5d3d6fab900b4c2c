-- On a replication connection: slot_name, consistent_point, snapshot_name, output_plugin. Waits for the
-- transactions that are under way.
CREATE_REPLICATION_SLOT :"slot" LOGICAL pgoutput EXPORT_SNAPSHOT;
