/**
 * Random ALTERs of columns, DML and views beside PostgreSQL (PGlite): after each statement the same error or none, the same columns and rows of the table and of each view, over restarts from the
 * log, from a checkpoint, and from the copy for another layout. The text that is shown of a view gives the view's rows, too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { queryPart } from '../../src/runtime/view_text.ts';
import { otherLayout } from '../durable/other_layout.ts';
import { openOn } from '../durable/over_restarts.ts';
import { Session, seeded, sql } from './harness.ts';

const ROUNDS = 3;
const STEPS = 50;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'k'];
const TYPES = ['int', 'text', 'bigint', 'numeric(6,2)', 'varchar(4)'];

interface View {
  name: string;
  materialized: boolean;
}

class Pair {
  readonly random: (n: number) => number;
  readonly disk = new MemoryDisk();
  engine!: TidemarkEngine;
  postgres!: PGlite;
  columns: string[] = [];
  views: View[] = [];
  #made = 0;

  constructor(random: (n: number) => number) {
    this.random = random;
  }

  pick<T>(list: T[]): T {
    return list[this.random(list.length)];
  }

  get column(): string {
    return this.random(12) === 0 ? this.pick(NAMES) : this.pick(this.columns.length > 0 ? this.columns : NAMES);
  }

  get value(): string {
    return this.random(6) === 0 ? 'NULL' : `'${this.random(5)}'`;
  }

  action(): string {
    const { column } = this;
    switch (this.random(7)) {
      case 0:
      case 1: {
        const more = this.pick([
          '',
          '',
          ' DEFAULT 7',
          ' DEFAULT 3',
          ' NOT NULL',
          ' DEFAULT 2 NOT NULL',
          ' UNIQUE',
          ' DEFAULT 1 UNIQUE',
        ]);
        return `ADD COLUMN ${this.pick(['', 'IF NOT EXISTS '])}${this.pick(NAMES)} ${this.pick(TYPES)}${more}`;
      }
      case 2:
        if (this.columns.length < 3) return `ADD COLUMN ${this.pick(NAMES)} int`;
        return `DROP COLUMN ${this.pick(['', 'IF EXISTS '])}${column}${this.pick(['', '', ' CASCADE'])}`;
      case 3: {
        const type = this.pick(TYPES);
        return `ALTER COLUMN ${column} TYPE ${type}${this.pick(['', ` USING ${column}::${type}`, ` USING ${this.random(4)}`])}`;
      }
      case 4:
        return `ALTER ${column} SET NOT NULL`;
      case 5:
        return `ALTER ${column} ${this.pick(['DROP DEFAULT', 'SET DEFAULT 4'])}`;
      default:
        return `ADD UNIQUE (${column})`;
    }
  }

  query(): string {
    const [one, two] = [this.column, this.column];
    switch (this.random(7)) {
      case 0:
        return 'SELECT * FROM t';
      case 1:
        return `SELECT ${one}, t.${two} AS other FROM t`;
      case 2:
        return `SELECT ${one}, count(*) AS n FROM t GROUP BY ${one}`;
      case 3:
        return `SELECT x.${one}, y.${two} AS z FROM t x JOIN t y ON x.${one} = y.${one}`;
      case 4:
        return 'SELECT * FROM t NATURAL JOIN u';
      case 5:
        return `SELECT t.*, u.k AS uk FROM t JOIN u USING (a)`;
      default:
        return this.views.length === 0 ? 'SELECT a FROM u' : `SELECT * FROM ${this.pick(this.views).name}`;
    }
  }

  statement(): string {
    switch (this.random(10)) {
      case 0:
      case 1:
      case 2: {
        const named = this.columns.filter(() => this.random(4) > 0);
        if (named.length === 0) return 'INSERT INTO t DEFAULT VALUES';
        return `INSERT INTO t (${named.join(', ')}) VALUES (${named.map(() => this.value).join(', ')})`;
      }
      case 3:
        return `UPDATE t SET ${this.column} = ${this.value} WHERE ${this.column}::text = ${this.value}`;
      case 4:
        return `DELETE FROM t WHERE ${this.column}::text = ${this.value}`;
      case 5: {
        const of = this.random(4) === 0 && this.views.length > 0 ? this.pick(this.views).name : 't';
        return `ALTER TABLE ${of} RENAME COLUMN ${this.column} TO ${this.pick(NAMES)}`;
      }
      case 6:
        return `CREATE VIEW v${this.#made++} AS ${this.query()}`;
      case 7:
        if (this.views.length > 3) return `DROP VIEW ${this.pick(this.views).name} CASCADE`;
        return `ALTER TABLE t ${this.action()}`;
      case 8:
        return `ALTER TABLE t ${this.action()}`;
      default:
        return `ALTER TABLE t ${Array.from({ length: 1 + this.random(3) }, () => this.action()).join(', ')}`;
    }
  }

  /** A view of PostgreSQL's is a materialized one here, as often as not. */
  ours(statement: string): string {
    const made = /^CREATE VIEW/.test(statement) && this.random(2) === 0;
    const dropped = this.views.find(({ name }) => statement.startsWith(`DROP VIEW ${name} `));
    return made || dropped?.materialized === true ? statement.replace('VIEW', 'MATERIALIZED VIEW') : statement;
  }
}

