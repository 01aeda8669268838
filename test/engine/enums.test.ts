/** Enum types beside PostgreSQL: the same statements give the same rows and errors. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';
import { sql } from './harness.ts';

let both: AgainstPostgres;

before(async () => {
  both = await AgainstPostgres.open();
});
after(() => both.close());

test('a table has a column of an enum type', async () => {
  await both.script(`
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE TABLE person (id int PRIMARY KEY, m mood, best mood DEFAULT 'happy', seen mood[]);
    INSERT INTO person VALUES (1, 'happy', DEFAULT, '{sad,ok}'), (2, 'sad', 'ok', NULL), (3, NULL, NULL, '{}'), (4, 'ok', 'sad', '{NULL,happy}');
    SELECT * FROM person ORDER BY id;
    SELECT id FROM person ORDER BY m, id;
    SELECT id FROM person ORDER BY m DESC NULLS LAST;
    SELECT min(m), max(m), count(DISTINCT m) FROM person;
    SELECT m, count(*) FROM person GROUP BY m ORDER BY m;
    SELECT id FROM person WHERE m > 'sad' ORDER BY id;
    SELECT id FROM person WHERE m = 'sad'::mood ORDER BY id;
    SELECT id FROM person WHERE m IN ('sad', 'ok') ORDER BY id;
    SELECT id FROM person WHERE m = ANY (ARRAY['sad', 'ok']::mood[]) ORDER BY id;
    SELECT id FROM person WHERE m = ANY ('{sad,happy}') ORDER BY id;
    SELECT id FROM person WHERE m BETWEEN 'sad' AND 'ok' ORDER BY id;
    SELECT a.id, b.id FROM person a JOIN person b ON a.m = b.best ORDER BY 1, 2;
    SELECT id, m FROM person WHERE m = 'glad';
    INSERT INTO person VALUES (5, 'glad');
    INSERT INTO person VALUES (5, 'sad'::text);
    INSERT INTO person VALUES (5, 7);
    INSERT INTO person VALUES (5, 'sad'::text::mood) RETURNING m;
    UPDATE person SET m = 'ok' WHERE id = 5 RETURNING m, best;
    UPDATE person SET m = best WHERE id = 5 RETURNING m, best;
    DELETE FROM person WHERE m = 'happy' RETURNING id;
    SELECT m || '!' FROM person ORDER BY 1;
    SELECT m::text || '!' FROM person ORDER BY 1;
    SELECT upper(m::text), length(m::text) FROM person ORDER BY 1;
    SELECT m::int FROM person;
    SELECT 1::mood;
    SELECT 'sad'::mood < 'ok', 'sad'::mood = 'ok'::text;
    SELECT 'sad'::mood::varchar(2), 'sad'::mood::char(5), CAST('ok' AS mood);
    SELECT mood 'ok', mood('sad');
    SELECT CASE WHEN id > 2 THEN m ELSE 'sad' END FROM person ORDER BY 1;
    SELECT COALESCE(m, 'sad'), NULLIF(m, 'sad'), GREATEST(m, 'ok'), LEAST(m, best, 'ok') FROM person ORDER BY id;
    SELECT m FROM person UNION SELECT 'happy' ORDER BY 1;
    SELECT m FROM person UNION SELECT 'happy'::text ORDER BY 1;
    SELECT DISTINCT m FROM person ORDER BY m;
    SELECT enum_first(NULL::mood), enum_last('sad'::mood), enum_range(NULL::mood), enum_range('ok'::mood, NULL), enum_range(NULL, 'ok'::mood);
    SELECT enum_range('sad'::mood, 'ok'::mood), enum_range('happy'::mood, 'ok'::mood);
    SELECT enum_first(NULL);
    SELECT unnest(enum_range(NULL::mood)) AS x ORDER BY x DESC;
    SELECT to_json(m), to_jsonb(m), row_to_json(p), json_build_object('m', m), to_jsonb(seen) FROM person p ORDER BY id;
    SELECT array_agg(m ORDER BY m), string_agg(m::text, ',' ORDER BY m), json_agg(m ORDER BY m) FROM person;
    SELECT seen[1], seen[2], array_length(seen, 1), 'ok' = ANY (seen), seen || 'sad'::mood, array_position(seen, 'ok'), seen @> '{ok}' FROM person ORDER BY id;
    SELECT seen::text[], seen::text, ARRAY['sad', 'ok']::mood[], '{ok,glad}'::mood[] FROM person;
    SELECT ARRAY['sad', 'ok']::mood[], '{ok}'::text[]::mood[], seen::text[]::text FROM person ORDER BY id;
    SELECT pg_typeof(m), pg_typeof(seen) FROM person ORDER BY id LIMIT 1;
    SELECT row_number() OVER (ORDER BY m, id), lag(m) OVER (ORDER BY id), first_value(m) OVER (ORDER BY m) FROM person ORDER BY id;
    SELECT m::mood, (m IS NULL), m IS DISTINCT FROM 'ok' FROM person ORDER BY id;
    SELECT sum(m) FROM person;
    SELECT m + 1 FROM person;
    SELECT m LIKE 's%' FROM person;
    SELECT format('%s', m), concat(m, '-', best) FROM person ORDER BY id;
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY m), mode() WITHIN GROUP (ORDER BY m) FROM person;
    SELECT * FROM json_to_recordset('[{"a": "ok"}, {"a": null}]') AS x (a mood) ORDER BY a;
    SELECT * FROM json_to_recordset('[{"a": "glad"}]') AS x (a mood);
  `);
});

test('errors of CREATE TYPE, ALTER TYPE and DROP TYPE', async () => {
  await both.script(`
    CREATE TYPE level AS ENUM ('low', 'high');
    CREATE TYPE level AS ENUM ('low', 'high');
    CREATE TYPE twice AS ENUM ('0123456789012345678901234567890123456789012345678901234567890123');
    CREATE TYPE nothing AS ENUM ();
    CREATE TABLE level (a int);
    CREATE TABLE taken (a int);
    CREATE TYPE taken AS ENUM ('a');
    CREATE TYPE nowhere.t AS ENUM ('a');
    ALTER TYPE level ADD VALUE 'mid' BEFORE 'high';
    ALTER TYPE level ADD VALUE 'lowest' BEFORE 'low';
    ALTER TYPE level ADD VALUE 'highest' AFTER 'high';
    ALTER TYPE level ADD VALUE 'more';
    ALTER TYPE level ADD VALUE 'mid';
    ALTER TYPE level ADD VALUE IF NOT EXISTS 'mid';
    ALTER TYPE level ADD VALUE 'x' BEFORE 'none';
    SELECT enumlabel, enumsortorder FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE typname = 'level' ORDER BY enumsortorder;
    ALTER TYPE level RENAME VALUE 'more' TO 'most';
    ALTER TYPE level RENAME VALUE 'more' TO 'other';
    ALTER TYPE level RENAME VALUE 'most' TO 'mid';
    SELECT enum_range(NULL::level);
    ALTER TYPE missing ADD VALUE 'x';
    ALTER TYPE integer ADD VALUE 'x';
    ALTER TYPE level RENAME TO grade;
    SELECT 'mid'::grade;
    SELECT 'mid'::level;
    ALTER TYPE grade RENAME TO taken;
    DROP TYPE level;
    DROP TYPE IF EXISTS level;
    CREATE TABLE uses (b grade DEFAULT 'low', c text DEFAULT 'low'::grade);
    CREATE VIEW v AS SELECT 'low'::grade AS g;
    DROP TYPE grade;
    DROP VIEW v;
    ALTER TABLE uses ADD CHECK (b <> 'high');
    INSERT INTO uses VALUES ('high');
    INSERT INTO uses DEFAULT VALUES;
    SELECT * FROM uses;
    CREATE TABLE made (g grade, t text GENERATED ALWAYS AS (g::text) STORED);
    DROP TABLE uses;
    DROP TYPE grade;
    SELECT 'mid'::grade;
    CREATE TABLE other (a grade);
    CREATE TYPE color AS ENUM ('red', 'green');
    CREATE TABLE cars (id int PRIMARY KEY, c color, cs color[], d text DEFAULT 'red'::color);
    INSERT INTO cars VALUES (1, 'red', '{green}');
    CREATE VIEW reds AS SELECT id FROM cars WHERE c = 'red';
    DROP TYPE color CASCADE;
    SELECT * FROM cars;
    INSERT INTO cars VALUES (2) RETURNING *;
    SELECT * FROM reds;
  `);
});

test('the catalogs list enum types, and columns of them', async () => {
  await both.script(`
    CREATE SCHEMA s;
    CREATE TYPE s.size AS ENUM ('S', 'M', 'L');
    CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN');
    COMMENT ON TYPE s.size IS 'of shirts';
    COMMENT ON TYPE s.none IS 'x';
    CREATE TABLE s.shirts (id int PRIMARY KEY, size s.size NOT NULL DEFAULT 'M', others s.size[], role "Role" DEFAULT 'USER'::"Role");
    SELECT obj_description('s.size'::regtype, 'pg_type');
    SELECT typname, typlen, typbyval, typtype, typcategory, typispreferred, typisdefined, typdelim, typrelid, typsubscript, typalign, typstorage, typnotnull, typbasetype, typtypmod, typndims, typcollation, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze FROM pg_type WHERE typname IN ('size', '_size', 'Role', '_Role') ORDER BY typname;
    SELECT t.typname, e.enumlabel, e.enumsortorder FROM pg_enum e JOIN pg_type t ON e.enumtypid = t.oid WHERE typname IN ('size', 'Role') ORDER BY 1, 3;
    SELECT format_type(atttypid, atttypmod), attname FROM pg_attribute WHERE attrelid = 's.shirts'::regclass AND attnum > 0 ORDER BY attnum;
    SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 's.shirts'::regclass ORDER BY adnum;
    SELECT column_name, data_type, udt_schema, udt_name, column_default FROM information_schema.columns WHERE table_name = 'shirts' ORDER BY ordinal_position;
    SELECT 's.size'::regtype, 's.size[]'::regtype, '"Role"'::regtype::text, to_regtype('s.size'), to_regtype('size'), to_regtype('s._size');
    SELECT 'size'::regtype;
    SELECT t.typname, a.typname FROM pg_type t JOIN pg_type a ON t.typarray = a.oid AND a.typelem = t.oid WHERE t.typname IN ('size', 'Role') ORDER BY 1;
    SELECT pg_type_is_visible('s.size'::regtype), pg_type_is_visible('"Role"'::regtype);
    SELECT n.nspname, t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE typtype = 'e' AND nspname = 's' ORDER BY 2;
    INSERT INTO s.shirts (id) VALUES (1) RETURNING *;
    SELECT NULL::size;
    SELECT 'XL'::s.size;
    INSERT INTO s.shirts VALUES (2, NULL);
    CREATE INDEX ON s.shirts (size);
    SELECT indexdef FROM pg_indexes WHERE tablename = 'shirts' ORDER BY 1;
    ALTER TABLE s.shirts ALTER size TYPE text;
    ALTER TABLE s.shirts ALTER size DROP DEFAULT, ALTER size TYPE text;
    ALTER TABLE s.shirts ALTER size TYPE s.size;
    ALTER TABLE s.shirts ALTER size TYPE s.size USING size::s.size;
    SELECT size, size > 'S' FROM s.shirts ORDER BY id;
    CREATE TYPE to_be AS ENUM ('b', 'a');
    CREATE TABLE keyed (k to_be PRIMARY KEY, n int);
    INSERT INTO keyed VALUES ('a', 1), ('b', 2);
    INSERT INTO keyed VALUES ('a', 3);
    INSERT INTO keyed VALUES ('a', 3) ON CONFLICT (k) DO UPDATE SET n = excluded.n RETURNING *;
    SELECT n FROM keyed WHERE k = 'b';
    CREATE TABLE refers (k to_be REFERENCES keyed);
    INSERT INTO refers VALUES ('a');
    DELETE FROM keyed WHERE k = 'a';
    SELECT * FROM keyed ORDER BY k LIMIT 1;
    CREATE TABLE outside (a int, b s.size);
  `);
});

test('a schema goes with its types, and what tables elsewhere have of them', async () => {
  const { engine } = both;
  await sql(
    engine,
    "CREATE SCHEMA of_types; CREATE TYPE of_types.t AS ENUM ('a'); CREATE TABLE stays (a int, b of_types.t)",
  );
  await sql(engine, 'CREATE TABLE of_types.goes (t of_types.t)');
  await assert.rejects(sql(engine, 'DROP SCHEMA of_types'), { sqlstate: '2BP01' });
  await sql(engine, 'INSERT INTO stays VALUES (1, $$a$$); DROP SCHEMA of_types CASCADE');
  assert.deepEqual(await sql(engine, 'SELECT * FROM stays'), [['1']]);
  assert.deepEqual(await sql(engine, "SELECT count(*) FROM pg_type WHERE typname = 't'"), [['0']]);
});

test('what is kept up to date reads no texts as enum values, and keeps labels from being renamed', async () => {
  const { engine } = both;
  await sql(engine, "CREATE TYPE kept AS ENUM ('a', 'b'); CREATE TABLE texts (t text, k kept)");
  for (const query of [
    'SELECT t::kept FROM texts',
    'SELECT ARRAY[t]::kept[] FROM texts',
    'SELECT enum_range(k) FROM texts',
    "SELECT x.k FROM texts, json_to_record('{}') AS x (k kept)",
    "SELECT json_value(t, '$' RETURNING kept) FROM texts",
  ])
    await assert.rejects(sql(engine, `CREATE MATERIALIZED VIEW no AS ${query}`), { sqlstate: '0A000' }, query);
  await sql(engine, "CREATE MATERIALIZED VIEW yes AS SELECT k::text, k < 'b' AS less, 'a'::kept AS a FROM texts");
  await assert.rejects(sql(engine, "ALTER TYPE kept RENAME VALUE 'a' TO 'z'"), { sqlstate: '0A000' });
  await assert.rejects(sql(engine, 'DROP TYPE kept'), { sqlstate: '2BP01' });
  await sql(engine, "INSERT INTO texts (k) VALUES ('a'), ('b'); ALTER TYPE kept ADD VALUE 'aa' AFTER 'a'");
  await sql(engine, "INSERT INTO texts (k) VALUES ('aa')");
  assert.deepEqual(await sql(engine, 'SELECT * FROM yes ORDER BY 1'), [
    ['a', 't', 'a'],
    ['aa', 't', 'a'],
    ['b', 'f', 'a'],
  ]);
  await sql(engine, 'DELETE FROM texts; DROP MATERIALIZED VIEW yes');
  await sql(engine, "CREATE VIEW plain AS SELECT * FROM texts WHERE k = 'a'");
  await assert.rejects(sql(engine, "ALTER TYPE kept RENAME VALUE 'a' TO 'z'"), { sqlstate: '0A000' });
  await sql(engine, "ALTER TYPE kept RENAME VALUE 'b' TO 'z'; INSERT INTO texts (k) VALUES ('z')");
  assert.deepEqual(await sql(engine, 'SELECT k FROM texts'), [['z']]);
});

test('labels come between others until there is no room', async () => {
  const { engine } = both;
  await sql(engine, "CREATE TYPE dense AS ENUM ('first', 'last'); CREATE TABLE dense_rows (d dense)");
  for (let i = 0; i < 16; i++)
    await sql(engine, `ALTER TYPE dense ADD VALUE 'v${i}' BEFORE 'last'; INSERT INTO dense_rows VALUES ('v${i}')`);
  await assert.rejects(sql(engine, "ALTER TYPE dense ADD VALUE 'more' BEFORE 'last'"), { sqlstate: '54000' });
  await sql(engine, "ALTER TYPE dense ADD VALUE 'behind'; ALTER TYPE dense ADD VALUE 'before' BEFORE 'first'");
  const rows = await sql(engine, 'SELECT d FROM dense_rows ORDER BY d');
  assert.deepEqual(
    rows.flat(),
    Array.from({ length: 16 }, (_, i) => `v${i}`),
  );
  const many = Array.from({ length: 32768 }, (_, i) => `'${i}'`);
  await assert.rejects(sql(engine, `CREATE TYPE many AS ENUM (${many})`), { sqlstate: '54000' });
});
