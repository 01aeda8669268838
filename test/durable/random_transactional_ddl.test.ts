/**
 * Random DDL and rows in the transactions of two sessions, with savepoints, against an engine that only ever gets what was committed, statement by statement: after each end of a
 * transaction, and after each kill, both have the same objects, comments, owners, privileges and rows.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { parse } from '../../planner/parse/parse.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import {
  databaseSecurable,
  isSecured,
  objectSecurable,
  type Securable,
  schemaSecurable,
} from '../../src/runtime/securables.ts';
import { openEngine, Session, seeded, sql } from '../engine/harness.ts';
import { openOn, startedFromCopy } from './over_restarts.ts';

const ROUNDS = process.env.TIDEMARK_QUICK === '1' ? 4 : 16;
const STEPS = 200;
/** Of all rounds, one after the other. */
const { random } = seeded('transactional DDL');

/** A transaction of a session: what it has done and not taken back, and where its savepoints are. */
interface Open {
  session: Session;
  done: string[];
  savepoints: { name: string; done: number }[];
}

/** What a session may be told, as others are at work. */
const EXPECTED = new Set([
  '42P07',
  '42P06',
  '42710',
  '55P03',
  '42P01',
  '3F000',
  '42704',
  '2BP01',
  '23505',
  '40001',
  '42809',
  '42703',
  '23503',
  '55000',
  '23502',
  '23514',
]);

async function state(engine: TidemarkEngine): Promise<unknown> {
  const { catalog } = engine;
  const said = (on: Securable) => [on.owner, on.acl ?? []];
  const objects = catalog.seen([]).map((object) => {
    const { kind, schema, name, comments = {} } = object;
    const sorted = Object.entries(comments).sort();
    const source = object.kind === 'function' ? object.source : '';
    const parts =
      object.kind === 'table'
        ? [...object.checks, ...object.foreignKeys]
            .map((one) => one.name)
            .concat(object.relation.columns.map((column, i) => `${column.notNull} ${object.defaults[i]?.text}`))
        : [];
    return `${kind} ${schema}.${name} ${JSON.stringify([parts, sorted, source, isSecured(object) ? said(objectSecurable(engine, object)) : []])}`;
  });
  const schemas = catalog.schemas
    .filter((name) => catalog.seesSchema(name, []))
    .map((name) => [name, catalog.schemaComments.get(name), said(schemaSecurable(engine, name))]);
  const rows: Record<string, unknown> = {};
  // Numbers that a serial column was given and nobody has are gone.
  for (const { kind, schema, name } of catalog.seen([])) {
    if (!['table', 'view', 'materialized_view'].includes(kind)) continue;
    rows[`${schema}.${name}`] = (await sql(engine, `SELECT to_jsonb(x) - 'c' FROM ${schema}.${name} x`))
      .map(String)
      .sort();
  }
  return {
    objects: objects.sort(),
    schemas: schemas.sort(),
    database: said(databaseSecurable(engine, 'tidemark')),
    rows,
  };
}

/** What ROLLBACK undoes. */
function alteration(name: string): string {
  const all = [
    `ALTER b SET DEFAULT '${random(9)}'`,
    `ALTER b SET DEFAULT '${random(9)}', ADD CHECK (a > ${random(3) - 2})`,
    'ALTER b DROP DEFAULT',
    'ALTER b SET NOT NULL',
    `ADD CONSTRAINT ck CHECK (b <> '${random(9)}')`,
    'ADD CHECK (length(b) < 4)',
    'DROP CONSTRAINT ck',
    `DROP CONSTRAINT ${name}_b_check`,
    `DROP CONSTRAINT IF EXISTS ${name}_a_fkey, ALTER a SET NOT NULL`,
  ];
  return all[random(all.length)];
}

