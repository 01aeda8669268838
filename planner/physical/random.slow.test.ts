/**
 * Random plans, correlated subqueries included, through rewriting, lowering and the operators: after every tick of random inserts and
 * deletions the sum of the deltas is what the reference interpreter gives for the tables at that tick.
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
import { isMissing, rowLines, runPlan } from './test_sql.ts';
import { verifyPlan } from './verify.ts';

const PLANS = Number(process.env.PLANS ?? 1500);
const TICKS = 4;

type Change = [relation: number, row: Datum[], weight: number];

/** Changes of one tick; `tables` becomes what they make of it. */
function randomTick(random: Random, tables: Map<number, Datum[][]>): Change[] {
  const changes: Change[] = [];
  for (const { oid, key } of RELATIONS) {
    const rows = tables.get(oid)!;
    for (let i = rows.length - 1; i >= 0; i--) {
      if (random.chance(0.3)) changes.push([oid, rows.splice(i, 1)[0], -1]);
    }
    for (const row of randomRows(random, 2, 3)) {
      if (key !== null && (row[0] === null || rows.some((r) => r[0] === row[0]))) continue;
      rows.push(row);
      changes.push([oid, row, 1]);
    }
  }
  return changes;
}

const seed = testSeed();

test(`random plans, maintained (SEED=${seed})`, { timeout: 300_000 }, (t) => {
  let run = 0;
  for (let i = 0; i < PLANS; i++) {
    const random = new Random(seed + i);
    const plan = new RandomPlan(random, new Build(), RELATIONS).plan(2 + random.below(9), []);
    const cols = outputColumns(plan);
    const physical = planRows(
      plan,
      cols.map((c) => c.id),
      { mode: 'view' },
    );
    verifyPlan(physical);
    const tables = new Map<number, Datum[][]>(RELATIONS.map((r) => [r.oid, []]));
    const ticks: Change[][] = [];
    for (let n = 0; n < TICKS; n++) {
      ticks.push(randomTick(random, tables));
      const wanted = evaluatePlan(plan, { tables });
      if (wanted.errors.length > 0) continue;
      const types = cols.map((c) => c.type);
      try {
        const got = runPlan(physical, cols.length, RELATIONS, ticks);
        assert.deepEqual(got, rowLines(wanted.rows, types), `SEED=${seed + i} tick ${n}`);
        run++;
      } catch (error) {
        if (isMissing(error)) break;
        // A guard may see rows that no outer row asks for (decision 0051).
        if ((error as { sqlstate?: string }).sqlstate === '21000') continue;
        throw new Error(`SEED=${seed + i} tick ${n}`, { cause: error });
      }
    }
  }
  t.diagnostic(`${run} ticks compared`);
  assert.ok(run > PLANS / 10);
});
