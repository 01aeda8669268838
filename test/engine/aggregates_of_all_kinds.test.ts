/** Aggregates over records, arrays and values that JSON has no numbers for, of percentiles and of moments, against PostgreSQL. */
import { after, before, test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';

let both: AgainstPostgres;

before(async () => {
  both = await AgainstPostgres.open();
  await both.script(`
CREATE TABLE t (id int PRIMARY KEY, "a""key" text, ключ numeric, x float8, y float8, at timestamp, d date, b boolean, i int8, n int[], j jsonb, k json);
INSERT INTO t VALUES
  (1, 'quoted " and \\ and é', 1.50, 1.5, 2.25, '2020-01-02 03:04:05.678', '2020-01-02', true, 9007199254740993, '{1,2}', '{"b": 1, "a": [1.0]}', ' {"z" : 1, "z": 2}'),
  (2, E'tab\\t and bell\\x07', 'NaN', 'Infinity', 1, 'infinity', '-infinity', false, -1, '{}', 'null', '[1 ]'),
  (3, NULL, -0.001, -0.5, 1e-30, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, '', 12345678901234567890.1, 1e300, 3, '2020-01-02', '2020-01-02', true, 0, '{{1,NULL}}', '"text"', '1e2'),
  (5, 'five', 100, 0.1, 0.30000000000000004, '0044-03-15 BC', '0044-03-15 BC', false, 5, '{5}', '5', '"5"');
CREATE VIEW named AS SELECT id AS "first", x AS second FROM t WHERE id <> 4;
`);
});

after(() => both.close());

test('JSON shows the names of a row', () =>
  both.script(`
SELECT json_agg(t ORDER BY id) FROM t;
SELECT jsonb_agg(t ORDER BY id DESC) FROM t;
SELECT jsonb_agg(n ORDER BY n."first") FROM named n;
SELECT json_agg(s ORDER BY s.id) FILTER (WHERE s.id > 2) FROM (SELECT id, ключ FROM t) s;
SELECT json_object_agg(s.id, s ORDER BY s.id), jsonb_object_agg(s.id, s) FROM (SELECT id, ключ FROM t) s;
SELECT b, json_agg(s ORDER BY id), jsonb_object_agg(id, s) FROM (SELECT id, b, x FROM t) s GROUP BY b ORDER BY b;
SELECT json_agg(row(id, x) ORDER BY id) FROM t;
SELECT to_jsonb(t) FROM t ORDER BY id;
SELECT to_jsonb(t) ->> 'ключ', to_jsonb(t) -> 'n', to_jsonb(t) -> 'j' FROM t ORDER BY id;
`));

test('JSON of values of all kinds', () =>
  both.script(`
SELECT jsonb_agg(x ORDER BY id), jsonb_agg(ключ ORDER BY id), jsonb_agg(i ORDER BY id) FROM t;
SELECT jsonb_agg(at ORDER BY id), jsonb_agg(d ORDER BY id), jsonb_agg(b ORDER BY id) FROM t;
SELECT jsonb_agg(n ORDER BY id), jsonb_agg(j ORDER BY id), jsonb_agg(k ORDER BY id) FROM t;
SELECT jsonb_object_agg(id, k), jsonb_object_agg("a""key", x) FILTER (WHERE id > 3) FROM t;
SELECT jsonb_object_agg('same', id ORDER BY id) FROM t;
SELECT jsonb_build_object('x', x, 'n', n, 'k', k, 'd', d), jsonb_build_array(x, ключ, i, b, at) FROM t ORDER BY id;
SELECT '[1.0e1, -0, {"a" : tru}]'::jsonb;
SELECT '[01]'::jsonb;
SELECT '[1.]'::jsonb;
SELECT '[1e+]'::jsonb;
SELECT '[-]'::jsonb;
SELECT '[12x]'::jsonb;
SELECT ' { "a" : [ 1 , -2.50e-1 , null,true ] } '::jsonb;
`));

test('percentiles and the most frequent value', () =>
  both.script(`
SELECT (percentile_cont(ARRAY[0, 0.5, 1, NULL]) WITHIN GROUP (ORDER BY y))::text, percentile_cont(0.25) WITHIN GROUP (ORDER BY y DESC) FROM t;
SELECT (percentile_disc(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY d))::text, percentile_disc(0.5) WITHIN GROUP (ORDER BY "a""key") FROM t;
SELECT b, (percentile_cont(ARRAY[0.3, 0.6]) WITHIN GROUP (ORDER BY id))::text FROM t GROUP BY b ORDER BY b;
SELECT b, percentile_cont(CASE WHEN b THEN 0.1 ELSE 0.9 END) WITHIN GROUP (ORDER BY y) FROM t GROUP BY b ORDER BY b;
SELECT percentile_cont(1.5) WITHIN GROUP (ORDER BY y) FROM t;
SELECT mode() WITHIN GROUP (ORDER BY d), mode() WITHIN GROUP (ORDER BY b DESC) FROM t;
SELECT array_agg(DISTINCT b ORDER BY b)::text, string_agg(DISTINCT "a""key", ',') FROM t;
`));

// Ours are rounded once, so the last digits of doubles differ.
test('moments, truth values and bits', () =>
  both.script(`
SELECT stddev(y)::real, var_pop(y)::real, stddev_pop(x)::real, variance(x)::real FROM t WHERE id IN (1, 5);
SELECT corr(x, y)::real, covar_pop(x, y)::real, covar_samp(x, y)::real, regr_slope(x, y)::real, regr_intercept(x, y)::real, regr_r2(x, y)::real FROM t WHERE id IN (1, 3, 5);
SELECT corr(x, y)::real, regr_sxy(x, y)::real, regr_count(x, y), regr_avgx(x, y)::real, regr_avgy(x, y)::real FROM t WHERE id IN (1, 2);
SELECT stddev(y)::real, corr(x, y)::real, bool_and(b), bit_or(id), bit_xor(i) FROM t WHERE id > 5;
SELECT stddev(y)::real, corr(x, y)::real FROM t WHERE id = 1;
SELECT variance(x)::real FROM t WHERE id < 4;
SELECT bool_and(b), bool_or(b), every(b), bit_and(id), bit_or(id), bit_xor(id), bit_and(i), bit_or(i), bit_xor(i), bit_or(id::int2) FROM t;
SELECT b, bit_and(-id), bit_or(-i), bit_xor((-id)::int2) FROM t GROUP BY b ORDER BY b;
`));
