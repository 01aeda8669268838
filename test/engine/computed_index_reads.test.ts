/**
 * Look-ups by indexes over expressions, and over a part of the rows, give what a scan gives: table t has such indexes, u has none, and so have a view over each; all get the same changes. Conditions
 * are made at random, of parts that indexes have and of others: an index that is used where the condition does not imply its own would miss rows. Replay with SEED.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, seeded, sql } from './harness.ts';

const { random, seed } = seeded('look-ups by computed indexes');
const pick = <T>(all: T[]): T => all[random(all.length)];
const maybe = (value: () => string) => () => (random(5) === 0 ? 'NULL' : value());

/** Column, its type, a literal of it. */
const COLUMNS: [string, string, () => string][] = [
  ['a', 'int', maybe(() => String(random(12) - 4))],
  ['b', 'bigint', maybe(() => String(random(8)))],
  ['s', 'text', maybe(() => pick(["'open'", "'Open'", "'done'", "'a text of more than twelve bytes'", "''"]))],
  ['v', 'varchar(40)', maybe(() => pick(["'x'", "'X'", "'y '", "'a varchar of more than twelve bytes'"]))],
  ['n', 'numeric', maybe(() => pick(['1.0', '1.00', '2.5', "'NaN'", '-3']))],
  ['f', 'float8', maybe(() => pick(["'NaN'", "'-0'", '0', '1.5', '-2']))],
  ['d', 'date', maybe(() => `date '2026-01-01' + ${random(6)}`)],
  ['p', 'bool', maybe(() => pick(['true', 'false']))],
  ['j', 'jsonb', maybe(() => pick([`'{"c": "x"}'`, `'{"c": null}'`, `'{"c": "y", "n": 3}'`, `'[1]'`]))],
  ['c', 'char(4)', maybe(() => pick(["'a'", "'a '", "'b'"]))],
];
const NAMES = COLUMNS.map(([name]) => name);
const literal = (name: string) => (COLUMNS.find(([own]) => own === name) as (typeof COLUMNS)[0])[2]();

/** Keys of indexes, and what they may be compared with. */
const KEYS: [string, () => string][] = [
  ['lower(s)', () => pick(["'open'", "lower('OPEN')", "'done'", 'NULL', "'x'::varchar"])],
  ['lower(v)', () => pick(["'x'", "'y '", "'a varchar of more than twelve bytes'"])],
  ['(a + 1)', () => pick(['3', '2', '4::bigint', '3.0', 'NULL::int'])],
  ['(a + b)', () => pick(['3', '7::smallint', '2'])],
  ['(n * 2)', () => pick(['2', '2.00', "'NaN'::numeric", '5'])],
  ['(f + 0)', () => pick(['0', "'-0'::float8", "'NaN'::float8", '1.5'])],
  ["(j ->> 'c')", () => pick(["'x'", "'y'"])],
  ['coalesce(a, -1)', () => pick(['-1', '2'])],
  ['(s IS NULL)', () => pick(['true', 'false'])],
  ['abs(a)', () => pick(['1', '2'])],
  ...NAMES.map((name): [string, () => string] => [name, () => (name === 'j' ? `'[1]'::jsonb` : literal(name))]),
];

/** A condition of one part. */
function simple(): string {
  const name = pick(NAMES.filter((own) => own !== 'j'));
  switch (random(9)) {
    case 0:
      return `${name} IS NULL`;
    case 1:
      return `${pick([...NAMES, "j ->> 'c'", 'lower(s)'])} IS NOT NULL`;
    case 2:
      return name === 'p' ? pick(['p', 'NOT p', 'p = true', 'p IS TRUE']) : `${name} = ${literal(name)}`;
    case 3:
      return `${pick(['a', 'b', 'd'])} ${pick(['<', '>', '<=', '>=', '<>'])} ${literal('a')}`.replace(
        /^d (\S+) .*/,
        `d $1 '2026-01-03'`,
      );
    case 4:
      return `s ${pick(['=', '<>', 'IN', 'NOT IN'])} ('open')`;
    case 5:
      return `s IN ('open', 'done')`;
    case 6:
      return `${literal('a')} ${pick(['<', '>', '='])} a`;
    case 7:
      return `a ${pick(['>', '<='])} ${random(6)}`;
    default:
      return `lower(s) = ${pick(["'open'", "'done'"])}`;
  }
}

