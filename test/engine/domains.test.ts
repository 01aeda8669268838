/** Domains beside PostgreSQL: the same statements give the same rows and errors. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';
import { sql } from './harness.ts';

let both: AgainstPostgres;

before(async () => {
  both = await AgainstPostgres.open();
});
after(() => both.close());

test('values are checked when they become those of a domain', async () => {
  await both.script(`
    CREATE DOMAIN posint AS int CHECK (VALUE > 0);
    CREATE DOMAIN small AS posint DEFAULT 7 NOT NULL CONSTRAINT fits CHECK (VALUE < 100);
    CREATE DOMAIN zip AS varchar(5) CHECK (VALUE ~ '^\\d+$');
    CREATE DOMAIN pair AS int[] CHECK (array_length(VALUE, 1) < 3);
    CREATE TYPE mood AS ENUM ('a', 'b', 'c');
    CREATE DOMAIN goodmood AS mood CHECK (VALUE > 'a'::mood);
    CREATE TABLE t (id int PRIMARY KEY, p posint, s small, z zip, m goodmood, ps posint[], r pair);
    INSERT INTO t VALUES (1, 5, 6, '123', 'b', '{1,2}', '{1,2}');
    INSERT INTO t VALUES (2, -5, 6, '123', 'b', '{1,2}', '{1,2}');
    INSERT INTO t VALUES (2, 5, 600, '123', 'b', '{1,2}', '{1,2}');
    INSERT INTO t VALUES (2, 5, NULL, '123', 'b', '{1,2}', '{1,2}');
    INSERT INTO t VALUES (2, 5, -1, '123', 'b', '{1,2}', '{1,2}');
    INSERT INTO t VALUES (2, 5, 5, '12x', 'b', '{1,2}', '{1,2}');
    INSERT INTO t VALUES (2, 5, 5, '123456', 'b', '{1,2}', '{1,2}');
    INSERT INTO t VALUES (2, 5, 5, '12', 'a', '{1,2}', '{1,2}');
    INSERT INTO t VALUES (2, 5, 5, '12', 'b', '{1,-2}', '{1,2}');
    INSERT INTO t VALUES (2, 5, 5, '12', 'b', '{1,2}', '{1,2,3}');
    INSERT INTO t (id) VALUES (3) RETURNING *;
    INSERT INTO t SELECT 4, 4;
    INSERT INTO t SELECT 5, -4;
    INSERT INTO t (id, p) SELECT i, i FROM generate_series(6, 8) i;
    INSERT INTO t (id, p) SELECT i, 7 - i FROM generate_series(16, 18) i;
    INSERT INTO t (id, p) SELECT 9, '9';
    INSERT INTO t (id, p) SELECT 10, '-9';
    INSERT INTO t (id, s) VALUES (10, DEFAULT), (11, NULL);
    UPDATE t SET p = p - 5 WHERE id = 6 RETURNING p;
    UPDATE t SET p = p - 5 WHERE id = 4;
    UPDATE t SET s = NULL WHERE id = 4;
    UPDATE t SET s = DEFAULT WHERE id = 4 RETURNING s;
    INSERT INTO t (id, p) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET p = -1;
    MERGE INTO t USING (VALUES (1, 8), (70, -1)) v (id, p) ON t.id = v.id WHEN MATCHED THEN UPDATE SET p = v.p WHEN NOT MATCHED THEN INSERT (id, p) VALUES (v.id, v.p);
    SELECT id, p, s, z, m, ps, r::text FROM t ORDER BY id;
  `);
});

test('everybody else sees what lies under it', async () => {
  await both.script(`
    SELECT pg_typeof(p)::text, pg_typeof(s)::text, pg_typeof(p + 1)::text, pg_typeof(ps)::text, pg_typeof(ps[1])::text, pg_typeof(r[1])::text FROM t WHERE id = 1;
    SELECT pg_typeof(coalesce(p, p))::text, pg_typeof(coalesce(p, 1))::text, pg_typeof(CASE WHEN id > 0 THEN s ELSE p END)::text, pg_typeof(ARRAY[p, p])::text FROM t WHERE id = 1;
    SELECT pg_typeof(p)::text FROM (SELECT p FROM t UNION SELECT p FROM t) x LIMIT 1;
    SELECT pg_typeof(p)::text FROM (SELECT p FROM t UNION SELECT 4) x LIMIT 1;
    SELECT pg_typeof(p::int)::text, pg_typeof(s::posint)::text, pg_typeof((5::posint)::int)::text, pg_typeof(ps::int[])::text FROM t WHERE id = 1;
    SELECT 5::posint, '5'::posint, CAST(5.4 AS posint);
    SELECT (-5)::posint;
    SELECT '-5'::posint;
    SELECT 'x'::posint;
    SELECT '12345678'::zip, 12345678::zip;
    SELECT NULL::posint;
    SELECT NULL::small;
    SELECT 3::small::posint::small;
    SELECT 300::posint::small;
    SELECT ARRAY[1, 2]::posint[], '{1,2}'::posint[], '{}'::posint[], ARRAY[]::posint[], NULL::posint[];
    SELECT ARRAY[1, -2]::posint[];
    SELECT '{1,-2}'::text::posint[];
    SELECT ARRAY[1, NULL]::small[];
    SELECT ARRAY[1, 2, 3]::pair;
    SELECT p = '5', p IN (4, 5), p > 4.5, p BETWEEN 1 AND '9', abs(p), p::text || 'x', s || 'y', -p FROM t WHERE id = 1;
    SELECT z || 'a', length(z), upper(z), z LIKE '1%', z = '123', z::int FROM t WHERE id = 1;
    SELECT max(p), sum(p), count(DISTINCT p), avg(s), min(z) FROM t;
    SELECT p, count(*) FROM t GROUP BY p ORDER BY p;
    SELECT DISTINCT s FROM t ORDER BY s;
    SELECT a.id, b.id FROM t a JOIN t b ON a.p = b.s + 1 ORDER BY 1, 2;
    SELECT p + 'x' FROM t;
    SELECT p::date FROM t;
    SELECT foo(p) FROM t;
    SELECT to_jsonb(p), jsonb_build_object('z', z), ROW(p, z) FROM t WHERE id = 1;
    SELECT 1::posint(3);
    SELECT NULLIF(p, 5), GREATEST(p, s), LEAST(p, 2) FROM t WHERE id = 1;
    SELECT pg_typeof('1'::posint)::text, format_type('posint'::regtype, NULL), 'posint[]'::regtype::text, to_regtype('small')::text;
  `);
});

/** PostgreSQL tells no places in statements about domains; here they are told. */
test('CREATE and ALTER DOMAIN', async () => {
  await both.script(`
    CREATE DOMAIN bad AS int CHECK (x > 0);
    CREATE DOMAIN bad AS int CHECK (VALUE);
    CREATE DOMAIN bad AS int DEFAULT 'x'::text;
    CREATE DOMAIN bad AS int NOT NULL NULL;
    CREATE DOMAIN bad AS int UNIQUE;
    CREATE DOMAIN bad AS int DEFAULT 1 DEFAULT 2;
    CREATE DOMAIN bad AS int REFERENCES t;
    CREATE DOMAIN bad AS record;
    CREATE DOMAIN bad AS nosuch;
    CREATE DOMAIN bad AS int CHECK (VALUE > (SELECT 1));
    CREATE DOMAIN bad AS int CHECK (VALUE > 1) NO INHERIT;
    CREATE DOMAIN bad AS int COLLATE "C";
    CREATE DOMAIN bad AS int CONSTRAINT a CHECK (VALUE > 1) CONSTRAINT a CHECK (VALUE > 2);
    CREATE DOMAIN posint AS int;
    CREATE DOMAIN t AS int;
    CREATE TABLE posint (a int);
    CREATE DOMAIN score AS int CHECK (VALUE >= 0);
    CREATE TABLE scored (id int, v score, w score NOT NULL DEFAULT 3);
    INSERT INTO scored VALUES (1, 5, 5), (2, 8, 8), (3, NULL, 1);
    ALTER DOMAIN score ADD CONSTRAINT big CHECK (VALUE > 6);
    ALTER DOMAIN score ADD CHECK (VALUE < 100);
    ALTER DOMAIN score ADD CONSTRAINT score_check CHECK (VALUE > 6);
    ALTER DOMAIN score SET NOT NULL;
    ALTER DOMAIN score ADD CONSTRAINT big CHECK (VALUE > 6) NOT VALID;
    INSERT INTO scored VALUES (4, 6);
    ALTER DOMAIN score VALIDATE CONSTRAINT big;
    ALTER DOMAIN score VALIDATE CONSTRAINT none;
    ALTER DOMAIN score DROP CONSTRAINT big;
    ALTER DOMAIN score DROP CONSTRAINT big;
    ALTER DOMAIN score DROP CONSTRAINT IF EXISTS big;
    ALTER DOMAIN score RENAME CONSTRAINT score_check1 TO below;
    ALTER DOMAIN score RENAME CONSTRAINT score_check1 TO below;
    INSERT INTO scored VALUES (4, 100);
    ALTER DOMAIN score SET DEFAULT 4;
    INSERT INTO scored (id) VALUES (5) RETURNING *;
    ALTER DOMAIN score DROP DEFAULT;
    INSERT INTO scored (id) VALUES (6) RETURNING *;
    ALTER DOMAIN score SET DEFAULT 'abc';
    DELETE FROM scored WHERE v IS NULL;
    ALTER DOMAIN score SET NOT NULL;
    INSERT INTO scored (id) VALUES (7);
    INSERT INTO scored VALUES (7, NULL, 1);
    ALTER DOMAIN score DROP NOT NULL;
    INSERT INTO scored (id) VALUES (7) RETURNING *;
    ALTER DOMAIN mood SET NOT NULL;
    ALTER DOMAIN int4 SET NOT NULL;
    ALTER DOMAIN nosuch SET NOT NULL;
    ALTER TYPE score ADD VALUE 'x';
    ALTER DOMAIN score RENAME TO points;
    ALTER DOMAIN points RENAME TO mood;
    INSERT INTO scored VALUES (8, -1);
    CREATE SCHEMA other;
    ALTER DOMAIN points SET SCHEMA other;
    SELECT 1::points;
    SELECT 1::other.points;
    INSERT INTO scored VALUES (8, -1);
    CREATE TABLE alike (LIKE scored);
    INSERT INTO alike VALUES (1, -1);
    ALTER TABLE scored ADD COLUMN p posint, ADD COLUMN q small;
    SELECT * FROM scored ORDER BY id;
    ALTER TABLE scored ADD COLUMN n posint DEFAULT -1;
    ALTER DOMAIN small DROP DEFAULT;
    ALTER TABLE scored ADD COLUMN n small;
    ALTER TABLE alike ADD COLUMN n small;
    INSERT INTO alike (id) VALUES (1);
    ALTER TABLE scored ALTER COLUMN id TYPE posint;
    INSERT INTO scored (id, q) VALUES (0, 1);
    ALTER TABLE t ALTER COLUMN z TYPE posint;
    DROP DOMAIN mood;
    DROP DOMAIN nosuch;
    DROP DOMAIN IF EXISTS nosuch;
    DROP DOMAIN int4;
  `);
});

