/** DDL in transactions, of several sessions at once: what a transaction makes is its own until COMMIT, and goes by any other end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type pg from 'pg';
import { run, until } from './server.ts';
import { cut, refused, rows, serverOfFile, withoutSchemas } from './sessions.ts';
import { findPsql, pathOf, skip } from './tools.ts';

const options = { timeout: 60_000 };
const file = serverOfFile(withoutSchemas('made', 'other'));
const { connect } = file;

/** Names of all that the catalogs list for a session. */
async function listed(client: pg.Client): Promise<unknown[]> {
  const found = await rows(
    client,
    `SELECT 'class ' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'tidemark', 'pg_toast')
     UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE oid >= 16384 AND nspname NOT LIKE 'pg\\_temp%'
     UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typtype = 'e'
     UNION ALL SELECT 'table ' || table_name FROM information_schema.tables WHERE table_schema IN ('public', 'made')
     UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE connamespace >= 2200
     UNION ALL SELECT 'comment ' || description FROM pg_description
     UNION ALL SELECT 'view ' || name FROM tidemark.views
     UNION ALL SELECT 'subscription ' || name FROM tidemark.subscriptions
     UNION ALL SELECT 'sink ' || name FROM tidemark.sinks
     UNION ALL SELECT DISTINCT 'source ' || name FROM tidemark.sources
     ORDER BY 1`,
  );
  return found.flat();
}

const MADE = `
  CREATE SCHEMA made;
  CREATE TYPE made.mood AS ENUM ('sad', 'ok');
  CREATE TABLE made.parent (id serial PRIMARY KEY, feels made.mood DEFAULT 'ok', name text UNIQUE, CHECK (id > 0));
  CREATE TABLE made.child (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, of int REFERENCES made.parent);
  CREATE SEQUENCE made.counter START 5;
  CREATE INDEX by_of ON made.child (of);
  CREATE VIEW made.plain AS SELECT id, feels FROM made.parent;
  CREATE MATERIALIZED VIEW made.kept AS SELECT feels, count(*) AS n FROM made.parent GROUP BY feels;
  CREATE INDEX by_n ON made.kept (n);
  CREATE SUBSCRIPTION followed FOR made.kept;
  CREATE SUBSCRIPTION of_query FOR (SELECT id FROM made.parent);
  CREATE SINK out FROM made.kept WITH (connector = 'blackhole');
  CREATE STREAM made.local (at timestamp, WATERMARK FOR at AS at - INTERVAL '1 second');
  CREATE STREAM made.bids (auction bigint, price bigint) WITH (connector = 'nexmark', table = 'bid', events = '1000');
  CREATE MATERIALIZED VIEW made.of_stream AS SELECT count(*) AS n FROM made.bids;
  CREATE TEMP TABLE passing (a int);
  CREATE TABLE made.copied AS SELECT 1 AS a;
  COMMENT ON TABLE made.parent IS 'of a transaction';
  INSERT INTO made.parent (name) VALUES ('x');
  INSERT INTO made.child (of) VALUES (1);
  INSERT INTO old VALUES (2)`;

