/**
 * The saved form and the version of the layout go together. This test fails when what save() gives has another shape than the committed one, or rows and
 * slots other bytes: then a checkpoint of before could be misread, so LAYOUT_VERSION (src/checkpoint/manifest.ts) must be raised. Afterwards UPDATE=1
 * writes the new shape.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { deserialize } from 'node:v8';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import { U8 } from '../../operators/batch/memory.ts';
import { KeyedIndex } from '../../operators/state/keyed_index.ts';
import { RowTable } from '../../operators/state/row_table.ts';
import { colType, OID } from '../../operators/types.ts';
import { saveEngine } from '../../src/checkpoint/engine_state.ts';
import { unflatten } from '../../src/checkpoint/flat.ts';
import { LAYOUT_VERSION } from '../../src/checkpoint/manifest.ts';
import { openEngine, Session, sql } from '../engine/harness.ts';
import { MessageSource } from '../engine/message_source.ts';
import { TABLES, VIEWS } from './views.ts';

const FILE = new URL('layout.json', import.meta.url);

/** Syntax trees are Postgres's, not ours; only programs that can read the plans use them. */
const FOREIGN = new Set(['query', 'node']);

/** Every path through the data with the kind of value at its end; elements of a list are one. */
function shapeOf(value: unknown, path: string, into: Set<string>): void {
  if (typeof value !== 'object' || value === null) into.add(`${path} ${value === null ? 'null' : typeof value}`);
  else if (ArrayBuffer.isView(value)) into.add(`${path} ${value.constructor.name}`);
  else if (Array.isArray(value)) for (const item of value) shapeOf(item, `${path}[]`, into);
  else if (value instanceof Map) for (const item of value.values()) shapeOf(item, `${path}{}`, into);
  else for (const [name, item] of Object.entries(value)) if (!FOREIGN.has(name)) shapeOf(item, `${path}.${name}`, into);
}

async function savedShape(): Promise<string[]> {
  const topic = new MessageSource();
  const engine = await openEngine({ clock: () => 0n, openSource: () => topic });
  await sql(engine, TABLES);
  await sql(
    engine,
    'CREATE TABLE numbered (a serial, b int GENERATED ALWAYS AS IDENTITY, CHECK (b IS NULL), c int GENERATED ALWAYS AS (a + b) STORED UNIQUE, FOREIGN KEY (a) REFERENCES numbered (c))',
  );
  await sql(
    engine,
    `CREATE STREAM bids (at timestamp, k int, WATERMARK FOR at AS at - INTERVAL '3 seconds') WITH (connector = 'kafka', brokers = 'memory', topic = 't', idle_timeout = '1 hour');
     CREATE MATERIALIZED VIEW hops AS SELECT window_start, count(*) AS n, count(DISTINCT k) AS d FROM HOP(bids, at, INTERVAL '5 seconds', INTERVAL '10 seconds') GROUP BY window_start;
     CREATE MATERIALIZED VIEW sessions AS SELECT k, window_start, count(*) AS n FROM SESSION(bids, at, INTERVAL '3 seconds', k) GROUP BY k, window_start, window_end;
     CREATE MATERIALIZED VIEW band AS SELECT a.k, b.at FROM bids a JOIN bids b ON a.k = b.k AND b.at BETWEEN a.at AND a.at + INTERVAL '5 seconds';
     CREATE MATERIALIZED VIEW closed AS SELECT window_start, count(*) AS n FROM TUMBLE(bids, at, INTERVAL '10 seconds') GROUP BY window_start EMIT ON WINDOW CLOSE;
     CREATE SINK out FROM hops WITH (connector = 'blackhole');`,
  );
  await sql(
    engine,
    `CREATE FUNCTION plus(x int, y int DEFAULT 1, OUT z int) LANGUAGE sql AS 'SELECT x + y';
     CREATE FUNCTION twice(x int) RETURNS int LANGUAGE javascript IMMUTABLE AS 'return 2 * x';
     CREATE TABLE called (a int CHECK (plus(a) > 0) DEFAULT plus(1), b int);
     CREATE DOMAIN d AS int DEFAULT 1 NOT NULL CHECK (VALUE > 0); CREATE TABLE of_domains (d d, ds d[]); INSERT INTO of_domains DEFAULT VALUES`,
  );
  await sql(engine, 'CREATE UNIQUE INDEX ON numbered ((a + c), b) NULLS NOT DISTINCT WHERE c > 0');
  for (const [name, query] of Object.entries(VIEWS)) await sql(engine, `CREATE MATERIALIZED VIEW ${name} AS ${query}`);
  for (let i = 0; i < 40; i++) {
    const at = `2026-01-01T00:00:${String(10 + i).padStart(2, '0')}Z`;
    topic.send(
      { value: JSON.stringify({ at: i % 9 === 8 ? '2026-01-01T00:00:00Z' : at, k: i % 3 }) },
      { value: i === 5 ? '{' : null },
    );
    engine.sourceTicks.pump();
    await sql(
      engine,
      `INSERT INTO a VALUES (${i}, ${i % 5}, ${i}.5, '${'t'.repeat(i)}', '${at}'); INSERT INTO b VALUES (${i}, ${i % 4}, ${i}, '${at}');
       INSERT INTO s VALUES (${i % 3}, ${i}, '${at}')`,
    );
  }
  const open = new Session(engine, {}, true);
  await sql(
    engine,
    'CREATE TABLE changed (a int CONSTRAINT renamed_gone CHECK (a < 9)); CREATE TABLE going (a int); CREATE VIEW replaced AS SELECT 1 AS a',
  );
  for (const text of ['CREATE TABLE made (a int)', 'DROP TABLE going', 'ALTER TABLE changed RENAME TO renamed'])
    await open.run(text);
  for (const text of [
    `COMMENT ON TABLE renamed IS 'x'`,
    'GRANT SELECT ON renamed TO PUBLIC',
    'ALTER TABLE renamed ALTER a SET DEFAULT 1, ALTER a SET NOT NULL, ADD CHECK (a > 0), DROP CONSTRAINT renamed_gone',
  ])
    await open.run(text);
  await open.run('CREATE OR REPLACE VIEW replaced AS SELECT 2 AS a');
  const paths = new Set<string>();
  const { catalog, graph, definitions, ...rest } = saveEngine(engine) as Record<string, unknown>;
  shapeOf(rest, '', paths);
  shapeOf(unflatten(deserialize(catalog as Uint8Array)), 'catalog', paths);
  shapeOf(deserialize(definitions as Uint8Array), 'definitions', paths);
  for (const node of graph as { key: string }[])
    shapeOf(node, `graph ${/"op":"(\w+)"/.exec(node.key)?.[1] ?? 'unknown'}`, paths);
  open.transaction.rollback();
  await engine.close();
  return [...paths].sort();
}