test('keys, references and parameters of prepared statements', async () => {
  await both.script(`
    CREATE DOMAIN id AS int CHECK (VALUE > 0);
    CREATE DOMAIN required AS id NOT NULL;
    CREATE TABLE pk (k id PRIMARY KEY, v text);
    CREATE TABLE fk (a required REFERENCES pk ON DELETE SET NULL, b id REFERENCES pk ON DELETE SET NULL);
    INSERT INTO pk VALUES (1, 'a'), (2, 'b');
    INSERT INTO pk VALUES (3, 'c') ON CONFLICT (k) DO UPDATE SET v = 'z';
    INSERT INTO pk VALUES (2, 'c') ON CONFLICT (k) DO UPDATE SET k = -1;
    INSERT INTO fk VALUES (2, 1);
    DELETE FROM pk WHERE k = 1;
    SELECT * FROM pk JOIN fk ON k = a ORDER BY k;
    SELECT v FROM pk WHERE k = 2::id;
    SELECT v FROM pk WHERE k = (-2)::id;
    CREATE TABLE made (a int, b id GENERATED ALWAYS AS (a - 5) STORED);
    INSERT INTO made VALUES (6);
    INSERT INTO made VALUES (5);
    UPDATE made SET a = 1;
    SELECT * FROM made;
    CREATE TABLE checked (a int CHECK (a::id < 10));
    INSERT INTO checked VALUES (3);
    INSERT INTO checked VALUES (11);
    INSERT INTO checked VALUES (-3);
  `);
});