test('all that a transaction makes goes with ROLLBACK, and nobody else sees it before', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, 'CREATE TABLE old (a int); INSERT INTO old VALUES (1)');
  const there = await listed(b);
  for (const end of ['ROLLBACK', 'COMMIT', 'ROLLBACK', 'SELECT 1/0; ROLLBACK']) {
    await rows(a, 'BEGIN');
    for (const text of MADE.split(';')) await rows(a, text);
    assert.deepEqual(await listed(b), there, end);
    assert.ok((await listed(a)).length > there.length + 20, String(await listed(a)));
    assert.deepEqual(await rows(a, 'SELECT * FROM made.plain'), [[1, 'ok']]);
    assert.deepEqual(await rows(a, `SELECT to_regclass('made.parent')::text`), [['made.parent']]);
    assert.deepEqual(await rows(b, `SELECT to_regclass('made.parent')::text`), [[null]]);
    for (const text of [
      'SELECT * FROM made.parent',
      'INSERT INTO made.parent VALUES (1)',
      'SUBSCRIBE TO made.kept',
      'DROP TABLE made.parent',
      'ALTER TABLE made.parent RENAME TO p',
      `CREATE VIEW v AS SELECT * FROM made.kept`,
    ])
      await assert.rejects(rows(b, text), refused('42P01'), text);
    await assert.rejects(rows(b, 'CREATE TABLE made.parent (a int)'), refused('3F000'));
    await assert.rejects(rows(b, 'DROP SCHEMA made'), refused('3F000'));
    await assert.rejects(rows(b, 'CREATE SCHEMA made'), refused('55P03', /schema "made" is being made/));
    await assert.rejects(rows(b, 'CREATE SCHEMA IF NOT EXISTS made'), refused('55P03'));
    if (end === 'COMMIT') {
      const seen = await listed(a);
      await rows(a, end);
      assert.deepEqual([await listed(a), await listed(b)], [seen, seen]);
      assert.deepEqual(await rows(b, 'SELECT * FROM made.kept'), [['ok', '1']]);
      assert.deepEqual(await rows(b, 'SELECT * FROM old ORDER BY a'), [[1], [2]]);
      await rows(a, 'DISCARD TEMP');
      await rows(b, 'DROP SCHEMA made CASCADE; DELETE FROM old WHERE a = 2');
    } else {
      await rows(a, end).catch(() => rows(a, 'ROLLBACK'));
    }
    assert.deepEqual([await listed(a), await listed(b)], [there, there], end);
    assert.deepEqual(await rows(b, 'SELECT * FROM old'), [[1]]);
    assert.deepEqual(a.notices, []);
  }
});

const userTables = () => file.server.running.engine.catalog.objects().map(({ name }) => name);

test('savepoints: what was made since goes, its name is free, what was made before stays', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, 'BEGIN; CREATE TABLE first (a int); INSERT INTO first VALUES (1)');
  await rows(
    a,
    'SAVEPOINT s; CREATE TABLE second (a int); CREATE VIEW over AS SELECT * FROM first, (SELECT 1) AS x(n)',
  );
  await rows(a, 'SAVEPOINT t; CREATE TABLE third AS SELECT 3 AS a; RELEASE t');
  await assert.rejects(rows(a, 'CREATE TABLE second (b int)'), refused('42P07'));
  await assert.rejects(rows(a, 'TABLE first'), refused('25P02'));
  await rows(a, 'ROLLBACK TO s');
  for (const name of ['second', 'third', 'over']) {
    await assert.rejects(rows(a, `TABLE ${name}`), refused('42P01'));
    await rows(a, 'ROLLBACK TO s');
  }
  assert.deepEqual(await rows(a, 'TABLE first'), [[1]]);
  await rows(a, `CREATE TABLE second (b text); INSERT INTO second VALUES ('again')`);
  assert.deepEqual(await rows(a, 'TABLE second'), [['again']]);
  await assert.rejects(rows(b, 'TABLE first'), refused('42P01'));
  await rows(a, 'COMMIT');
  assert.deepEqual([await rows(b, 'TABLE first'), await rows(b, 'TABLE second')], [[[1]], [['again']]]);
  assert.deepEqual(userTables(), ['first', 'second']);
  assert.deepEqual(a.notices, []);
  // A type made after a savepoint that a table of before has got.
  await rows(a, 'BEGIN; CREATE TABLE typed (a int); SAVEPOINT s');
  await rows(a, `CREATE TYPE mood AS ENUM ('ok'); ALTER TABLE typed ADD COLUMN m mood`);
  assert.deepEqual(a.notices, [
    'WARNING: table "typed" was there before the savepoint: what is done to it is done at once',
  ]);
  await rows(a, `ROLLBACK TO s; INSERT INTO typed VALUES (1, 'ok')`);
  await rows(a, 'COMMIT');
  assert.deepEqual(await rows(b, 'TABLE typed'), [[1, 'ok']]);
});