function condition(depth = 2): string {
  if (depth === 0 || random(3) > 0) return simple();
  const parts = Array.from({ length: 2 + random(2) }, () => condition(depth - 1));
  const joined = `(${parts.join(random(3) === 0 ? ' OR ' : ' AND ')})`;
  return random(8) === 0 ? `NOT ${joined}` : joined;
}

interface Index {
  keys: [string, () => string][];
  where: string | null;
}

class Twins {
  readonly engine: TidemarkEngine;
  readonly #indexes: Index[] = [];
  #next = 0;
  lookups = 0;

  constructor(engine: TidemarkEngine) {
    this.engine = engine;
  }

  async create(): Promise<void> {
    for (const name of ['t', 'u']) {
      await sql(
        this.engine,
        `CREATE TABLE ${name} (id int PRIMARY KEY, ${COLUMNS.map(([c, type]) => `${c} ${type}`).join(', ')})`,
      );
      await sql(this.engine, `CREATE MATERIALIZED VIEW ${name}_view AS SELECT * FROM ${name} WHERE id % 3 <> 0`);
    }
  }

  async index(): Promise<void> {
    const keys = Array.from({ length: 1 + random(2) }, () => pick(KEYS));
    const where = random(3) === 0 ? null : condition(1);
    this.#indexes.push({ keys, where });
    const on = random(3) === 0 ? 't_view' : 't';
    await sql(
      this.engine,
      `CREATE INDEX ON ${on} (${keys.map(([key]) => key).join(', ')})${where === null ? '' : ` WHERE ${where}`}`,
    );
  }

  change(): string {
    const set = pick(NAMES);
    switch (random(4)) {
      case 0:
      case 1: {
        const row = () => `(${this.#next++}, ${NAMES.map(literal).join(', ')})`;
        return `INSERT INTO @ VALUES ${Array.from({ length: 1 + random(random(9) === 0 ? 40 : 4) }, row).join(', ')}`;
      }
      case 2:
        return `UPDATE @ SET ${set} = ${literal(set)} WHERE id % 7 = ${random(7)}`;
      default:
        return `DELETE FROM @ WHERE id % 11 = ${random(11)}`;
    }
  }

  async both(run: (text: string) => Promise<unknown>, text: string): Promise<void> {
    for (const name of ['t', 'u']) await run(text.replace('@', name));
  }

  /** A condition that some index may be used for. */
  #where(): string {
    const { keys, where } = pick(this.#indexes);
    // Without values of keys all rows of an index may do.
    const compared = random(3) === 0 ? [] : keys;
    const parts = compared.map(([key, value]) => (random(6) === 0 ? `${value()} = ${key}` : `${key} = ${value()}`));
    if (where !== null && (parts.length === 0 || random(3) > 0)) parts.push(random(2) === 0 ? where : condition(1));
    if (parts.length === 0 || random(2) === 0) parts.push(condition(1));
    return parts.sort(() => random(3) - 1).join(' AND ');
  }

  async compare(run: (text: string) => Promise<(string | null)[][]>, what: string): Promise<void> {
    for (let i = 0; i < 6; i++) {
      const where = this.#where();
      for (const view of ['', '_view']) {
        const query = (name: string) => `SELECT * FROM ${name}${view} WHERE ${where} ORDER BY id`;
        const plan = (await run(`EXPLAIN ${query('t')}`)).join('\n');
        if (plan.includes('_idx')) this.lookups++;
        assert.deepEqual(await run(query('t')), await run(query('u')), `${what}: ${query('t')}\n${plan}`);
      }
    }
  }
}

async function run(rounds: number): Promise<number> {
  const engine = await openEngine();
  const twins = new Twins(engine);
  await twins.create();
  const alone = (text: string) => sql(engine, text);
  for (let round = 0; round < rounds; round++) {
    await twins.index();
    if (round % 2 === 0) await twins.index();
    for (let i = 0; i < 4; i++) await twins.both(alone, twins.change());
    const session = new Session(engine);
    const own = (text: string) => session.run(text);
    await own('SELECT count(*) FROM t');
    await own('SELECT count(*) FROM u');
    for (let i = 0; i < 3; i++) {
      session.transaction.savepoint('s');
      await twins.both(own, twins.change());
      await twins.both(alone, twins.change());
      await twins.compare(own, `seed ${seed}, own, round ${round}`);
      if (random(3) === 0) session.transaction.rollbackTo('s');
      await twins.compare(alone, `seed ${seed}, round ${round}`);
    }
    await twins.compare(own, `seed ${seed}, own, end of round ${round}`);
    session.transaction.rollback();
  }
  await engine.close();
  return twins.lookups;
}