test('what is made of a domain goes with it', async () => {
  await sql(both.engine, 'CREATE MATERIALIZED VIEW reads AS SELECT k::required AS r FROM pk');
  await assert.rejects(sql(both.engine, 'DROP DOMAIN required'), {
    sqlstate: '2BP01',
    message: 'line 1: cannot drop type required because other objects depend on it',
  });
  await sql(both.engine, 'DROP DOMAIN id CASCADE');
  const columns = (table: string) =>
    sql(both.engine, `SELECT column_name FROM information_schema.columns WHERE table_name = '${table}' ORDER BY 1`);
  assert.deepEqual(await columns('pk'), [['v']]);
  assert.deepEqual(await columns('fk'), []);
  assert.deepEqual(await columns('made'), [['a']]);
  assert.deepEqual(await sql(both.engine, "SELECT FROM pg_class WHERE relname = 'reads'"), []);
  await assert.rejects(sql(both.engine, 'SELECT 1::required'), { sqlstate: '42704' });
  await sql(both.engine, 'DROP TYPE mood CASCADE');
  await assert.rejects(sql(both.engine, "SELECT 'b'::goodmood"), { sqlstate: '42704' });
  assert.deepEqual(await sql(both.engine, 'SELECT id, z FROM t WHERE id = 1'), [['1', '123']]);
});