test(
  'all ends: a broken socket, terminated, a COMMIT that fails, statements in one text, a pipeline',
  options,
  async () => {
    const b = await connect();
    await rows(b, 'CREATE TABLE keys (a int PRIMARY KEY)');
    const there = userTables();
    const isBack = (how: string) =>
      until(how, () => String(userTables()) === String(there) && file.server.running.engine.catalog.open.size === 0);
    const make = async () => {
      const client = await connect();
      await rows(client, 'BEGIN; CREATE TABLE made (a int); CREATE MATERIALIZED VIEW of_made AS SELECT a FROM made');
      await rows(client, 'INSERT INTO keys VALUES (1); INSERT INTO made VALUES (1)');
      return client;
    };
    const broken = await make();
    cut(broken);
    await isBack('broken socket');
    const victim = await make();
    const [[pid]] = await rows(victim, 'SELECT pg_backend_pid()');
    await rows(b, 'SELECT pg_terminate_backend($1)', [pid]);
    await isBack('terminated');
    await (await make()).end();
    await isBack('ended');
    const late = await make();
    await rows(b, 'INSERT INTO keys VALUES (1)');
    await assert.rejects(rows(late, 'COMMIT'), refused('23505'));
    await isBack('COMMIT failed');
    await assert.rejects(
      rows(
        b,
        'CREATE TABLE made (a int); CREATE VIEW of_made AS SELECT a FROM made; SELECT 1/0; CREATE TABLE never (a int)',
      ),
      refused('22012'),
    );
    await isBack('one text');
    await rows(b, 'CREATE TABLE made (a int); INSERT INTO made VALUES (1); CREATE VIEW of_made AS SELECT a FROM made');
    assert.deepEqual(await rows(late, 'TABLE of_made'), [[1]]);
    await rows(b, 'DROP TABLE made CASCADE');
    await assert.rejects(rows(b, 'BEGIN; CREATE TABLE made (a int); SELECT 1/0'), refused('22012'));
    await isBack('failed block');
    await rows(b, 'COMMIT');
    await isBack('COMMIT of a failed block');
    await assert.rejects(rows(b, 'BEGIN; CREATE TEMP TABLE made (a int); SELECT 1/0'), refused('22012'));
    await rows(b, 'ROLLBACK');
    await isBack('temporary');
    // While it makes something, sooner or later.
    await rows(b, 'CREATE TABLE many AS SELECT n FROM generate_series(1, 200000) n');
    there.push('many');
    for (const ms of [1, 5, 20, 60, 150])
      for (const what of [
        'TABLE made AS SELECT n, n::text AS t FROM many',
        'MATERIALIZED VIEW made AS SELECT n % 1000 AS n, count(*) AS c FROM many GROUP BY 1',
        'INDEX made ON many (n)',
      ]) {
        const client = await connect();
        await rows(client, 'BEGIN; CREATE TABLE first (a int)');
        client.query(`CREATE ${what}`).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, ms));
        cut(client);
        await isBack(`${what} after ${ms} ms`);
      }
    await until('their sessions are gone', () => file.server.running.postgres.sessions().length <= 2);
    assert.deepEqual(userTables(), there);
  },
);