/** Slots of a table and entries of indexes with rows of every physical type, short values only: long ones lie at addresses. */
function slotBytes(): string {
  const types = [OID.int4, OID.int8, OID.float8, OID.bool, OID.text, OID.numeric, OID.timestamp].map((oid) =>
    colType(oid),
  );
  const arena = new Arena();
  const rows = Array.from({ length: 9 }, (_, i) => [
    i,
    BigInt(i) << 40n,
    i / 3,
    i % 2 === 0,
    i === 3 ? null : 'short'.slice(0, i),
    { k: 'dec' as const, m: BigInt(i * 7), s: 2 },
    BigInt(i) * 1_000_000n,
  ]);
  const batch = batchFromRows(types, rows, arena);
  const table = new RowTable(types, 8, 'sql');
  table.bind(batch.columns);
  for (let row = 0; row < batch.n; row++) table.findOrInsert(row);
  const hash = createHash('sha256');
  table.forEach((slot) => {
    hash.update(U8.subarray(slot, slot + table.payloadOffset + 8));
  });
  table.release();
  for (const [appendOnly, unique] of [
    [false, false],
    [true, false],
    [false, true],
  ]) {
    const index = new KeyedIndex(types, [0, 4, 5], true, [], appendOnly, unique);
    index.apply(batch, arena);
    index.forEach(arena, (_, entry) => hash.update(U8.subarray(entry, entry + index.entryStride)));
    index.release();
  }
  arena.release();
  return hash.digest('hex');
}

test('the saved form is that of the version', async () => {
  const found = { version: LAYOUT_VERSION, slots: slotBytes(), shape: await savedShape() };
  const known = JSON.parse(readFileSync(FILE, 'utf8')) as typeof found;
  const same = known.slots === found.slots && known.shape.join() === found.shape.join();
  if (process.env.UPDATE === '1') {
    assert.ok(same || known.version !== LAYOUT_VERSION, 'raise LAYOUT_VERSION first: the saved form is another');
    writeFileSync(FILE, `${JSON.stringify(found, null, 1)}\n`);
    return;
  }
  const added = found.shape.filter((line) => !known.shape.includes(line));
  const gone = known.shape.filter((line) => !found.shape.includes(line));
  assert.ok(
    same,
    `what checkpoints save has changed, so raise LAYOUT_VERSION in src/checkpoint/manifest.ts, then run this test with UPDATE=1.\nNew: ${added.join('; ')}\nGone: ${gone.join('; ')}\nSlots: ${known.slots === found.slots ? 'the same' : 'others'}`,
  );
  assert.equal(found.version, known.version, 'LAYOUT_VERSION was raised: run this test with UPDATE=1');
});
