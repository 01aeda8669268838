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
import { Build, randomRows } from '../logical/test_plans.ts';
import { RandomPlan, RELATIONS } from '../logical/test_random_plan.ts';
import { planRows } from './index.ts';
import { isMissing, readOnce, readPieces, rowLines } from './test_sql.ts';

const PLANS = Number(process.env.PLANS ?? 1500);

const seed = testSeed();

function randomTables(random: Random): Map<number, Datum[][]> {
  const tables = new Map<number, Datum[][]>();
  for (const { oid, key } of RELATIONS) {
    const rows: Datum[][] = [];
    for (const row of randomRows(random, 2, 12)) {
      if (key !== null && (row[0] === null || rows.some((r) => r[0] === row[0]))) continue;
      rows.push(row);
    }
    tables.set(oid, rows);
  }
  return tables;
}

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
    const physical = planRows(
      plan,
      cols.map((c) => c.id),
    );
    const tables = randomTables(random);
    const wanted = evaluatePlan(plan, { tables });
    if (wanted.errors.length > 0) continue;
    const types = cols.map((c) => c.type);
    const most = random.pick([1, 2, 3, 7, 1000]);
    try {
      const got = readPieces(physical, cols.length, RELATIONS, randomPieces(random, tables), most);
      const rows = rowLines(wanted.rows, types);
      assert.deepEqual(got, rows, `SEED=${seed + i}`);
      assert.deepEqual(readOnce(physical, cols.length, RELATIONS, tables), rows, `SEED=${seed + i}, at once`);
      compared++;
    } catch (error) {
      if (isMissing(error)) continue;
      // A guard may see rows that no outer row asks for (decision 0051).
      if ((error as { sqlstate?: string }).sqlstate === '21000') continue;
      throw new Error(`SEED=${seed + i}`, { cause: error });
    }
  }
  t.diagnostic(`${compared} reads compared`);
  assert.ok(compared > PLANS / 3);
});
