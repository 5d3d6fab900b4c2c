-- The publication, or no row.
SELECT p.oid,
       p.puballtables,
       p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AS publishes_all,
       pg_has_role(p.pubowner, 'MEMBER') AS is_ours
FROM pg_publication p
WHERE p.pubname = :'publication';