test('what others make and drop beside it', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(a, `CREATE TABLE old (id int PRIMARY KEY, v text); CREATE TYPE mood AS ENUM ('ok')`);
  await rows(a, 'BEGIN; CREATE TABLE made (a int REFERENCES old, m mood); CREATE INDEX by_v ON old (v)');
  await rows(a, 'CREATE VIEW over AS SELECT * FROM old');
  for (const text of [
    'CREATE TABLE made (a int)',
    'CREATE TABLE IF NOT EXISTS made (a int)',
    'CREATE VIEW made AS SELECT 1 AS a',
  ])
    await assert.rejects(rows(b, text), refused('55P03', /relation "made" is being made by another transaction/));
  await assert.rejects(rows(b, 'CREATE OR REPLACE VIEW over AS SELECT 1 AS a'), refused('55P03'));
  await assert.rejects(rows(b, 'CREATE INDEX by_v ON old (id)'), refused('55P03'));
  for (const text of [
    'DROP TABLE old',
    'DROP TABLE old CASCADE',
    'DROP TYPE mood CASCADE',
    'ALTER TABLE old DROP COLUMN v CASCADE',
    'DROP SCHEMA public CASCADE',
  ])
    await assert.rejects(rows(b, text), refused('55P03'), text);
  b.notices.length = 0;
  await rows(b, 'DROP TABLE IF EXISTS made');
  assert.deepEqual(b.notices, ['NOTICE: table "made" does not exist, skipping']);
  // Its own indexes are not listed for others, and are an index already.
  assert.deepEqual(await rows(b, `SELECT indexname FROM pg_indexes WHERE tablename = 'old'`), [['old_pkey']]);
  await rows(b, `INSERT INTO old VALUES (1, 'x'), (2, 'y'); DELETE FROM old WHERE id = 2`);
  assert.deepEqual(await rows(b, `SELECT id FROM old WHERE v = 'x'`), [[1]]);
  await rows(a, 'ROLLBACK');
  assert.deepEqual(await rows(b, `SELECT id FROM old WHERE v = 'x'`), [[1]]);
  await rows(b, 'CREATE TABLE made (other int); CREATE INDEX by_v ON old (v)');
  await rows(b, 'DROP TABLE old, made');
  // Names in the path of the other: two sessions have objects of one name only where schemas differ.
  await rows(b, 'CREATE SCHEMA other; CREATE TABLE t (v text); INSERT INTO t VALUES (1)');
  for (const client of [a, b]) await rows(client, 'SET search_path = other, public');
  assert.deepEqual(await rows(b, 'TABLE t'), [['1']]);
  await rows(a, `BEGIN; CREATE TABLE t (n int); INSERT INTO t VALUES (7)`);
  const kept = { name: 'kept', text: 'TABLE t', rowMode: 'array' };
  assert.deepEqual([await rows(a, 'TABLE t'), await rows(b, 'TABLE t')], [[[7]], [['1']]]);
  assert.deepEqual((await b.query(kept as pg.QueryArrayConfig)).rows, [['1']]);
  assert.deepEqual(await rows(a, 'SELECT current_schemas(true)::text, current_schema()'), [
    ['{pg_catalog,other,public}', 'other'],
  ]);
  await rows(a, 'COMMIT');
  assert.deepEqual([await rows(a, 'TABLE t'), await rows(b, 'TABLE t')], [[[7]], [[7]]]);
  await rows(b, `SET search_path = pg_open_1, public, pg_open_${file.server.running.engine.catalog.nextOid}`);
  await rows(a, 'BEGIN; CREATE TABLE hidden (a int)');
  await assert.rejects(rows(b, 'TABLE hidden'), refused('42P01'));
  await rows(a, 'ROLLBACK');
});

test(
  'a type, a domain and an extension that another makes are not there, and are no duplicates that DO passes over',
  options,
  async () => {
    const [a, b] = [await connect(), await connect()];
    await rows(a, `BEGIN; CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE made (a int); CREATE EXTENSION pgcrypto`);
    for (const text of [`TYPE mood AS ENUM ('ok')`, 'DOMAIN mood AS int', `TYPE made AS ENUM ('ok')`]) {
      await assert.rejects(
        rows(b, `CREATE ${text}`),
        refused('55P03', /type ".*" is being made by another transaction/),
      );
      const passed = `DO $$ BEGIN CREATE ${text}; EXCEPTION WHEN duplicate_object THEN NULL; END $$`;
      await assert.rejects(rows(b, passed), refused('55P03'));
    }
    const installed = `SELECT name FROM pg_available_extensions WHERE installed_version <> ''`;
    assert.deepEqual(await rows(b, installed), [['plpgsql']]);
    assert.deepEqual(await rows(a, installed), [['pgcrypto'], ['plpgsql']]);
    await rows(a, 'ROLLBACK');
    await rows(b, `CREATE TYPE mood AS ENUM ('ok')`);
  },
);