/** Rows are each session's own, by their keys: what the other commits meanwhile changes nothing of what a statement does. */
function statement(who: number): string {
  const schema = ['public', 'public', 's'][random(3)];
  const table = () => `${['public', 'public', 's'][random(3)]}.t${random(4)}`;
  const name = (kind: string) => `${schema}.${kind}${random(4)}`;
  const key = () => random(6) * 2 + who;
  const cascade = random(2) === 0 ? ' CASCADE' : '';
  // No view reads these: they get other names at COMMIT.
  const unread = () => `${['public', 'public', 's'][random(3)]}.u${random(4)}`;
  const changed = () =>
    [
      `TABLE ${random(2) === 0 ? table() : unread()}`,
      `VIEW ${name('v')}`,
      `SEQUENCE ${name('q')}`,
      `TYPE ${name('e')}`,
    ][random(4)];
  const role = `r${random(2)}`;
  switch (random(53)) {
    case 49:
    case 50:
    case 51:
    case 52: {
      const altered = table();
      return `ALTER TABLE ${altered} ${alteration(altered.split('.')[1])}`;
    }
    case 44:
    case 45:
      return `CREATE OR REPLACE VIEW ${name('v')} AS SELECT a FROM ${table()} WHERE a > ${random(9)}`;
    case 46:
      return `CREATE OR REPLACE VIEW ${unread()} AS SELECT ${key()} AS a, '${random(9)}' AS b`;
    case 47:
    case 48:
      return `CREATE OR REPLACE FUNCTION ${name('f')}(x int) RETURNS int LANGUAGE sql AS 'SELECT x + ${random(9)}'`;
    case 32:
    case 33:
      return `COMMENT ON ${changed()} IS ${random(4) === 0 ? 'NULL' : `'${random(9)}'`}`;
    case 34:
      return `COMMENT ON COLUMN ${table()}.b IS '${random(9)}'`;
    case 35:
      return `COMMENT ON SCHEMA ${schema} IS '${random(9)}'`;
    case 36:
    case 37:
      // ON ALL TABLES would be on those as well that the other has made until COMMIT.
      return `GRANT ${['SELECT', 'INSERT'][random(2)]} ON ${random(3) === 0 ? `${unread()}, ${table()}` : unread()} TO ${role}`;
    case 38:
    case 39:
      return `REVOKE ${random(2) === 0 ? 'SELECT' : 'ALL'} ON ${[table(), unread(), name('v'), `SCHEMA ${schema}`, 'DATABASE tidemark'][random(5)]} FROM ${role}`.replace(
        /SELECT (ON (SCHEMA|DATABASE))/,
        'CREATE $1',
      );
    case 40:
      return `GRANT CREATE ON ${random(2) === 0 ? 'DATABASE tidemark' : `SCHEMA ${schema}`} TO ${role}`;
    case 41:
    case 42:
      return `ALTER ${changed()} OWNER TO ${role}`;
    case 43:
      return `ALTER SCHEMA ${schema} OWNER TO ${role}`;
    case 24:
    case 25:
      return `CREATE TABLE ${unread()} (a int PRIMARY KEY, b text)`;
    case 26:
    case 27:
    case 28:
      return `ALTER TABLE ${unread()} RENAME TO u${random(4)}`;
    case 29:
      return `ALTER INDEX i${random(4)} RENAME TO i${random(4)}`;
    case 30:
      return `INSERT INTO ${unread()} VALUES (${key()}, '${random(9)}')`;
    case 31:
      return `DROP TABLE ${unread()}`;
    case 16:
    case 17:
    case 18:
      return `DROP TABLE ${table()}${cascade}`;
    case 19:
      return `DROP VIEW ${name('v')}${cascade}`;
    case 20:
      return `DROP MATERIALIZED VIEW ${name('m')}${cascade}`;
    case 21:
      return `DROP INDEX ${['i', 't'][random(2)]}${random(4)}${random(2) === 0 ? '' : '_b_key'}`;
    case 22:
      return random(3) === 0 ? `DROP SCHEMA s${cascade}` : `DROP TYPE ${name('e')}`;
    case 23:
      return `DROP SEQUENCE ${name('q')}`;
    case 0:
    case 1:
      return `CREATE TABLE ${name('t')} (a int PRIMARY KEY, b text UNIQUE, c serial)`;
    case 2:
      return `CREATE TABLE ${name('t')} (a int PRIMARY KEY REFERENCES ${table()}, b text, CHECK (a >= 0))`;
    case 3:
      return `CREATE TABLE ${name('t')} AS SELECT ${key()} AS a, 'x' AS b`;
    case 4:
      return `CREATE VIEW ${name('v')} AS SELECT a FROM ${table()}`;
    case 5:
      return `CREATE MATERIALIZED VIEW ${name('m')} AS SELECT b, count(*) AS n FROM ${table()} GROUP BY b`;
    case 6:
      return `CREATE INDEX i${random(4)} ON ${table()} (b)`;
    case 7:
      return `CREATE SCHEMA ${random(3) === 0 ? 'IF NOT EXISTS ' : ''}s`;
    case 8:
      return `CREATE TYPE ${name('e')} AS ENUM ('x', 'y')`;
    case 9:
      // In one schema: columns that go with a type of another are dropped at once.
      return `CREATE TABLE IF NOT EXISTS ${name('t')} (a int, b text, e ${schema}.e${random(4)})`;
    case 10:
      return `CREATE SEQUENCE ${name('q')}`;
    case 11:
    case 12:
    case 13:
      return `INSERT INTO ${table()} ${random(3) === 0 ? '(a) VALUES (' : `(b, a) VALUES ('${random(9)}', `}${key()})`;
    case 14:
      return `DELETE FROM ${table()} WHERE a = ${key()}`;
    default:
      return `UPDATE ${table()} SET b = b || 'x' WHERE a = ${key()}`;
  }
}

for (let round = 0; round < ROUNDS; round++)
  test(`round ${round}`, async () => {
    let disk = new MemoryDisk();
    let engine = await openOn(disk);
    const twin = await openEngine();
    twin.system.catalogs = new PgCatalog(twin);
    const base =
      'CREATE ROLE r0; CREATE ROLE r1; CREATE TABLE t0 (a int PRIMARY KEY, b text); INSERT INTO t0 VALUES (1, 1)';
    for (const one of [engine, twin]) await sql(one, base);
    const begin = (): Open => ({ session: new Session(engine, {}, true), done: [], savepoints: [] });
    let open = [begin(), begin()];
    const same = async (what: string) => assert.deepEqual(await state(engine), await state(twin), what);
    const back = (who: number) => {
      const { session, savepoints, done } = open[who];
      const at = savepoints.at(-1);
      if (at === undefined || random(2) === 0) {
        session.transaction.rollback();
        open[who] = begin();
        return;
      }
      session.transaction.rollbackTo(at.name);
      done.length = at.done;
    };
    let commits = 0;
    for (let step = 0; step < STEPS; step++) {
      const who = random(2);
      const { session, done, savepoints } = open[who];
      switch (random(16)) {
        case 0: {
          const name = `${step}`;
          session.transaction.savepoint(name);
          savepoints.push({ name, done: done.length });
          break;
        }
        case 1:
          back(who);
          await same(`step ${step}: rollback`);
          break;
        case 2:
        case 3:
        case 4:
          open[who] = begin();
          try {
            await session.transaction.commit();
          } catch (error) {
            assert.ok(error instanceof SqlError && EXPECTED.has(error.sqlstate), String(error));
            await same(`step ${step}: failed commit`);
            break;
          }
          commits += done.length;
          for (const text of done)
            await sql(twin, text).catch((error: unknown) => {
              // It changed no rows, and the other has dropped the table since.
              const changedNone = /^(UPDATE|DELETE)/.test(text) && error instanceof SqlError;
              if (!changedNone || error.sqlstate !== '42P01') throw error;
            });
          await same(`step ${step}: commit of ${done.join('; ')}`);
          break;
        case 5:
          if (random(3) === 0) {
            const how = random(3);
            if (how === 0) engine = await startedFromCopy(engine, disk);
            else {
              if (how === 1) await sql(engine, 'CHECKPOINT');
              const cut = disk.crash(() => 0);
              await engine.close();
              disk = cut;
              engine = await openOn(disk);
            }
            open = [begin(), begin()];
            assert.equal(engine.catalog.hasOpen, false);
            await same(`step ${step}: start`);
          }
          break;
        default: {
          const text = statement(who);
          assert.equal(parse(text).length, 1);
          try {
            await session.run(text);
            done.push(text);
          } catch (error) {
            assert.ok(error instanceof SqlError && EXPECTED.has(error.sqlstate), `${text}: ${error}`);
            back(who);
          }
        }
      }
    }
    assert.ok(commits > 0);
    for (const { session } of open) session.transaction.rollback();
    await same('end');
    await engine.close();
    await twin.close();
  });