type Failure = { sqlstate?: string; code?: string; message: string };
type Outcome = { rows: string[]; columns: string[] } | { error: string };

async function here(engine: TidemarkEngine, text: string): Promise<Outcome> {
  const session = new Session(engine);
  try {
    const stream = await session.open(text);
    const columns = stream?.columns.map(({ name }) => name) ?? [];
    stream?.rows.close();
    const rows = stream === null ? [] : (await session.run(text)).map((row) => JSON.stringify(row)).sort();
    await session.transaction.commit();
    return { rows, columns };
  } catch (error) {
    session.transaction.rollback();
    const { sqlstate, message } = error as Failure;
    if (sqlstate === undefined) throw error;
    return { error: `${sqlstate} ${message}` };
  }
}

const asText = (value: string | null) => value;
const parsers = Object.fromEntries([20, 21, 23, 25, 1700, 1043].map((oid) => [oid, asText]));

async function there(postgres: PGlite, text: string): Promise<Outcome> {
  try {
    const { rows, fields } = await postgres.query(text, [], { rowMode: 'array', parsers });
    return { rows: rows.map((row) => JSON.stringify(row)).sort(), columns: fields.map(({ name }) => name) };
  } catch (error) {
    const { code, message } = error as Failure;
    return { error: `${code} ${message}` };
  }
}

async function check(pair: Pair, label: string): Promise<void> {
  const table = await there(pair.postgres, 'SELECT * FROM t');
  assert.deepEqual(await here(pair.engine, 'SELECT * FROM t'), table, label);
  pair.columns = 'columns' in table ? table.columns : [];
  const left = pair.engine.catalog.objects().filter(({ kind }) => kind === 'view' || kind === 'materialized_view');
  pair.views = left.map(({ name, kind }) => ({ name, materialized: kind === 'materialized_view' }));
  const { rows } = await pair.postgres.query<{ viewname: string }>(
    "SELECT viewname FROM pg_views WHERE schemaname = 'public'",
  );
  assert.deepEqual(pair.views.map(({ name }) => name).sort(), rows.map((row) => row.viewname).sort(), label);
  for (const { name, sql: text } of left) {
    const wanted = await there(pair.postgres, `SELECT * FROM ${name}`);
    assert.deepEqual(await here(pair.engine, `SELECT * FROM ${name}`), wanted, `${label}: ${name}`);
    assert.deepEqual(await here(pair.engine, queryPart(text).query), wanted, `${label}: ${name} says ${text}`);
  }
}

async function restart(pair: Pair): Promise<void> {
  const how = pair.pick(['log', 'checkpoint', 'layout']);
  if (how !== 'log') await sql(pair.engine, 'CHECKPOINT');
  await pair.engine.close();
  if (how === 'layout') otherLayout(pair.disk);
  pair.engine = await openOn(pair.disk);
}

test('ALTERs of columns beside PostgreSQL', { timeout: 600_000 }, async () => {
  const { random } = seeded('columns');
  for (let round = 0; round < ROUNDS; round++) {
    const pair = new Pair(random);
    pair.engine = await openOn(pair.disk);
    pair.postgres = await PGlite.create();
    const done: string[] = [];
    const run = async (statement: string) => {
      const ours = pair.ours(statement);
      done.push(ours);
      const [actual, expected] = [await here(pair.engine, ours), await there(pair.postgres, statement)];
      const label = done.join(';\n');
      // Of several errors either may find another first.
      const code = (outcome: Outcome) => ('error' in outcome ? outcome.error.slice(0, 5) : null);
      if (statement.startsWith('ALTER') && !statement.includes(', ') && code(actual) !== null)
        assert.deepEqual(actual, expected, label);
      else assert.equal(code(actual), code(expected), label);
      await check(pair, label);
    };
    for (const statement of [
      'CREATE TABLE t (id int PRIMARY KEY, a int, b text, c numeric(6,2) DEFAULT 1, d varchar(4))',
      'CREATE TABLE u (a int, k text)',
      "INSERT INTO u VALUES (1, 'x'), (2, 'y')",
    ])
      await run(statement);
    for (let step = 0; step < STEPS; step++) {
      await run(pair.statement());
      if (random(12) !== 0) continue;
      await restart(pair);
      await check(pair, `${done.join(';\n')}; restart`);
    }
    await pair.engine.close();
    await pair.postgres.close();
  }
});
