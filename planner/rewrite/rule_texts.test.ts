/**
 * Each rule by example: testdata/rules.txt holds queries with the plan a rule is given and the plan it must make of it.
 *
 *   == rule: what it shows
 *   SQL
 *   --
 *   plan before
 *   --
 *   plan after
 *
 * UPDATE_PLANS=1 writes the plans anew; read the diff.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import type { Logical } from '../logical/plan.ts';
import { printLogical } from '../logical/print.ts';
import { outputIds } from '../logical/tree.ts';
import { initParser } from '../parse/parse.ts';
import { bindSql, testRelation } from '../physical/test_sql.ts';
import { carryClock } from './carry_clock.ts';
import { inlineConstantSides } from './constant_sides.ts';
import { decorrelate } from './decorrelate/index.ts';
import { expandGroupingSets } from './expand_grouping_sets.ts';
import { extremeRows } from './extreme_rows.ts';
import { foldConstants } from './fold_constants.ts';
import { guardSubqueries } from './guard_subqueries.ts';
import { orderJoins } from './join_order.ts';
import { pruneColumns } from './prune_columns.ts';
import { pushFilters } from './push_filters.ts';
import { rankToTopN } from './rank_to_topn.ts';
import { simplifyBooleans } from './simplify_boolean.ts';
import { temporalFilters } from './temporal_filter.ts';
import { uniqueIds } from './unique_ids.ts';
import { unscaleComparisons } from './unscale_comparisons.ts';
import { dropWindowEndKeys } from './window_end_key.ts';
import { dropWindowEndPairs } from './window_end_pairs.ts';

const FILE = new URL('./testdata/rules.txt', import.meta.url);
const RELATIONS = [
  testRelation(1, 'r', 'a int4, b int4'),
  testRelation(2, 's', 'c int4, d int4'),
  testRelation(3, 't', 'k int4, e int4', { key: [0] }),
  testRelation(4, 'log', 'id int8, at timestamptz', { appendOnly: true }),
  testRelation(5, 'bid', 'auction int8, price int8, at timestamp', { appendOnly: true }),
];

/** A rule, and those that must have run before it. */
const RULES: Record<string, { first: (p: Logical) => Logical; rule: (p: Logical) => Logical }> = {
  fold_constants: { first: (p) => p, rule: foldConstants },
  guard_subqueries: { first: (p) => p, rule: (p) => guardSubqueries(p, 'read') },
  unscale_comparisons: { first: foldConstants, rule: unscaleComparisons },
  simplify_boolean: { first: (p) => p, rule: simplifyBooleans },
  expand_grouping_sets: { first: (p) => p, rule: expandGroupingSets },
  decorrelate: { first: pushFilters, rule: decorrelate },
  push_filters: { first: (p) => p, rule: pushFilters },
  constant_sides: { first: (p) => pushFilters(foldConstants(p)), rule: (p) => inlineConstantSides(p, 'view') },
  join_order: { first: pushFilters, rule: orderJoins },
  rank_to_topn: { first: pushFilters, rule: rankToTopN },
  extreme_rows: { first: pushFilters, rule: extremeRows },
  window_end_key: { first: (p) => p, rule: dropWindowEndKeys },
  window_end_pairs: { first: dropWindowEndKeys, rule: dropWindowEndPairs },
  carry_clock: { first: pushFilters, rule: (p) => carryClock(p, 'UTC') },
  temporal_filter: { first: pushFilters, rule: (p) => temporalFilters(p, { timeZone: 'UTC' }) },
  prune_columns: { first: (p) => p, rule: (p) => pruneColumns(p, outputIds(p)) },
};

interface Section {
  rule: string;
  title: string;
  sql: string;
  plans: string;
}

const text = readFileSync(FILE, 'utf8');
const known = text
  .split(/^== /m)
  .slice(1)
  .map((part): Section => {
    const [, rule, title] = /^(\w+): (.*)$/m.exec(part)!;
    const [head, ...plans] = part.split(/^--$/m);
    return {
      rule,
      title,
      sql: head.slice(head.indexOf('\n') + 1).trim(),
      plans: plans.map((p) => p.trim()).join('\n--\n'),
    };
  });

function plansOf({ rule, sql }: Section): string {
  const steps = RULES[rule];
  const given = steps.first(uniqueIds(bindSql(sql, RELATIONS, 'view').plan).plan);
  return [given, steps.rule(given)].map((p) => printLogical(p).replaceAll(/ +$/gm, '')).join('\n--\n');
}

before(() => initParser());

if (process.env.UPDATE_PLANS) {
  test('writes the plans', () => {
    const head = text.split(/^== /m)[0];
    writeFileSync(FILE, head + known.map((s) => `== ${s.rule}: ${s.title}\n${s.sql}\n--\n${plansOf(s)}\n`).join('\n'));
  });
} else {
  test('every rule has examples', () => {
    assert.deepEqual([...new Set(known.map((s) => s.rule))].sort(), Object.keys(RULES).sort());
  });
  for (const section of known) {
    test(`${section.rule}: ${section.title}`, () => assert.equal(plansOf(section), section.plans));
  }
}
