-- The tables of the fixture; changes.sql fills them. Read by make.
CREATE TYPE mood AS ENUM ('sad', 'so, so', 'ok');

-- Every type, nullable, no defaults.
CREATE TABLE types (
    id integer PRIMARY KEY,
    b boolean, i2 smallint, i4 integer, i8 bigint,
    n numeric, n52 numeric(5,2), n38 numeric(38), ntiny numeric(3,5), nbig numeric(60,20),
    f4 real, f8 double precision,
    t text, vc varchar(20), c char(5), by bytea, u uuid,
    d date, ts timestamp, ts0 timestamp(0), ts3 timestamp(3), ts4 timestamp(4),
    tz timestamptz, tz0 timestamptz(0), tz3 timestamptz(3),
    j json, jb jsonb,
    tm time, tm3 time(3), ttz timetz, ttz0 timetz(0), m mood, x xml
);
CREATE TABLE arrays (
    id integer PRIMARY KEY,
    ai integer[], ai8 bigint[], at text[], an numeric[], an52 numeric(5,2)[], af double precision[],
    ab boolean[], ad date[], ats timestamp[], atz timestamptz[], au uuid[], aj jsonb[], aby bytea[], am mood[]
);
-- A default of every kind, nullable.
CREATE TABLE defaults (
    id serial PRIMARY KEY,
    b boolean DEFAULT true, i2 smallint DEFAULT 2, i4 integer DEFAULT -4, i8 bigint DEFAULT 8,
    n numeric DEFAULT 1.5, n83 numeric(8,3) DEFAULT 2.5, f4 real DEFAULT 0.1, f8 double precision DEFAULT 29.99,
    t text DEFAULT 'a "b" é', vc varchar(9) DEFAULT 'x', by bytea DEFAULT '\x00ff',
    u uuid DEFAULT '0b6f2f40-94ed-4a3b-b5b5-7b9ad1b0a3f1', d date DEFAULT '2020-02-29',
    ts timestamp DEFAULT '2020-01-02 03:04:05.678901', ts3 timestamp(3) DEFAULT '2020-01-02 03:04:05.678',
    tz timestamptz DEFAULT '2020-01-02 03:04:05.6+00', tz0 timestamptz(0) DEFAULT '2020-01-02 03:04:05+00',
    now timestamptz DEFAULT now(), j json DEFAULT '{"a":1}', jb jsonb DEFAULT '{}',
    tm time DEFAULT '01:02:03', ttz timetz DEFAULT '01:02:03+00', m mood DEFAULT 'ok'
);
-- NOT NULL and no default: what `before` shows when only the key came.
CREATE TABLE required (
    id integer PRIMARY KEY,
    b boolean NOT NULL, i2 smallint NOT NULL, i4 integer NOT NULL, i8 bigint NOT NULL,
    n numeric NOT NULL, n52 numeric(5,2) NOT NULL, f4 real NOT NULL, f8 double precision NOT NULL,
    t text NOT NULL, vc varchar(20) NOT NULL, by bytea NOT NULL, u uuid NOT NULL,
    d date NOT NULL, ts timestamp NOT NULL, ts3 timestamp(3) NOT NULL,
    tz timestamptz NOT NULL, tz0 timestamptz(0) NOT NULL, j json NOT NULL, jb jsonb NOT NULL,
    tm time NOT NULL, tm3 time(3) NOT NULL, ttz timetz NOT NULL, m mood NOT NULL, x xml NOT NULL,
    ai integer[] NOT NULL, dflt integer NOT NULL DEFAULT 7, nullable text, ndflt text DEFAULT 'shown'
);
CREATE TABLE composite (a text, b integer, c integer, PRIMARY KEY (c, a));
CREATE TABLE uniq (a integer, b text, c integer);
CREATE UNIQUE INDEX ON uniq (b);
CREATE TABLE full_old (id integer PRIMARY KEY, t text, n integer DEFAULT 3);
ALTER TABLE full_old REPLICA IDENTITY FULL;
CREATE TABLE no_key (a integer, b text);
ALTER TABLE no_key REPLICA IDENTITY FULL;
-- The key as the headers __debezium.newkey and oldkey show it.
CREATE TABLE keys (
    t text, n numeric(12,8), v numeric, f double precision, b bytea, d date, ts timestamp, tz timestamptz, o boolean,
    rest text, PRIMARY KEY (t, n, v, f, b, d, ts, tz, o)
);
CREATE TABLE toast (
    id integer PRIMARY KEY, n integer, t text, by bytea, j jsonb, at text[], ai integer[], ai8 bigint[],
    num numeric, ax xml
);
ALTER TABLE toast ALTER t SET STORAGE EXTERNAL, ALTER by SET STORAGE EXTERNAL, ALTER j SET STORAGE EXTERNAL,
    ALTER at SET STORAGE EXTERNAL, ALTER ai SET STORAGE EXTERNAL, ALTER ai8 SET STORAGE EXTERNAL,
    ALTER num SET STORAGE EXTERNAL, ALTER ax SET STORAGE EXTERNAL;
CREATE TABLE toast_full (id integer PRIMARY KEY, n integer, t text);
ALTER TABLE toast_full ALTER t SET STORAGE EXTERNAL;
ALTER TABLE toast_full REPLICA IDENTITY FULL;
CREATE SCHEMA "Sché ma";
CREATE TABLE "Sché ma"."T ""1"" 😀-x.y" ("I d" integer PRIMARY KEY, "q""\é😀" text);
CREATE TABLE cut_a (id integer PRIMARY KEY);
CREATE TABLE cut_b (id integer PRIMARY KEY, a integer REFERENCES cut_a);
CREATE TABLE snap (id integer PRIMARY KEY, by bytea, n numeric(10,2), s numeric(30,20), a numeric(4,1)[]);
CREATE TABLE orders (
    order_id integer PRIMARY KEY, customer_id integer, amount numeric(10,2), status text, created_at timestamp(3)
);
