/** DDL in transactions, of several sessions at once: what a transaction makes is its own until COMMIT, and goes by any other end. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { type ClientServer, startServer, until } from './server.ts';

const options = { timeout: 60_000 };
let server: ClientServer;
let open: pg.Client[] = [];

before(async () => {
  server = await startServer();
});
after(() => server.close());
afterEach(async () => {
  for (const client of open) await client.end().catch(() => undefined);
  open = [];
  await until('nothing is open', () => server.running.engine.catalog.open.size === 0);
  const [admin] = [await connect()];
  for (const schema of ['public', 'made', 'other']) await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await admin.query('CREATE SCHEMA public');
  await admin.end();
  open = [];
});

async function connect(): Promise<pg.Client & { notices: string[] }> {
  const notices: string[] = [];
  const client = Object.assign(new pg.Client(server.config), { notices });
  client.on('error', () => undefined);
  client.on('notice', ({ severity, message }) => void notices.push(`${severity}: ${message}`));
  await client.connect();
  open.push(client);
  return client;
}

/** Rows as lists; several statements give those of the last. */
async function rows(client: pg.Client, text: string, values?: unknown[]): Promise<unknown[][]> {
  const result = await client.query({ text, values, rowMode: 'array' } as pg.QueryArrayConfig);
  return (Array.isArray(result) ? result[result.length - 1] : result).rows;
}

const refused = (code: string, message?: RegExp) => (error: unknown) =>
  error instanceof pg.DatabaseError && error.code === code && (message?.test(error.message) ?? true);

/** Names of all that the catalogs list for a session. */
async function listed(client: pg.Client): Promise<unknown[]> {
  const found = await rows(
    client,
    `SELECT 'class ' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'tidemark', 'pg_toast')
     UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE oid >= 16384
     UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typtype = 'e'
     UNION ALL SELECT 'table ' || table_name FROM information_schema.tables WHERE table_schema IN ('public', 'made')
     UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE connamespace >= 2200
     UNION ALL SELECT 'comment ' || description FROM pg_description
     UNION ALL SELECT 'view ' || name FROM tidemark.views
     UNION ALL SELECT 'subscription ' || name FROM tidemark.subscriptions
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
      await rows(b, 'DROP SCHEMA made CASCADE; DROP SUBSCRIPTION IF EXISTS followed; DELETE FROM old WHERE a = 2');
    } else {
      await rows(a, end).catch(() => rows(a, 'ROLLBACK'));
    }
    assert.deepEqual([await listed(a), await listed(b)], [there, there], end);
    assert.deepEqual(await rows(b, 'SELECT * FROM old'), [[1]]);
    assert.deepEqual(a.notices, []);
  }
});