test(
  'a schema public that is made anew has its functions and types, and is seen when that is committed',
  options,
  async () => {
    const [a, b] = [await connect(), await connect()];
    await rows(a, 'DROP SCHEMA public CASCADE');
    await rows(a, 'BEGIN; CREATE SCHEMA public');
    const there = `SELECT nspname FROM pg_namespace WHERE nspname = 'public'`;
    assert.deepEqual([await rows(a, there), await rows(b, there)], [[['public']], []]);
    await rows(a, `CREATE TYPE mood AS ENUM ('ok'); CREATE DOMAIN few AS int; CREATE TABLE made (a few)`);
    await rows(a, `CREATE FUNCTION plus(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1'; COMMIT`);
    for (const [catalog, name, schema] of [
      ['pg_type', 'typname', 'typnamespace'],
      ['pg_proc', 'proname', 'pronamespace'],
      ['pg_class', 'relname', 'relnamespace'],
    ]) {
      const found = await rows(
        b,
        `SELECT ${name} FROM ${catalog} JOIN pg_namespace n ON n.oid = ${schema}
       WHERE nspname = 'public' AND ${name} IN ('mood', 'few', 'plus', 'made') ORDER BY 1`,
      );
      assert.deepEqual(found, { pg_type: [['few'], ['mood']], pg_proc: [['plus']], pg_class: [['made']] }[catalog]);
    }
  },
);

test('a block of DO that fails leaves no setting and sends nothing', options, async () => {
  const a = await connect();
  const heard: unknown[] = [];
  a.on('notification', ({ payload }) => void heard.push(payload));
  await rows(a, 'LISTEN channel');
  await rows(
    a,
    `DO $$ BEGIN
       PERFORM set_config('search_path', 'public', false), pg_notify('channel', 'kept');
       BEGIN PERFORM set_config('search_path', 'other', false), pg_notify('channel', 'gone'), 1 / 0;
       EXCEPTION WHEN division_by_zero THEN CREATE TABLE made (a int); END;
       BEGIN PERFORM set_config('search_path', 'other', false), pg_notify('channel', 'gone'); RAISE EXCEPTION 'no';
       EXCEPTION WHEN others THEN NULL; END;
     END $$`,
  );
  assert.deepEqual(await rows(a, 'SHOW search_path'), [['public']]);
  assert.deepEqual(await rows(a, 'TABLE public.made'), []);
  assert.deepEqual(heard, ['kept']);
});

