/** Every rule, alone and all together, keeps the meaning of random plans: evaluate(plan) = evaluate(rule(plan)). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datum } from '../../operators/datum.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { outputColumns } from '../logical/columns.ts';
import { evaluatePlan } from '../logical/evaluate.ts';
import { structureText } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { Build, randomRows } from '../logical/test_plans.ts';
import { RandomPlan, RELATIONS } from '../logical/test_random_plan.ts';
import { keepColumns, outputIds } from '../logical/tree.ts';
import { decorrelate } from './decorrelate/index.ts';
import { expandGroupingSets } from './expand_grouping_sets.ts';
import { foldConstants } from './fold_constants.ts';
import { guardSubqueries } from './guard_subqueries.ts';
import { rewrite } from './index.ts';
import { orderJoins } from './join_order.ts';
import { pruneColumns } from './prune_columns.ts';
import { pushFilters } from './push_filters.ts';
import { rankToTopN } from './rank_to_topn.ts';
import { simplifyBooleans } from './simplify_boolean.ts';
import { uniqueIds } from './unique_ids.ts';

const RULES: [string, (p: Logical) => Logical][] = [
  ['fold constants', foldConstants],
  ['simplify booleans', simplifyBooleans],
  ['guard subqueries', (p) => guardSubqueries(p, 'read')],
  ['expand grouping sets', expandGroupingSets],
  ['decorrelate', (p) => decorrelate(expandGroupingSets(p))],
  ['push filters', pushFilters],
  ['order joins', (p) => orderJoins(pushFilters(p))],
  ['rank to Top-N', (p) => rankToTopN(pushFilters(p))],
  ['prune columns', (p) => pruneColumns(decorrelate(expandGroupingSets(p)), outputIds(p))],
  ['all rules', (p) => rewrite(p, outputIds(p), { mode: 'read' })],
];

const PLANS = 150;

/** The rows as a bag: sorted texts. */
function bag(rows: Datum[][]): string[] {
  return rows.map((r) => structureText(r)).sort();
}

function tablesOf(random: Random): Map<number, Datum[][]> {
  const rows = (oid: number, most: number): [number, Datum[][]] => [oid, randomRows(random, 2, most)];
  const keyed = [0, 1, 2, 3]
    .filter(() => random.chance(0.6))
    .map((k) => [k, random.chance(0.2) ? null : random.below(4)]);
  return new Map([rows(1, 5), rows(2, 5), [3, keyed]]);
}

const seed = testSeed();

for (const [name, rule] of RULES) {
  test(`${name} keeps the rows of random plans (SEED=${seed})`, () => {
    for (let i = 0; i < PLANS; i++) {
      const random = new Random(seed + i);
      const plan = uniqueIds(new RandomPlan(random, new Build(), RELATIONS).plan(2 + random.below(9), [])).plan;
      const tables = tablesOf(random);
      const before = evaluatePlan(plan, { tables });
      const rewritten = keepColumns(rule(plan), outputColumns(plan));
      const after = evaluatePlan(rewritten, { tables });
      if (before.errors.length > 0) continue;
      // A guard may see the rows of an uncorrelated subquery that no outer row asks for (decision 0051); nothing reads them then.
      const surprising = after.errors.filter((e) => e.sqlstate !== '21000');
      assert.deepEqual(surprising, [], `SEED=${seed + i}: an error that the plan did not give`);
      assert.deepEqual(bag(after.rows), bag(before.rows), `SEED=${seed + i}: ${name} changed the rows`);
    }
  });
}
