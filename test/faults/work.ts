/**
 * Work that can be checked after any crash: step i is a function of the seed and i, and writes its number in its own transaction. So the rows of `done`
 * say which state the tables must have, whatever happened in between; views are compared with their queries, computed from scratch.
 */
import assert from 'node:assert/strict';
import { Random } from '../../operators/testing/property.ts';

export type Ask = (text: string) => Promise<(string | null)[][]>;

export const TABLES = `
  CREATE TABLE items (k int PRIMARY KEY, g int, v int, s text);
  CREATE TABLE done (i int PRIMARY KEY);
  CREATE STREAM clicks (at timestamp, k int, WATERMARK FOR at AS at - INTERVAL '5 seconds');`;

/** Of several operators each. */
export const VIEWS: Record<string, string> = {
  groups: 'SELECT g, count(*) AS n, sum(v) AS total, min(s) AS least, max(s) AS most FROM items GROUP BY g',
  pairs: 'SELECT a.k, b.k AS other FROM items a JOIN items b ON a.g = b.g AND a.v < b.v - 80',
  best: 'SELECT k, v FROM (SELECT k, v, row_number() OVER (PARTITION BY g ORDER BY v DESC, k) AS r FROM items) x WHERE r <= 2',
  lonely: 'SELECT k FROM items i WHERE NOT EXISTS (SELECT FROM clicks c WHERE c.k = i.k)',
  windows:
    "SELECT window_start, count(*) AS n, sum(k) AS s FROM TUMBLE(clicks, at, INTERVAL '10 seconds') GROUP BY window_start",
};

export const SETUP = `${TABLES}\n${Object.entries(VIEWS)
  .map(([name, query]) => `CREATE MATERIALIZED VIEW ${name} AS ${query};`)
  .join('\n')}`;

interface Item {
  g: number;
  v: number;
  s: string | null;
}

interface Model {
  items: Map<number, Item>;
  clicks: string[];
  late: number;
}

/** A random number below n for the nth draw of a step. */
function draws(seed: number, i: number): (n: number) => number {
  const random = new Random(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(i + 1, 0x85ebca6b));
  return (n) => random.below(n);
}

const time = (seconds: number) =>
  new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
const quoted = (s: string | null) => (s === null ? 'NULL' : `'${s}'`);

/** The statements of one transaction, and what they do to the model. */
export function step(seed: number, i: number): { statements: string[]; apply(model: Model): void } {
  const random = draws(seed, i);
  const statements = [`INSERT INTO done VALUES (${i})`];
  const changes: ((model: Model) => void)[] = [];
  const rows = Array.from({ length: 1 + random(4) }, () => {
    const s = random(5) === 0 ? null : `${random(9)}${'x'.repeat(random(3) === 0 ? random(2000) : random(20))}`;
    return { k: random(120), g: random(6), v: random(100), s };
  });
  for (const { k, g, v, s } of rows) {
    statements.push(
      `INSERT INTO items VALUES (${k}, ${g}, ${v}, ${quoted(s)}) ON CONFLICT (k) DO UPDATE SET g = excluded.g, v = excluded.v, s = excluded.s`,
    );
    changes.push(({ items }) => items.set(k, { g, v, s }));
  }
  if (random(4) === 0) {
    const from = random(100);
    statements.push(`DELETE FROM items WHERE k BETWEEN ${from} AND ${from + 10}`);
    changes.push(({ items }) => {
      for (let k = from; k <= from + 10; k++) items.delete(k);
    });
  }
  if (random(3) === 0) {
    const late = random(6) === 0 && i > 100;
    const k = random(120);
    statements.push(`INSERT INTO clicks VALUES ('${time(late ? 0 : 60 + i)}', ${k})`);
    changes.push((model) => {
      if (late && model.clicks.length > 0) model.late++;
      else model.clicks.push(`${time(late ? 0 : 60 + i)} ${k}`);
    });
  }
  return {
    statements,
    apply(model) {
      for (const change of changes) change(model);
    },
  };
}

/** After the steps 0 .. steps - 1. */
function modelAfter(seed: number, steps: number): Model {
  const model: Model = { items: new Map(), clicks: [], late: 0 };
  for (let i = 0; i < steps; i++) step(seed, i).apply(model);
  return model;
}

const texts = (rows: (string | null)[][]) => rows.map((row) => JSON.stringify(row)).sort();

/** Compares all tables and views with the model; gives the number of steps that are there. */
export async function check(ask: Ask, seed: number): Promise<number> {
  const done = (await ask('SELECT i FROM done')).map(([i]) => Number(i)).sort((a, b) => a - b);
  assert.deepEqual(
    done,
    done.map((_, i) => i),
    'steps are missing in between',
  );
  const { items, clicks, late } = modelAfter(seed, done.length);
  const rows = [...items].map(([k, { g, v, s }]) => [String(k), String(g), String(v), s]);
  assert.deepEqual(texts(await ask('SELECT k, g, v, s FROM items')), texts(rows), `items after ${done.length} steps`);
  assert.deepEqual((await ask("SELECT at || ' ' || k FROM clicks")).map(([text]) => text).sort(), clicks.sort());
  assert.deepEqual(await ask("SELECT count(*) FROM tidemark.late('clicks')"), [[String(late)]]);
  await checkViews(ask, `after ${done.length} steps`);
  return done.length;
}

/** Compares the views with their queries. */
export async function checkViews(ask: Ask, when: string): Promise<void> {
  for (const [name, query] of Object.entries(VIEWS))
    assert.deepEqual(texts(await ask(`SELECT * FROM ${name}`)), texts(await ask(query)), `${name} ${when}`);
}