test('what was there before is done at once, and needs what it needs: a WARNING says so', options, async () => {
  const [a, b] = [await connect(), await connect()];
  await rows(
    a,
    `CREATE TABLE old (id int PRIMARY KEY, feels text); INSERT INTO old VALUES (1, 'ok'); CREATE TABLE gone (a int)`,
  );
  await rows(
    a,
    'CREATE VIEW replaced AS SELECT id FROM old; CREATE VIEW reading AS TABLE replaced; CREATE SEQUENCE alone',
  );
  const warning = (what: string) =>
    `WARNING: ${what} was there before the transaction: what is done to it is done at once`;
  await rows(a, 'BEGIN; CREATE SCHEMA made');
  await rows(a, `CREATE TYPE made.mood AS ENUM ('ok')`);
  await rows(
    a,
    'CREATE TABLE made.t (n int); CREATE TABLE made.unneeded (n int); CREATE VIEW made.over AS SELECT n FROM made.t',
  );
  await rows(a, `ALTER TABLE old ALTER COLUMN feels TYPE made.mood USING 'ok'`);
  await rows(a, 'CREATE OR REPLACE VIEW replaced AS SELECT id, n FROM old LEFT JOIN made.t ON true');
  await rows(a, 'ALTER SEQUENCE alone OWNED BY made.t.n'.replace('alone', 'public.alone')).catch(() => undefined);
  await rows(a, 'ROLLBACK');
  assert.deepEqual(a.notices, [warning('table "old"'), warning('view "replaced"')]);
  assert.deepEqual(await rows(b, 'TABLE old'), [[1, 'ok']]);
  assert.deepEqual(await rows(b, 'TABLE replaced'), [[1, null]]);
  for (const name of ['unneeded', 'over']) assert.ok(!userTables().includes(name), name);
  a.notices.length = 0;
  await rows(a, 'BEGIN; DROP TABLE gone; CREATE TABLE gone (b int); DROP TABLE gone; ROLLBACK');
  assert.equal(a.notices.length, 0);
  assert.ok(userTables().includes('gone'));
  a.notices.length = 0;
  await rows(a, `ALTER TABLE old ALTER COLUMN id SET DEFAULT 7; ALTER TABLE old ADD COLUMN n int; DROP SEQUENCE alone`);
  await rows(a, 'BEGIN; CREATE TABLE mine (a int); ALTER TABLE mine ADD COLUMN b int; DROP TABLE mine; COMMIT');
  assert.deepEqual(a.notices.filter((text) => text.startsWith('WARNING')).length, 1);
  await rows(a, 'DROP VIEW replaced CASCADE; DROP TABLE old');
});

test('roles are changed at once: a WARNING says so where ROLLBACK does not undo it', options, async () => {
  const a = await connect();
  const script =
    `CREATE ROLE member; CREATE ROLE other; CREATE TABLE shared (a int); GRANT SELECT ON shared TO member; ALTER ROLE member SET work_mem = '1MB';
    ALTER DEFAULT PRIVILEGES FOR ROLE member GRANT SELECT ON TABLES TO other; GRANT other TO member; ALTER TABLE shared OWNER TO other`.split(
      ';',
    );
  for (const text of script) await rows(a, text);
  assert.deepEqual(a.notices, []);
  const before = (what: string) =>
    `WARNING: ${what} was there before the transaction: what is done to it is done at once`;
  const told: [string, string[]][] = [
    ['CREATE ROLE late', ['WARNING: role "late" is made at once']],
    [`ALTER ROLE member PASSWORD 'x'`, [before('role "member"')]],
    ['ALTER ROLE member RENAME TO renamed', [before('role "renamed"')]],
    [`ALTER ROLE ALL SET work_mem = '2MB'`, ['WARNING: the settings of all roles are changed at once']],
    ['REVOKE other FROM renamed', [before('role "renamed"')]],
    ['REVOKE SELECT ON shared FROM renamed', []],
    ['GRANT CREATE ON SCHEMA public TO renamed', []],
    ['GRANT CREATE ON DATABASE db TO renamed', []],
    ['ALTER TABLE shared OWNER TO renamed', []],
    ['CREATE TABLE mine (a int); GRANT SELECT ON mine TO renamed', []],
    [
      'ALTER DEFAULT PRIVILEGES FOR ROLE renamed REVOKE SELECT ON TABLES FROM other',
      ['WARNING: default privileges are changed at once'],
    ],
    ['REASSIGN OWNED BY other TO renamed', ['WARNING: owners are changed at once']],
    ['DROP OWNED BY renamed', ['WARNING: what roles were granted is revoked at once']],
    [
      'DROP OWNED BY renamed; DROP ROLE renamed, late',
      [
        'WARNING: what roles were granted is revoked at once',
        'WARNING: role "renamed" is dropped at once',
        'WARNING: role "late" is dropped at once',
      ],
    ],
  ];
  for (const [text, wanted] of told) {
    a.notices.length = 0;
    await rows(a, `BEGIN; ${text}; ROLLBACK`);
    assert.deepEqual(a.notices, wanted, text);
  }
  assert.deepEqual(await rows(a, `SELECT rolname FROM pg_roles WHERE rolname IN ('member', 'renamed', 'late')`), []);
  await rows(a, 'ALTER ROLE ALL RESET ALL; DROP ROLE other');
  await rows(a, 'BEGIN READ ONLY');
  await assert.rejects(rows(a, 'CREATE ROLE other'), refused('25006'));
  await rows(a, 'ROLLBACK');
});

