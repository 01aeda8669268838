/** Joins and lists that are looked up by key: the same statements over a table with indexes and over one without, which is scanned; and what EXPLAIN says of them. */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { Random, testSeed, times } from '../../operators/testing/property.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, sql } from './harness.ts';

const seed = testSeed();
const ROWS = 400;
const COLUMNS = '(id bigint, g int, code varchar(10), h smallint, v numeric(10,2))';
/** `indexed` and `plain` have the same rows. */
const TABLES = ['indexed', 'plain'];

let engine: TidemarkEngine;

before(async () => {
  engine = await openEngine();
  await sql(
    engine,
    `CREATE TABLE indexed ${COLUMNS.replace('bigint', 'bigint PRIMARY KEY')}; CREATE TABLE plain ${COLUMNS};
     CREATE UNIQUE INDEX indexed_code ON indexed (code);
     CREATE INDEX indexed_g_h ON indexed (g, h);
     CREATE TABLE small (k int, code varchar(10), g bigint, h int, w numeric);
     CREATE TABLE other (id int PRIMARY KEY, link bigint);
     INSERT INTO other SELECT i, i * 3 FROM generate_series(1, 900) i`,
  );
});

beforeEach(async () => {
  for (const table of TABLES)
    await sql(
      engine,
      `TRUNCATE ${table};
       INSERT INTO ${table} SELECT i, i % 50, CASE WHEN i % 7 > 0 THEN 'c' || i END, i % 3, i FROM generate_series(1, ${ROWS}) i`,
    );
});

const READS = [
  'SELECT * FROM small s JOIN @ t ON s.k = t.id',
  'SELECT * FROM @ t JOIN small s ON t.id = s.k AND t.v > s.w',
  'SELECT * FROM small s LEFT JOIN @ t ON s.k = t.id AND t.g < 20',
  'SELECT * FROM small s LEFT JOIN @ t ON s.code = t.code',
  'SELECT * FROM @ t RIGHT JOIN small s ON s.code = t.code',
  'SELECT count(*), sum(t.v) FROM small s JOIN @ t ON s.g = t.g AND s.h = t.h',
  'SELECT * FROM small s JOIN @ t ON s.g = t.g AND s.h = t.h AND s.k = t.id',
  'SELECT * FROM @ t WHERE id IN (SELECT k FROM small)',
  'SELECT * FROM small s WHERE NOT EXISTS (SELECT 1 FROM @ t WHERE t.code = s.code)',
  'SELECT * FROM small WHERE k NOT IN (SELECT id FROM @ t)',
  'SELECT s.k, (SELECT v FROM @ t WHERE t.id = s.k) FROM small s',
  'SELECT * FROM @ t WHERE id = (SELECT max(k) FROM small)',
  'SELECT * FROM small s JOIN @ t ON s.k IS NOT DISTINCT FROM t.id',
  'SELECT * FROM @ t FULL JOIN small s ON s.k = t.id WHERE t.id < 10 OR s.k > 0',
  'SELECT * FROM small s JOIN @ t ON s.k = t.id JOIN other o ON o.id = t.g LEFT JOIN @ t2 ON t2.id = o.link',
  'SELECT * FROM @ a JOIN @ b ON a.g = b.id WHERE a.id = 7',
  'SELECT * FROM @ t WHERE id IN (1, 2, 2, 100000, NULL)',
  "SELECT * FROM @ t WHERE code = ANY (ARRAY['c1', 'c2', NULL]) AND g > 1",
  'SELECT * FROM @ t WHERE id IN (3, 9000000000)',
  "SELECT * FROM @ t WHERE code = 'c8'",
  'SELECT * FROM (SELECT id + 1 AS next, v FROM @ t) x JOIN small s ON x.next = s.k',
  'SELECT DISTINCT g FROM (VALUES (1), (51), (NULL)) x(i) JOIN @ t ON t.id = x.i',
  'SELECT * FROM @ t WHERE id IN (5, 6) UNION ALL SELECT * FROM @ t WHERE id IN (6, 7) ORDER BY id LIMIT 3',
  'SELECT t.g, row_number() OVER (ORDER BY t.id) FROM @ t JOIN small s ON s.k = t.id',
];

