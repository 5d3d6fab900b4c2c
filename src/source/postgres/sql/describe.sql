-- What the catalog knows of the columns of one table, as one JSON text, in one snapshot.
--
--   :oid       of the table
--   :'schema', :'table', :'identity'
--              as a Relation message has them; they are given back. '' for the identity: as it is now
--   :columns   the columns that the message has, as a list of rows (name, type oid, type modifier, place,
--              whether it is part of the replica identity); or a row of NULLs, and it is the table's own
--              columns. They may be older than the catalog: then their types are those of the message,
--              and all else is what is known now. The table may be gone, too.
--
-- Domains are resolved to what they stand on. "key" is the primary key in its own order, else the first
-- unique index by name that has neither condition nor expression; of a table that is gone, its replica
-- identity. "identity_index" has the columns of the index that REPLICA IDENTITY USING INDEX names.
WITH RECURSIVE
sent (name, type, typmod, place, is_identity) AS (
    SELECT * FROM (VALUES :columns) v (name, type, typmod, place, is_identity) WHERE v.name IS NOT NULL
    UNION ALL
    SELECT a.attname::text, a.atttypid, a.atttypmod, a.attnum::int, false
    FROM pg_attribute a
    WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND NOT EXISTS (SELECT FROM (VALUES :columns) v (name, type, typmod, place, is_identity)
                      WHERE v.name IS NOT NULL)
),
resolved (place, type, typmod) AS (
    SELECT s.place, s.type, s.typmod FROM sent s
    UNION ALL
    SELECT r.place, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE r.typmod END
    FROM resolved r JOIN pg_type t ON t.oid = r.type AND t.typtype = 'd'
),
columns AS (
    SELECT s.place,
           json_build_object(
               'name', s.name,
               'type', t.oid::bigint,
               'type_name', coalesce(d.typname, t.typname),
               'kind', t.typtype,
               'typmod', r.typmod,
               'item', CASE WHEN t.typcategory = 'A' THEN i.oid::bigint END,
               'item_name', CASE WHEN t.typcategory = 'A' THEN i.typname END,
               'item_kind', CASE WHEN t.typcategory = 'A' THEN i.typtype END,
               'labels', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
                          FROM pg_enum e
                          WHERE e.enumtypid IN (t.oid, CASE WHEN t.typcategory = 'A' THEN i.oid END)),
               'is_not_null', coalesce(a.attnotnull OR (d.typtype = 'd' AND d.typnotnull), false),
               'default', CASE WHEN a.atthasdef AND a.attgenerated = '' THEN
                              (SELECT pg_get_expr(f.adbin, f.adrelid) FROM pg_attrdef f
                               WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum) END) AS facts
    FROM sent s
    LEFT JOIN pg_type d ON d.oid = s.type
    LEFT JOIN (SELECT r.* FROM resolved r JOIN pg_type b ON b.oid = r.type AND b.typtype <> 'd') r USING (place)
    LEFT JOIN pg_type t ON t.oid = r.type
    LEFT JOIN pg_type i ON i.oid = t.typelem
    LEFT JOIN pg_attribute a ON a.attrelid = :oid AND a.attname = s.name AND NOT a.attisdropped
),
indexes AS (
    SELECT x.indexrelid, x.indisprimary, x.indisreplident,
           (SELECT json_agg(a.attname ORDER BY k.place)
            FROM unnest(x.indkey::smallint[]) WITH ORDINALITY k (attnum, place)
            JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
            WHERE k.place <= x.indnkeyatts) AS names,
           row_number() OVER (ORDER BY x.indisprimary DESC, c.relname) AS place
    FROM pg_index x
    JOIN pg_class c ON c.oid = x.indexrelid
    WHERE x.indrelid = :oid AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
)
SELECT json_build_object(
           'oid', :oid::bigint,
           'schema', :'schema'::text,
           'table', :'table'::text,
           'identity', coalesce(nullif(:'identity'::text, ''),
                                (SELECT c.relreplident::text FROM pg_class c WHERE c.oid = :oid), 'd'),
           'key', coalesce((SELECT x.names FROM indexes x WHERE x.place = 1),
                           (SELECT json_agg(s.name ORDER BY s.place) FROM sent s
                            WHERE s.is_identity AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = :oid))),
           'identity_index', (SELECT x.names FROM indexes x WHERE x.indisreplident),
           'columns', (SELECT json_agg(o.facts ORDER BY o.place) FROM columns o)) AS facts;
