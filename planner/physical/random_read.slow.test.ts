/**
 * Random plans as reads whose input comes in pieces, or at once: what comes out is what the reference interpreter gives for all rows, each row once, and nothing fails by what
 * only a part of the rows comes to.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datum } from '../../operators/datum.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { outputColumns } from '../logical/columns.ts';
import { evaluatePlan } from '../logical/evaluate.ts';
import { Build } from '../logical/test_plans.ts';
import { RandomPlan, RELATIONS, randomTables } from '../logical/test_random_plan.ts';
import { readsGive, rowLines } from './test_sql.ts';

const PLANS = Number(process.env.PLANS ?? 1500);

const seed = testSeed();

/** The rows of each table, one table after the other, a few at a time. */
function randomPieces(random: Random, tables: Map<number, Datum[][]>) {
  const pieces: { relation: number; rows: Datum[][] }[] = [];
  for (const [relation, rows] of tables) {
    for (let from = 0; from < rows.length; ) {
      const n = 1 + random.below(4);
      pieces.push({ relation, rows: rows.slice(from, from + n) });
      from += n;
    }
  }
  return pieces;
}

test(`random plans, read in pieces (SEED=${seed})`, { timeout: 300_000 }, (t) => {
  let compared = 0;
  for (let i = 0; i < PLANS; i++) {
    const random = new Random(seed + i);
    const plan = new RandomPlan(random, new Build(), RELATIONS).plan(2 + random.below(9), []);
    const cols = outputColumns(plan);
    const tables = randomTables(random);
    const wanted = evaluatePlan(plan, { tables });
    if (wanted.errors.length > 0) continue;
    const most = random.pick([1, 2, 3, 7, 1000]);
    const pieces = randomPieces(random, tables);
    const types = cols.map((c) => c.type);
    const rows = rowLines(wanted.rows, types);
    if (readsGive(rows, plan, cols, RELATIONS, { tables, pieces, most }, `SEED=${seed + i}`)) compared++;
  }
  t.diagnostic(`${compared} reads compared`);
  assert.ok(compared > PLANS / 3);
});
