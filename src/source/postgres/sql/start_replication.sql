-- On a replication connection: changes of the transactions that commit at :lsn or later. :options adds
-- to the two options that every version of PostgreSQL knows.
START_REPLICATION SLOT :"slot" LOGICAL :lsn ("proto_version" '1', "publication_names" :'publications' :options);
