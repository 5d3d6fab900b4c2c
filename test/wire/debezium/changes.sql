-- The changes of the fixture, one transaction each. Read by make; the unit test repeats them by hand.
INSERT INTO types VALUES (1, true, -32768, 2147483647, -9223372036854775808,
    12.500, -1.25, 12345678901234567890123456789012345678, 0.00123, -1234567890123456789012345678901234567890.12345678901234567890,
    0.1, 29.99, 'plain', 'varchar', 'ab', '\x0001feff', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
    '2017-09-15', '2019-07-09 02:28:57.123456', '2019-07-09 02:28:57.6', '2024-03-15 10:40:00.123', '2019-07-09 02:28:57.12345',
    '2016-11-04 15:51:30.123456+02', '2016-11-04 15:51:30+02', '2016-11-04 15:51:30.1+02',
    '{"a" : 1,  "b":"é\u00e9"}', '{"a":1,"b":[1,2.50]}',
    '04:05:11.789', '04:05:11.789', '11:51:30.123789+02', '11:51:02+00', 'so, so', '<a>1 &lt; 2</a>');
INSERT INTO types (id) VALUES (2);
INSERT INTO types (id, n, n52, f4, f8, d, ts, ts3, tz, tz0) VALUES
    (3, 'NaN', 'NaN', 'NaN', 'NaN', 'infinity', 'infinity', 'infinity', 'infinity', 'infinity');
INSERT INTO types (id, n, f4, f8, d, ts, ts3, tz, tz0) VALUES
    (4, 'Infinity', 'Infinity', 'Infinity', '-infinity', '-infinity', '-infinity', '-infinity', '-infinity');
INSERT INTO types (id, n, f4, f8) VALUES (5, '-Infinity', '-Infinity', '-Infinity');
INSERT INTO types (id, n, n52, n38, ntiny, nbig, f4, f8, t, vc, c, by, j, jb) VALUES
    (6, 0, 0, 0, 0, 0, '-0', '-0', '', '', '', '', '""', 'null');
INSERT INTO types (id, n, n52, n38, nbig, f4, f8) VALUES (7, 4400, 999.99, -128, 0.00000000000000000001, 1e10, 1e22);
INSERT INTO types (id, n, n52, n38, nbig, f4, f8) VALUES (8, 0.000100, -0.01, 128, 1, 1e-38, 2.2250738585072014e-308);
INSERT INTO types (id, n, n52, n38, f4, f8) VALUES (9, -1.0, 327.67, -129, 3.4028235e38, 1.7976931348623157e308);
INSERT INTO types (id, n, n38, f4, f8) VALUES (10, 123456789012345678901234567890.000, 255, 0.001, 0.001);
INSERT INTO types (id, n38, f4, f8) VALUES (11, 256, 0.00099999, 0.00099999999999);
INSERT INTO types (id, n38, f4, f8) VALUES (12, -256, 9999999, 9999999.0);
INSERT INTO types (id, n38, f4, f8) VALUES (13, 32767, 1e7, 1e7);
INSERT INTO types (id, n38, f4, f8) VALUES (14, -32768, 123456.79, 12345.678901);
INSERT INTO types (id, f4, f8) VALUES (15, 100, 100), (16, 1.5e-5, 4.9e-324), (17, 33554432, 9007199254740993), (18, 0.3, 0.30000000000000004);
INSERT INTO types (id, d, ts, ts0, ts3, tz, tz0, tz3, tm, tm3, ttz) VALUES
    (20, '0001-01-01', '0001-01-01 00:00:00', '1969-12-31 23:59:59', '1969-12-31 23:59:59.999', '0001-01-01 00:00:00+00', '1969-12-31 23:59:59+00', '1582-10-04 00:00:00+00', '24:00:00', '23:59:59.999', '00:30:00+01');
INSERT INTO types (id, d, ts, ts0, ts3, tz, tz0, tz3, tm, tm3, ttz) VALUES
    (21, '4714-11-24 BC', '4714-11-24 00:00:00 BC', '0044-03-15 12:00:00 BC', '0001-12-31 23:59:59.999 BC', '4714-11-24 00:00:00+00 BC', '0001-12-31 00:00:00+00 BC', '0044-03-15 12:00:00.5+00 BC', '00:00:00', '00:00:00', '24:00:00-15:59');
INSERT INTO types (id, d, ts, ts0, ts3, tz, tz0, tz3, ttz) VALUES
    (22, '5874897-12-31', '294246-12-31 23:59:59.999999', '10000-01-01 00:00:00', '21016-11-04 13:51:30.1', '294246-12-31 23:59:59.999999+00', '21016-11-04 13:51:30+00', '9999-12-31 23:59:59.999+00', '11:51:30.1-05:30');