const CHANGES = [
  'UPDATE @ t SET v = s.w FROM small s WHERE t.id = s.k AND s.w IS NOT NULL',
  'UPDATE @ t SET g = t.g + 1 FROM small s WHERE t.code = s.code RETURNING t.id, s.k, t.g',
  'UPDATE @ t SET v = v + 1 WHERE id IN (1, 5, 9) RETURNING *',
  'DELETE FROM @ t USING small s WHERE t.id = s.k AND s.h = 1 RETURNING t.*',
  'DELETE FROM @ t WHERE code IN (SELECT code FROM small WHERE k > 200)',
  'MERGE INTO @ t USING (SELECT DISTINCT ON (k) * FROM small WHERE k > 0 ORDER BY k, w) s ON t.id = s.k WHEN MATCHED AND s.h = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.w WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.k, s.w) RETURNING merge_action(), t.id, t.v',
  'MERGE INTO @ t USING small s ON t.id = s.k WHEN NOT MATCHED BY SOURCE AND t.id < 3 THEN DELETE',
];

async function fillSmall(random: Random): Promise<void> {
  const value = () => {
    const k = random.below(ROWS + 20);
    const code = random.below(5) === 0 ? 'NULL' : `'c${random.below(ROWS)}'`;
    return `(${random.below(6) === 0 ? 'NULL' : k}, ${code}, ${random.below(60)}, ${random.below(4)}, ${random.below(500)})`;
  };
  await sql(engine, `DELETE FROM small; INSERT INTO small VALUES ${Array.from({ length: 5 }, value).join(', ')}`);
}

async function both(statement: string, run: (text: string) => Promise<(string | null)[][]>, label: string) {
  const [indexed, plain] = [
    await run(statement.replaceAll('@', 'indexed')),
    await run(statement.replaceAll('@', 'plain')),
  ];
  assert.deepEqual(indexed.map(String).sort(), plain.map(String).sort(), `${label}: ${statement}`);
}

test('reads and changes give what scans give', async () => {
  const random = new Random(seed);
  for (let round = 0; round < times(3); round++) {
    await fillSmall(random);
    for (const statement of READS) await both(statement, (text) => sql(engine, text), `round ${round}`);
    const changes = CHANGES.map((change) => ({ change, at: random.below(100) })).sort((a, b) => a.at - b.at);
    for (const { change } of changes) {
      await both(change, (text) => sql(engine, text), `round ${round}`);
      await both('SELECT * FROM @', (text) => sql(engine, text), `round ${round}, after ${change}`);
    }
  }
});

test('a transaction sees its own rows by key', async () => {
  const random = new Random(seed + 1);
  for (let round = 0; round < times(2); round++) {
    await fillSmall(random);
    const session = new Session(engine);
    for (const statement of CHANGES) {
      await both(statement, (text) => session.run(text), `round ${round}`);
      for (const read of READS.filter(() => random.below(4) === 0))
        await both(read, (text) => session.run(text), `round ${round} after ${statement}`);
    }
    session.transaction.rollback();
  }
});

test('no relation is scanned for a few keys', async (t) => {
  await fillSmall(new Random(seed + 2));
  const scanned = new Set(['FULL JOIN', 'NOT IN', 'IS NOT DISTINCT', 'BY SOURCE', 'id + 1']);
  const relation = engine.catalog.relation(undefined, 'indexed', ['public'])?.oid ?? 0;
  const stored = engine.loop.relations.get(relation);
  assert.ok(stored !== undefined);
  const { snapshot, scan } = stored;
  const fails = () => assert.fail('the relation is scanned');
  Object.assign(stored, { snapshot: fails, scan: fails });
  t.after(() => Object.assign(stored, { snapshot, scan }));
  for (const statement of [...READS, ...CHANGES]) {
    const text = statement.replaceAll('@', 'indexed');
    if ([...scanned].some((part) => text.includes(part))) await assert.rejects(sql(engine, text), /scanned/, text);
    else await sql(engine, text).catch((e) => assert.fail(`${text}: ${e.message}`));
  }
});

const PLANS: [string, RegExp][] = [
  ['SELECT * FROM small s JOIN indexed t ON s.k = t.id', /by index \(id\), of the keys that the join's other side has/],
  ['SELECT * FROM small s JOIN indexed t ON s.h = t.h AND s.g = t.g', /by index \(g, h\), of the keys/],
  ['SELECT * FROM indexed WHERE id IN (1, 2)', /by index \(id\), of the keys that are listed/],
  ["SELECT * FROM indexed WHERE code = 'c1'", /lookup \('c1'\)/],
];

test('EXPLAIN says so', async () => {
  for (const [statement, says] of PLANS) assert.match((await sql(engine, `EXPLAIN ${statement}`)).join('\n'), says);
  const lines = await sql(engine, 'EXPLAIN SELECT * FROM indexed t FULL JOIN small s ON s.k = t.id');
  assert.doesNotMatch(lines.join('\n'), /by index/);
});
