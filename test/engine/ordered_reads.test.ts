/**
 * Ranges of keys, first rows in an order, least and greatest values: by the order of an index (src/runtime/ordered_reads.ts) they are what a scan gives. Table t has indexes, u has
 * none; both get the same changes. Replay with SEED.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { drain, openEngine, Session, seeded, sql } from './harness.ts';

const { random, seed } = seeded('ordered reads');

const pick = <T>(all: T[]): T => all[random(all.length)];

/** Values of each type as SQL literals, some equal though they look different. */
const VALUES: Record<string, () => string> = {
  int2: () => `${random(40) - 20}`,
  int4: () => pick([`${random(60) - 30}`, '2147483647', '-2147483648']),
  int8: () => pick([`${random(60) - 30}`, '9223372036854775807', '-9223372036854775808']),
  float4: () =>
    `'${pick(['NaN', '-0', '0', 'Infinity', '-Infinity', `${random(20) / 4}`, `${-random(20) / 4}`])}'::float4`,
  float8: () => `'${pick(['NaN', '-0', '0', 'Infinity', '-Infinity', `${random(20) / 3}`, `${-random(20)}`])}'::float8`,
  numeric: () =>
    pick(['1.0', '1.00', `${random(50) - 25}.${random(100)}`, "'NaN'", '123456789012345678901234567890.5', '-1e30']),
  text: () => `'${pick(['', 'a', 'A', 'ä', 'a long text of more than twelve bytes ', 'b '])}${random(9)}'`,
  'varchar(40)': () => `'${pick(['', 'a', 'zz', 'a long text of more than twelve bytes '])}${random(30)}'`,
  'char(6)': () => `'${pick(['a', 'a ', 'b', ''])}${pick(['', ' ', 'x'])}'`,
  date: () => `'2026-01-01'::date + ${random(50)}`,
  timestamptz: () =>
    pick([`'2026-01-01 00:00+00'::timestamptz + ${random(50)} * interval '1 hour'`, "'infinity'::timestamptz"]),
  interval: () => pick(["interval '1 mon'", "interval '30 days'", `${random(60)} * interval '1 day'`]),
  time: () => `'00:00'::time + ${random(50)} * interval '20 min'`,
  'int4[]': () => `ARRAY[${random(4)}, ${random(4)}]`,
  uuid: () => `'0000000${random(10)}-0000-0000-0000-00000000000${random(10)}'::uuid`,
  bool: () => pick(['true', 'false']),
  bytea: () => `'\\x${pick(['', '00', 'ff', '0001'])}${10 + random(80)}'::bytea`,
};

const OPS = ['<', '<=', '>', '>=', '='];

class Tables {
  readonly engine: TidemarkEngine;
  readonly types: [string, string];
  #next = 0;

  constructor(engine: TidemarkEngine, types: [string, string]) {
    this.engine = engine;
    this.types = types;
  }

  async create(): Promise<void> {
    const [a, b] = this.types;
    for (const name of ['t', 'u']) await sql(this.engine, `CREATE TABLE ${name} (id int, a ${a}, b ${b}, c int)`);
    await sql(
      this.engine,
      'ALTER TABLE t ADD PRIMARY KEY (id); CREATE INDEX ON t (a); CREATE INDEX ON t (a, b); CREATE INDEX ON t (b, id)',
    );
  }

  value(column: 0 | 1): string {
    return random(12) === 0 ? 'NULL' : VALUES[this.types[column]]();
  }

  limitValue(column: 0 | 1): string {
    return random(30) === 0 ? 'NULL' : VALUES[this.types[column]]();
  }

