/** INSERT whose rows go by columns against the same with RETURNING, which looks at each row: tables, indexes over them, errors. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { times } from '../../operators/testing/property.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { openEngine, Session, seeded, sql } from './harness.ts';
import { outcome, sameRows } from './twin_tables.ts';

const { random, seed } = seeded('inserted columns');
const TABLES = ['keyed', 'numbered', 'twice', 'bag', 'checked', 'child'];
const LOOK_UPS = ['keyed_@ WHERE g = 1', "bag_@ WHERE s = 's3'", 'twice_@ WHERE k = 4'];
const LOOKED = [...[...TABLES, 'sums'].map((table) => `${table}_@`), ...LOOK_UPS];

let engine: TidemarkEngine;

before(async () => {
  engine = await openEngine();
  for (const t of ['a', 'b'])
    await sql(
      engine,
      `CREATE TABLE keyed_${t} (k bigint PRIMARY KEY, g int, v numeric(8,2), s text NOT NULL, x float8);
       CREATE TABLE numbered_${t} (k serial PRIMARY KEY, g int, v numeric, s text, x float8);
       CREATE TABLE twice_${t} (k numeric UNIQUE, g int, v numeric, s text, x float8, UNIQUE (g, s), UNIQUE (x));
       CREATE TABLE bag_${t} (k int, g int, v numeric, s text NOT NULL DEFAULT 'none', x float8);
       CREATE TABLE checked_${t} (k int PRIMARY KEY, g int, v numeric, s text, x float8, CHECK (g < 40));
       CREATE TABLE child_${t} (k int PRIMARY KEY, g bigint REFERENCES keyed_${t}, v numeric, s text, x float8);
       CREATE INDEX ON keyed_${t} (g); CREATE INDEX ON bag_${t} (s);
       CREATE MATERIALIZED VIEW sums_${t} AS SELECT g, count(*), sum(v) AS v, max(s) AS s FROM keyed_${t} GROUP BY g`,
    );
});

const pick = <T>(items: T[]) => items[random(items.length)];

function insert(): string {
  const table = pick(TABLES);
  const n = pick([1, 3, 20, 40]);
  const values = (i: string) => {
    const s = pick([`'s' || ${i}`, `'a text of more than twelve bytes ' || ${i} % 30`, `nullif('s' || ${i}, 's7')`]);
    const x = pick([`${i} / 2.0`, 'NULL', `CASE WHEN ${i} % 5 = 0 THEN -0.0 ELSE sqrt(${i}) END`]);
    return `${pick([`${i} % 50`, `nullif(${i} % 3, 0)`])}, ${pick([`${i} * 1.25`, 'NULL', '1e30'])}, ${s}, ${x}`;
  };
  const k = pick(['i', 'i', 'i * 3', 'i % 11', 'nullif(i, 5)', 'i / 2']);
  const from = random(pick([5, 400]));
  const source = `generate_series(${from}, ${from + n}) i`;
  if (table === 'numbered') return `INSERT INTO numbered_@ (g, v, s, x) SELECT ${values('i')} FROM ${source}`;
  if (random(6) === 0) {
    const other = pick(TABLES);
    return `INSERT INTO ${table}_@ SELECT k + ${random(300)}, g, v, ${pick(['s', "coalesce(s, 'x') || k"])}, x FROM ${other}_@ WHERE k % 5 = ${random(5)}`;
  }
  if (table === 'bag' && random(3) === 0) return `INSERT INTO bag_@ (k, g) SELECT ${k}, i FROM ${source}`;
  return `INSERT INTO ${table}_@ SELECT ${k}, ${values('i')} FROM ${source}`;
}

function statement(): string {
  if (random(4) > 0) return insert();
  const table = pick(TABLES);
  return `DELETE FROM ${table}_@ WHERE ${pick(['k % 2 = 0', 'g IS NULL', 'k > 20', 'true'])}`;
}

test('rows that are inserted by columns are those that are inserted one by one', async () => {
  let refused = 0;
  let taken = 0;
  for (let round = 0; round < times(12); round++) {
    const session = new Session(engine);
    for (let step = 0; step < 8; step++) {
      const text = statement();
      session.transaction.savepoint('s');
      const [a, b] = [
        await outcome(session, text.replaceAll('@', 'a')),
        await outcome(session, `${text.replaceAll('@', 'b')} RETURNING *`),
      ];
      const label = `round ${round}, step ${step}, seed ${seed}: ${text}`;
      assert.equal(a, b, label);
      if (a === 'done') taken++;
      else {
        refused++;
        session.transaction.rollbackTo('s');
      }
      await sameRows((query) => session.run(query), LOOKED, label);
    }
    if (random(4) === 0) session.transaction.rollback();
    else await session.transaction.commit();
    await sameRows((query) => sql(engine, query), LOOKED, `round ${round}, seed ${seed}`);
  }
  assert.ok(refused > 10 && taken > 10, `${refused} refused, ${taken} taken, seed ${seed}`);
});

test('rows without a key are not compared with all others that have none', async () => {
  await sql(engine, 'CREATE TABLE unnamed (id int PRIMARY KEY, name text UNIQUE, v int)');
  budget.limit = pages.usedBytes + budget.outsideBytes + (48 << 20);
  try {
    const rows = (from: number) =>
      `SELECT i, CASE WHEN i % 100 = 0 THEN 'n' || i END, 1 FROM generate_series(${from}, ${from + 2999}) i`;
    for (const from of [0, 3000]) await sql(engine, `INSERT INTO unnamed ${rows(from)}`);
    await sql(engine, `INSERT INTO unnamed ${rows(6000)} ON CONFLICT DO NOTHING`);
    await sql(engine, `INSERT INTO unnamed ${rows(5900)} ON CONFLICT (id) DO UPDATE SET v = 2`);
    await assert.rejects(
      sql(engine, "INSERT INTO unnamed SELECT 9500 + i, CASE i WHEN 1 THEN 'n100' END FROM generate_series(0, 2) i"),
      {
        sqlstate: '23505',
      },
    );
    await assert.rejects(
      sql(engine, "INSERT INTO unnamed SELECT 9500 + i, nullif('new', 'new' || i % 2) FROM generate_series(0, 4) i"),
      {
        sqlstate: '23505',
      },
    );
  } finally {
    budget.limit = Number.POSITIVE_INFINITY;
  }
  assert.deepEqual(await sql(engine, 'SELECT count(*), count(name), sum(v) FROM unnamed'), [['9000', '90', '12000']]);
});

test('a statement that is run with other parameters each time inserts what the same with literals does', async () => {
  await sql(
    engine,
    `CREATE TABLE given (k int PRIMARY KEY, g int DEFAULT 7, s text, id serial, twice int GENERATED ALWAYS AS (g * 2) STORED, CHECK (g < 40));
     CREATE TABLE meant (LIKE given INCLUDING ALL)`,
  );
  const session = localSession(engine);
  const ways = [
    'INSERT INTO @ (k, g, s) VALUES ($1::int, $2::int, $3::text)',
    "INSERT INTO @ (k, g, s) VALUES ($1::int, $2::int + 1, upper($3::text) || '!')",
    'INSERT INTO @ (k, s) VALUES ($1::int, $3::text), ($1::int + 1, coalesce($3::text, $2::int::text))',
    'INSERT INTO @ (k, g, s) VALUES ($1::int, $2::int, $3::text) RETURNING k, s, twice',
    'INSERT INTO @ (k, g, s) VALUES ($1::int, $2::int, $3::text) ON CONFLICT (k) DO UPDATE SET g = $2::int + 2',
  ];
  for (const way of ways) {
    const prepared = engine.prepare(parse(way.replace('@', 'given'))[0], [], session);
    for (const [g, s] of [
      [1, 'a'],
      [null, null],
      [39, 'a text of more than twelve bytes'],
      [41, 'b'],
    ] as const) {
      const k = random(100);
      const outcomeOf = async (run: (into: Session) => Promise<unknown>) => {
        const into = new Session(engine);
        try {
          const rows = await run(into);
          await into.transaction.commit();
          return rows;
        } catch (error) {
          into.transaction.rollback();
          return (error as Error).message.replace(/given|meant/g, '@');
        }
      };
      const literal = [k, g, s].map((v) => (v === null ? 'NULL' : typeof v === 'number' ? String(v) : `'${v}'`));
      const message = `seed ${seed}: ${way} with ${literal}`;
      const given = await outcomeOf((into) => into.runWith(prepared, [k, g, s]));
      const meant = await outcomeOf((into) =>
        into.run(way.replace('@', 'meant').replace(/\$(\d)/g, (_, n) => literal[n - 1])),
      );
      assert.deepEqual(given, meant, message);
      const rows = (table: string) => sql(engine, `SELECT k, g, s, twice FROM ${table} ORDER BY k`);
      assert.deepEqual(await rows('given'), await rows('meant'), message);
    }
  }
});