test('random conditions, transactions and savepoints', async () => {
  // What all engines share is there after the first.
  await run(1);
  const before = pages.usedBytes;
  const lookups = await run(9);
  assert.ok(lookups > 50, `${lookups} look-ups only`);
  // A page or two are given back late; an index that stays has more.
  assert.ok(pages.usedBytes - before < 1 << 18, `${pages.usedBytes - before} bytes stay`);
});

test('of an index over few of the rows all are read, those of a join among them', async () => {
  const engine = await openEngine();
  for (const name of ['t', 'u']) {
    await sql(engine, `CREATE TABLE ${name} (id int PRIMARY KEY, status text, owner int)`);
    await sql(
      engine,
      `INSERT INTO ${name} SELECT i, CASE WHEN i % 50 = 0 THEN 'open' ELSE 'done' END, i % 9 FROM generate_series(1, 3000) i`,
    );
  }
  await sql(
    engine,
    "CREATE INDEX few ON t (owner) WHERE status = 'open'; CREATE TABLE o (id int PRIMARY KEY); INSERT INTO o SELECT generate_series(0, 2000)",
  );
  const queries = [
    "SELECT * FROM @ WHERE status = 'open' ORDER BY owner, id LIMIT 3",
    "SELECT count(*), sum(id) FROM @ WHERE status = 'open' AND owner > 3",
    "SELECT @.id, o.id FROM @ JOIN o ON o.id = @.owner WHERE status = 'open' ORDER BY 1",
    "SELECT count(*) FROM @ a LEFT JOIN @ b ON a.id = b.id + 1 AND b.status = 'open' WHERE a.status <> 'open'",
    "SELECT count(*) FROM @ WHERE status = 'done'",
  ];
  const session = new Session(engine);
  const own = (text: string) => session.run(text);
  const alone = (text: string) => sql(engine, text);
  const same = async (run: typeof own) => {
    for (const query of queries) {
      const [t, u] = [await run(query.replaceAll('@', 't')), await run(query.replaceAll('@', 'u'))];
      assert.deepEqual(t, u, query);
    }
  };
  const plan = (await alone(`EXPLAIN ${queries[0].replaceAll('@', 't')}`)).join('\n');
  assert.match(plan, /Source t .* · all rows of index few, where these are few/);
  await same(alone);
  await same(own);
  for (const name of ['t', 'u']) {
    await own(`INSERT INTO ${name} VALUES (10000, 'open', 3), (10001, 'done', 3)`);
    await own(`UPDATE ${name} SET status = 'open', owner = 7 WHERE id < 10`);
    await alone(`UPDATE ${name} SET status = 'done' WHERE status = 'open' AND id < 500`);
    await alone(`DELETE FROM ${name} WHERE id = 1000; INSERT INTO ${name} VALUES (10002, 'open', 5)`);
  }
  await same(own);
  await same(alone);
  session.transaction.rollback();
  // Another form of the rows, and an index that has gone.
  await alone(
    "ALTER TABLE t ADD COLUMN more int; ALTER TABLE u ADD COLUMN more int; UPDATE t SET more = 1 WHERE status = 'open'; UPDATE u SET more = 1 WHERE status = 'open'",
  );
  await same(alone);
  await alone('DROP INDEX few');
  await same(alone);
  await engine.close();
});

