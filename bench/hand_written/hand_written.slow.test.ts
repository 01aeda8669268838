/** The hand-written programs give the rows of the views over the same events, so the comparison is about the same work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../operators/expr/functions/index.ts';
import type { Datum } from '../../operators/datum.ts';
import { runScript } from '../../src/runtime/script.ts';
import { QUERIES } from '../../test/nexmark/suite.ts';
import { MessageEngine } from '../nexmark/engine.ts';
import { Chunk, TABLES } from '../nexmark/input.ts';
import { PROGRAMS } from './index.ts';
import { KeptChanges, type Value } from './program.ts';

const EVENTS = 3000;
/** Slow enough for several windows of ten seconds. */
const EVENTS_A_SECOND = 80;
const EPOCH_MS = 946_684_800_000;
/** Queries whose program keeps only the last tick's rows. */
const STATELESS = new Set(['q0', 'q1', 'q2', 'q10', 'q14', 'q21', 'q22']);

/** Numbers to nine digits, times (bigints beyond any count here) as milliseconds. */
function plain(value: Datum | Value): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') {
    const isTime = value > 100_000_000_000_000n;
    return (isTime ? Number(value / 1000n) + EPOCH_MS : Number(value)).toPrecision(13);
  }
  if (typeof value === 'number') return value.toPrecision(13);
  if (typeof value === 'object' && 'k' in value && value.k === 'dec')
    return (Number(value.m) / 10 ** value.s).toPrecision(13);
  return String(value);
}

const lines = (rows: (Datum | Value)[][]) => rows.map((row) => row.map(plain).join('|')).sort();

for (const query of QUERIES) {
  test(`${query} by hand gives the view's rows`, async () => {
    const run = await MessageEngine.open(query, 'view');
    const program = PROGRAMS.get(query)?.(new KeptChanges());
    assert.ok(program);
    const chunk = new Chunk(TABLES, 0, EVENTS, EVENTS_A_SECOND);
    for (const tick of chunk.rawTicks(1000)) run.tick(tick);
    for (const events of chunk.objectTicks(STATELESS.has(query) ? EVENTS : 1000)) program.tick(events);
    const [{ rows }] = await runScript(run.engine, `SELECT * FROM ${query}`);
    assert.ok(rows.length > 0);
    assert.deepEqual(lines(program.rows()), lines(rows));
    await run.engine.close();
    chunk.release();
  });
}