  /** Of both tables, `@`. */
  change(): string {
    const key = random(this.#next + 1);
    switch (random(this.#next < 60 ? 1 : 5)) {
      case 0:
      case 1: {
        const rows = Array.from(
          { length: 1 + random(30) },
          () => `(${this.#next++}, ${this.value(0)}, ${this.value(1)}, ${random(5)})`,
        );
        return `INSERT INTO @ VALUES ${rows.join(', ')}`;
      }
      case 2:
        return `DELETE FROM @ WHERE id BETWEEN ${key} AND ${key + random(20)}`;
      case 3:
        return `UPDATE @ SET a = ${this.value(0)}, b = ${this.value(1)} WHERE id % 7 = ${random(7)} AND id > ${key}`;
      default:
        return `UPDATE @ SET c = c + 1 WHERE id < ${key}`;
    }
  }

  limit(): string {
    const column = random(3);
    if (column === 2) return `id ${pick(OPS)} ${random(this.#next + 1)}`;
    const name = 'ab'[column];
    switch (random(6)) {
      case 0:
        return `${name} BETWEEN ${this.limitValue(column as 0 | 1)} AND ${this.limitValue(column as 0 | 1)}`;
      case 1:
        return `${this.limitValue(column as 0 | 1)} ${pick(OPS)} ${name}`;
      case 2:
        return `(a, b) ${pick(OPS)} (${this.limitValue(0)}, ${this.limitValue(1)})`;
      case 3:
        return `(b, id) ${pick(OPS)} (${this.limitValue(1)}, ${random(this.#next + 1)})`;
      default:
        return `${name} ${pick(OPS)} ${this.limitValue(column as 0 | 1)}`;
    }
  }

  /** A column that has a least value. */
  #extreme(): string {
    return pick(['id', ...['a', 'b'].filter((_, i) => !['uuid', 'bool', 'bytea', 'int4[]'].includes(this.types[i]))]);
  }

  /** Over both tables; whether the order of its rows is said. */
  query(): { text: string; ordered: boolean } {
    const limits = Array.from({ length: random(4) }, () => this.limit());
    if (random(4) === 0) limits.push(pick(['c = 2', 'c < 3', 'id % 5 = 1']));
    const where = limits.length === 0 ? '' : ` WHERE ${limits.join(' AND ')}`;
    const way = () => pick(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST']);
    switch (random(5)) {
      case 0:
        return {
          text: `SELECT min(${this.#extreme()}), max(${this.#extreme()}) FROM @${where}`,
          ordered: true,
        };
      case 1:
      case 2: {
        const one = way();
        const order = pick(['a', 'b', 'id', 'a@, b@', 'a, b, id', 'b@, id@', 'b, c', 'a@, c']).replaceAll('@', one);
        const order2 = one !== '' || random(3) > 0 ? order : order + way();
        const limit = pick([
          `LIMIT ${random(30)}`,
          `OFFSET ${random(9)} LIMIT 5`,
          `FETCH FIRST ${1 + random(5)} ROWS WITH TIES`,
        ]);
        const shown = pick(['*', 'id, a, b, c, c + 1', 'a, b, id']);
        return { text: `SELECT ${shown} FROM @${where} ORDER BY ${order2} ${limit}`, ordered: true };
      }
      case 3:
        return { text: `SELECT count(*), sum(id) FROM @${where}`, ordered: true };
      default:
        return { text: `SELECT * FROM @${where}`, ordered: false };
    }
  }
}

async function same(run: (text: string) => Promise<(string | null)[][]>, tables: Tables, label: string): Promise<void> {
  const { text, ordered } = tables.query();
  const [t, u] = [await run(text.replaceAll('@', 't')), await run(text.replaceAll('@', 'u'))];
  const canon = (value: string | null) => (value === null ? null : canonical(value));
  const rows = (all: (string | null)[][]) => {
    const shown = all.map((row) => JSON.stringify(row.map(canon)));
    return ordered ? shown : shown.sort();
  };
  assert.deepEqual(rows(t), rows(u), `${text} ${label}`);
}

/** The same for equal values: which of them min() shows is not said. */
function canonical(value: string): string {
  if (/^-?[0-9]+\.[0-9]+$/.test(value)) return value.replace(/0+$/, '').replace(/\.$/, '');
  return value === '-0' ? '0' : value === '1 mon' ? '30 days' : value.trimEnd();
}

/** Whether EXPLAIN says that the only source is read by an order. */
async function isByOrder(engine: TidemarkEngine, query: string): Promise<boolean> {
  return (await sql(engine, `EXPLAIN ${query}`)).some(
    ([line]) => line?.includes('by the order of') && !line.includes('scanned'),
  );
}

test('reads by the order of keys give what a scan gives, whatever the types, while rows change', async () => {
  const types = Object.keys(VALUES);
  let used = 0;
  while (types.length > 0) {
    const engine = await openEngine();
    const [type] = types.splice(random(types.length), 1);
    const [other = 'int4'] = types.splice(random(types.length), 1);
    const tables = new Tables(engine, [type, other]);
    await tables.create();
    const session = new Session(engine);
    for (let step = 0; step < 8; step++) {
      const label = `(seed ${seed}, ${tables.types}, step ${step})`;
      if (step < 4 || random(2) === 0) {
        const change = tables.change();
        for (const name of ['t', 'u']) await sql(engine, change.replaceAll('@', name));
      }
      for (let i = 0; i < 3; i++) await same((text) => sql(engine, text), tables, label);
      if (await isByOrder(engine, tables.query().text.replaceAll('@', 't'))) used++;
    }
    session.transaction.rollback();
  }
  assert.ok(used > 10, `orders were read (${used} times)`);
});

test('within a transaction: its own changes, and none of others since its first read', async () => {
  const engine = await openEngine();
  for (let round = 0; round < 4; round++) {
    await sql(engine, 'DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS u');
    const tables = new Tables(engine, [pick(['int4', 'text', 'numeric']), pick(['int4', 'float8'])]);
    await tables.create();
    const both = async (run: (text: string) => Promise<unknown>) => {
      const change = tables.change();
      for (const name of ['t', 'u']) await run(change.replaceAll('@', name));
    };
    for (let i = 0; i < 10; i++) await both((text) => sql(engine, text));
    for (let i = 0; i < 6; i++) await same((text) => sql(engine, text), tables, 'before');
    const session = new Session(engine);
    const run = (text: string) => session.run(text);
    await run('SELECT count(*) FROM t');
    for (let step = 0; step < 20; step++) {
      const label = `(seed ${seed}, round ${round}, step ${step})`;
      const which = random(5);
      if (which === 0) await both((text) => sql(engine, text));
      else if (which === 1 && round % 2 === 0) await both(run);
      await same(run, tables, label);
    }
    session.transaction.rollback();
    for (let i = 0; i < 6; i++) await same((text) => sql(engine, text), tables, 'after');
  }
});

test('of a view, by its key and by an index', async () => {
  const engine = await openEngine();
  const tables = new Tables(engine, ['int4', 'text']);
  await tables.create();
  const query = 'SELECT a, b, count(*) AS n, max(id) AS last FROM u GROUP BY a, b';
  await sql(engine, `CREATE MATERIALIZED VIEW v AS ${query}; CREATE INDEX ON v (n)`);
  const queries = [
    'SELECT * FROM @ WHERE a > 3 AND a < 12',
    'SELECT * FROM @ WHERE n > 1 ORDER BY a, b LIMIT 7',
    'SELECT max(a), min(n), max(n) FROM @',
    "SELECT * FROM @ WHERE (a, b) > (5, 'b') ORDER BY a, b LIMIT 4",
    'SELECT * FROM @ ORDER BY n DESC, a, b LIMIT 3',
  ];
  for (let step = 0; step < 15; step++) {
    await sql(engine, tables.change().replaceAll('@', 'u'));
    for (const text of queries) {
      const [view, own] = [
        await sql(engine, text.replace('@', 'v')),
        await sql(engine, text.replace('@', `(${query}) x`)),
      ];
      assert.deepEqual(view.map(String).sort(), own.map(String).sort(), `${text} (seed ${seed}, step ${step})`);
    }
  }
  assert.ok(await isByOrder(engine, "SELECT * FROM v WHERE a = 7 AND b > 'a'"));
});

test('a cursor and a long read keep their tick while rows of the range change', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, 0 FROM generate_series(1, 4000) i',
  );
  const text = 'SELECT id, v FROM t WHERE id > 3000 AND id <= 3900';
  for (let i = 0; i < 3; i++) await sql(engine, text);
  assert.ok(await isByOrder(engine, text));
  const session = new Session(engine);
  const stream = await session.open(text);
  await sql(engine, 'UPDATE t SET v = 1; DELETE FROM t WHERE id > 3500; INSERT INTO t VALUES (5000, 2)');
  const rows = stream === null ? [] : await drain(stream);
  stream?.rows.close();
  session.transaction.rollback();
  assert.equal(rows.length, 900);
  assert.ok(rows.every(([, v]) => v === '0'));
  assert.deepEqual(await sql(engine, 'SELECT max(id), min(v) FROM t'), [['5000', '1']]);
});

