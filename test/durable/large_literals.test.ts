/** Literals of more parts than a value may have by now, in definitions that a version without these limits has logged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { sql } from '../engine/harness.ts';
import { openOn, startedFromCopy } from './over_restarts.ts';

const SETTINGS = {
  ...{ timeZone: 'UTC', dateStyle: 'ISO, MDY', intervalStyle: 'postgres', extraFloatDigits: 1 },
  ...{ byteaOutput: 'hex', user: 'u', database: 'd', searchPath: ['public'] },
};
const list = (n: number, [open, close]: string) => `'${open}${'1,'.repeat(n - 1)}1${close}'`;
const DOCUMENT = `${list(1_060_000, '[]')}::jsonb`;
const ARRAY = `${list(4_200_000, '{}')}::int[]`;
const DEFINITIONS = [
  `CREATE TABLE t (a int, j jsonb DEFAULT ${DOCUMENT}, is_large boolean GENERATED ALWAYS AS (j = ${DOCUMENT}) STORED, CHECK (j <> ${DOCUMENT} OR a > 0))`,
  `CREATE INDEX ON t ((j < ${DOCUMENT}))`,
  `CREATE VIEW v AS SELECT ${DOCUMENT} AS j`,
  `CREATE MATERIALIZED VIEW kept AS SELECT a, length(${DOCUMENT}::text) AS n FROM t`,
  `CREATE MATERIALIZED VIEW filled AS SELECT a, cardinality(${ARRAY}) AS n FROM t`,
  `CREATE FUNCTION f() RETURNS bigint LANGUAGE sql RETURN length(${DOCUMENT}::text)`,
];

test('they come back from the log, from a checkpoint and from the copy for another layout', async () => {
  const disk = new MemoryDisk();
  let engine = await openOn(disk);
  let tick = 0n;
  for (const text of DEFINITIONS) {
    // A view is filled by a tick.
    if (text.includes('MATERIALIZED')) tick++;
    const made = engine.catalog.newOid();
    engine.journal?.defined({ tick, now: 0n }, { sql: text, made, dropped: [], settings: SETTINGS });
  }
  await engine.journal?.durable();
  const cut = disk.crash(() => 0);
  await engine.close();
  engine = await openOn(cut);
  let rows = 0;
  const holds = async (engine: TidemarkEngine) => {
    await sql(engine, `INSERT INTO t VALUES (${++rows}, 'null')`);
    for (const [view, n] of [
      ['kept', '3180000'],
      ['filled', '4200000'],
    ])
      assert.deepEqual(
        await sql(engine, `SELECT * FROM ${view} ORDER BY a`),
        Array.from({ length: rows }, (_, i) => [String(i + 1), n]),
        view,
      );
  };
  await holds(engine);
  await sql(engine, 'CHECKPOINT');
  await engine.close();
  engine = await openOn(cut);
  await holds(engine);
  engine = await startedFromCopy(engine, cut);
  await holds(engine);
  await engine.close();
});