INSERT INTO types (id, t, vc, j) VALUES
    (23, E'\x01\x02\x07\b\t\n\x0B\f\r\x1B\x1F "q" \\ / \x7F é \u2028 \uFEFF 日本 😀𝄞 end', '😀', E'{"k":"\\ud83d\\ude00"}');
INSERT INTO types (id, t, by) VALUES (24, repeat('lang 😀 ', 300), decode(repeat('00', 1500), 'hex'));
INSERT INTO types (id, by) VALUES (25, '\x01'), (26, '\x0102'), (27, '\x010203'), (28, '\xfbff');

INSERT INTO arrays VALUES (1, '{1,NULL,-3}', '{}', '{a,NULL,"b \"c\" é",""}', '{1.50,4400}', '{1.5,NULL}', '{0.1,NaN,-Infinity}',
    '{t,f,NULL}', '{2020-02-29}', '{"2020-01-02 03:04:05.678901"}', '{"2020-01-02 03:04:05+00"}',
    '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', array['{"a":1}'::jsonb], '{"\\x00ff"}', '{ok,"so, so"}');
INSERT INTO arrays (id) VALUES (2);
INSERT INTO arrays (id, an52) VALUES (3, '{1.5,NaN}');

INSERT INTO defaults (id, now) VALUES (1, '2020-01-02 03:04:05.000001+00');
INSERT INTO defaults VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO required VALUES (1, true, 1, 1, 1, 1.5, 1.5, 1, 1, 't', 'v', '\x01', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    '2020-01-01', '2020-01-01', '2020-01-01', '2020-01-01+00', '2020-01-01+00', '1', '2', '01:00', '01:00', '01:00+00', 'sad', '<a/>', '{1}');
UPDATE required SET t = 'u' WHERE id = 1;
UPDATE required SET id = 2 WHERE id = 1;
DELETE FROM required WHERE id = 2;

INSERT INTO composite VALUES ('x', 1, 9);
UPDATE composite SET b = 2;
UPDATE composite SET a = 'y "z"', b = 3;
DELETE FROM composite;
INSERT INTO uniq VALUES (1, 'k', 2), (2, NULL, 3);
INSERT INTO full_old VALUES (1, 'one', NULL);
UPDATE full_old SET t = 'two', n = 4;
UPDATE full_old SET id = 5;
DELETE FROM full_old;
INSERT INTO no_key VALUES (1, 'one');
UPDATE no_key SET a = 2;
DELETE FROM no_key;
INSERT INTO keys VALUES (E'a "b" \\ \t é 😀 /', 1.5, 12.50, 1e22, '\x00ff', '2020-02-29', '2020-01-02 03:04:05.678901', '2020-01-02 03:04:05+00', true, 'r');
UPDATE keys SET t = '', n = 0.00000001, v = 1e-9, f = 'NaN', b = '', d = '0044-03-15 BC', ts = '1969-12-31 23:59:59.9', tz = 'infinity', o = false;
UPDATE keys SET n = -1000, v = 4400, f = 0.1, ts = 'infinity';
DELETE FROM keys;

INSERT INTO toast SELECT 1, 1, repeat('x', 2500), decode(repeat('ab', 2500), 'hex'), to_jsonb(repeat('j', 2500)),
    array[repeat('a', 2500)], array_agg(1), array_agg(1::bigint), repeat('9', 4080)::numeric, ('<a>' || repeat('x', 2500) || '</a>')::xml
    FROM generate_series(1, 700);
UPDATE toast SET n = 2;
INSERT INTO toast_full VALUES (1, 1, repeat('x', 2500));
UPDATE toast_full SET n = 2;
INSERT INTO "Sché ma"."T ""1"" 😀-x.y" VALUES (1, 'v');
BEGIN; INSERT INTO cut_a VALUES (1); INSERT INTO cut_b VALUES (1, 1); COMMIT;
TRUNCATE cut_a, cut_b;
SELECT pg_logical_emit_message(true, 'pre "fix"', 'héllo');
SELECT pg_logical_emit_message(false, '', '\x00ff'::bytea);
SELECT pg_logical_emit_message(true, 'empty', '');
INSERT INTO orders VALUES (1001, 501, 29.99, 'pending', '2024-03-15 10:40:00');
UPDATE orders SET status = 'shipped';
INSERT INTO snap VALUES (1, '\xfbff', 12.50, 0, '{1.0,NULL}'), (2, NULL, -0.01, 0.00000000000000000001, NULL), (3, '', 0, -1, '{}');