test('an order goes when keys come and nobody asks, and is made again', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (id int PRIMARY KEY, v int DEFAULT 0); INSERT INTO t SELECT generate_series(1, 2000)',
  );
  const text = 'SELECT count(*) FROM t WHERE id BETWEEN 100 AND 120';
  assert.equal(await isByOrder(engine, text), false);
  for (let i = 0; i < 3; i++) assert.deepEqual(await sql(engine, text), [['21']]);
  assert.ok(await isByOrder(engine, text));
  await sql(engine, 'INSERT INTO t SELECT generate_series(2001, 30000)');
  assert.equal(await isByOrder(engine, text), false);
  for (let i = 0; i < 3; i++) assert.deepEqual(await sql(engine, text), [['21']]);
  assert.ok(await isByOrder(engine, text));
  for (let i = 0; i < 16; i++) await sql(engine, 'UPDATE t SET v = v + 1');
  assert.equal(await isByOrder(engine, text), false);
  for (let i = 0; i < 3; i++) assert.deepEqual(await sql(engine, text), [['21']]);
  assert.ok(await isByOrder(engine, text));
  // Keys that are gone are not carried along for ever.
  await sql(engine, 'DELETE FROM t WHERE id > 500');
  assert.deepEqual(await sql(engine, 'SELECT max(id) FROM t'), [['500']]);
  for (let i = 0; i < 3; i++) assert.deepEqual(await sql(engine, text), [['21']]);
});

test('an order goes when memory is short', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 2000)');
  const text = 'SELECT count(*) FROM t WHERE id BETWEEN 100 AND 120';
  for (let i = 0; i < 3; i++) await sql(engine, text);
  assert.ok(await isByOrder(engine, text));
  const { limit } = budget;
  try {
    budget.limit = (pages.usedBytes / 0.8) | 0;
    engine.chilling.makeRoom();
  } finally {
    budget.limit = limit;
  }
  assert.equal(await isByOrder(engine, text), false);
  assert.deepEqual(await sql(engine, text), [['21']]);
});

test('a table that is dropped while an order of its keys is made', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 30000)');
  const text = 'SELECT count(*) FROM t WHERE id BETWEEN 100 AND 120';
  await sql(engine, text);
  const read = sql(engine, text);
  await Promise.all([
    assert.rejects(read, { sqlstate: '40001', message: /a relation was dropped meanwhile/ }),
    sql(engine, 'DROP TABLE t'),
  ]);
});