/** Condition of an index over (id), condition of a query beside id = 1, whether the first is implied. */
const IMPLIED: [string, string, boolean][] = [
  ["s = 'open'", "s = 'open'", true],
  ["s = 'open'", "'open' = s", true],
  ["s = 'open'", "s = 'open' AND a > 3", true],
  ["s = 'open'", "s = 'Open'", false],
  ["s = 'open'", 's IS NOT NULL', false],
  ["s = 'open'", "s = 'open' OR a > 3", false],
  ["s IN ('open', 'new')", "s = 'open'", true],
  ["s IN ('open', 'new')", "s IN ('new', 'open')", true],
  ["s IN ('open', 'new')", "s IN ('new', 'old')", false],
  ["s IN ('open', 'new')", "s = 'new' OR s = 'open'", true],
  ["s <> 'gone'", "s = 'open'", true],
  ["s <> 'gone'", "s <> 'gone'", true],
  ["NOT (s = 'gone')", "s <> 'gone'", true],
  ["v = 'x'", "v = 'x'", true],
  ["v IN ('x', 'y')", "v = 'x'", true],
  ['a IS NULL', 'a IS NULL', true],
  ['a IS NULL', 'a = 1', false],
  ['a IS NOT NULL', 'a = 1', true],
  ['a IS NOT NULL', 'a < 1', true],
  ['a IS NOT NULL', 'a + 1 > 5', true],
  ['a IS NOT NULL', 'a IN (1, 2)', true],
  ['a IS NOT NULL', 'coalesce(a, 5) > 1', false],
  ['a IS NOT NULL', 'b = 1', false],
  ['a IS NOT NULL', 'a = b', true],
  ['a IS NOT NULL', 'a = 1 OR b = 2', false],
  ['a IS NOT NULL', 'a = 1 OR a > b', true],
  ['id IS NOT NULL', 'b = 2', true],
  ['a > 5', 'a > 7', true],
  ['a > 5', 'a >= 6', true],
  ['a > 5', 'a >= 5', false],
  ['a > 5', '7 < a', true],
  ['a > 5', 'a = 6', true],
  ['a > 5', 'a <> 6', false],
  ['a <> 6', 'a > 7', false],
  ['a < 5', 'a > 3', false],
  ['a > 5', 'a BETWEEN 6 AND 9', true],
  ['a > 5 AND b > 0', 'a > 5', false],
  ['a > 5 AND b > 0', 'b > 1 AND a > 6', true],
  ['a > 5 OR b > 0', 'b > 1', true],
  ['p', 'p', true],
  ['p', 'p = true', true],
  ['NOT p', 'NOT p', true],
  ['NOT p', 'p', false],
  ['n = 1.0', 'n = 1.0', true],
  ["n::text = '1.0'", 'n = 1.00', false],
  ['f <> 0', 'f = 1.5', false],
  ["(j ->> 'c') IS NOT NULL", "j ->> 'c' = 'x'", true],
  ["lower(s) = 'open'", "s = 'OPEN'", true],
];

test('which conditions imply which', async () => {
  const engine = await openEngine();
  await sql(engine, `CREATE TABLE t (id int NOT NULL, ${COLUMNS.map(([c, type]) => `${c} ${type}`).join(', ')})`);
  for (const [where, given, isImplied] of IMPLIED) {
    await sql(engine, `CREATE INDEX one ON t (id) WHERE ${where}`);
    const plan = (await sql(engine, `EXPLAIN SELECT * FROM t WHERE id = 1 AND (${given})`)).join();
    assert.equal(plan.includes('lookup one (1)'), isImplied, `${given} implies ${where}: ${plan}`);
    await sql(engine, 'DROP INDEX one');
  }
  await engine.close();
});

test('parameters are looked at when the statement runs', async () => {
  const engine = await openEngine();
  for (const name of ['t', 'u']) {
    await sql(engine, `CREATE TABLE ${name} (id int, kind int, s varchar(20))`);
    await sql(engine, `INSERT INTO ${name} SELECT i % 7, i % 3, chr(97 + i % 5) FROM generate_series(1, 100) i`);
  }
  await sql(engine, `CREATE INDEX k ON t (id) WHERE kind > 1; CREATE INDEX s ON t ((id + 1)) WHERE s IN ('a', 'b')`);
  const session = new Session(engine);
  for (const where of [
    'id = $1 AND kind = $2',
    'id + 1 = $1 AND s = $3',
    'id + 1 = $1 AND $3 = s AND kind < $2',
    'kind = $2 AND $2 = id',
  ]) {
    for (const verb of ['SELECT *', 'SELECT count(*)']) {
      const [t, u] = ['t', 'u'].map((name) =>
        session.prepare(`${verb} FROM ${name} WHERE ${where} AND ($1 + $2 > 0 OR $3 <> 'q')`),
      );
      for (let i = 0; i < 30; i++) {
        const params = [random(8), random(3), pick(['a', 'b', 'c', null])];
        const rows = await Promise.all([t, u].map((prepared) => session.runWith(prepared, params)));
        assert.deepEqual(rows[0].map(String).sort(), rows[1].map(String).sort(), `seed ${seed}: ${where}, ${params}`);
      }
    }
  }
  await engine.close();
});