test('a migration that fails is run again', options, async () => {
  const client = await connect();
  await rows(client, 'CREATE TABLE IF NOT EXISTS schema_migrations (version int PRIMARY KEY)');
  const migrate = async (last: string) => {
    await client.query('BEGIN');
    try {
      await client.query(`CREATE TYPE status AS ENUM ('new', 'paid')`);
      await client.query(
        `CREATE TABLE orders (id serial PRIMARY KEY, status status NOT NULL DEFAULT 'new', total numeric)`,
      );
      await client.query('CREATE UNIQUE INDEX orders_total ON orders (total)');
      await client.query(`INSERT INTO orders (total) VALUES (1), (2)`);
      await client.query(
        'CREATE MATERIALIZED VIEW totals AS SELECT status, sum(total) AS total FROM orders GROUP BY status',
      );
      await client.query('INSERT INTO schema_migrations VALUES (1)');
      await client.query(last);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    }
  };
  for (const last of ['SELECT no_such_function()', 'INSERT INTO orders (total) VALUES (2)', `SELECT 'x'::int`])
    await assert.rejects(migrate(last));
  assert.deepEqual(await rows(client, 'TABLE schema_migrations'), []);
  await migrate('SELECT 1');
  assert.deepEqual(await rows(client, 'TABLE schema_migrations'), [[1]]);
  assert.deepEqual(await rows(client, 'TABLE totals'), [['new', '3']]);
  await rows(client, 'DROP TABLE orders CASCADE');
});

const psql = await findPsql();
test('psql --single-transaction', { ...options, skip: skip(psql) }, async () => {
  const client = await connect();
  const script = (text: string) =>
    run(pathOf(psql), ['-X', '-q', '--single-transaction', '-v', 'ON_ERROR_STOP=1'], {
      env: file.server.env,
      input: text,
    });
  const dump = `CREATE TABLE public.items (id integer NOT NULL, name text);
    CREATE SEQUENCE public.items_id_seq AS integer START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
    ALTER SEQUENCE public.items_id_seq OWNED BY public.items.id;
    ALTER TABLE ONLY public.items ALTER COLUMN id SET DEFAULT nextval('public.items_id_seq'::regclass);
    COPY public.items (id, name) FROM stdin;
1\tone
2\ttwo
\\.
    SELECT pg_catalog.setval('public.items_id_seq', 2, true);
    ALTER TABLE ONLY public.items ADD CONSTRAINT items_pkey PRIMARY KEY (id);
    CREATE INDEX items_name ON public.items USING btree (name);
    COMMENT ON TABLE public.items IS 'restored';`;
  const failed = await script(`${dump} SELECT 1/0;`);
  assert.match(failed.stderr, /division by zero/);
  assert.deepEqual(userTables(), []);
  for (let i = 0; i < 2; i++) {
    const { stderr, code } = await script(`${i === 0 ? '' : 'DROP TABLE IF EXISTS public.items;'} ${dump}`);
    assert.equal(code, 0, stderr);
    if (i === 0) assert.equal(stderr, '');
    assert.deepEqual(await rows(client, 'TABLE items'), [
      [1, 'one'],
      [2, 'two'],
    ]);
  }
});
