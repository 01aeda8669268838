/**
 * Items that are worked out once: random plans over them give what they give over the items' own rows, at once and in pieces; what several parts refer to, and
 * plans with its rows.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Expr } from '../../operators/expr/ir.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { OID } from '../../operators/types.ts';
import { outputColumns } from '../logical/columns.ts';
import { evaluatePlan } from '../logical/evaluate.ts';
import type { Logical, OnceItem } from '../logical/plan.ts';
import { Build } from '../logical/test_plans.ts';
import { RandomPlan, RELATIONS, randomTables } from '../logical/test_random_plan.ts';
import { rewritePlan } from '../logical/tree.ts';
import { initParser } from '../parse/parse.ts';
import { bindItems, itemsOfSeveral, onceItems } from './once_items.ts';
import { bindSql, readsGive, rowLines, testRelation } from './test_sql.ts';

const PLANS = Number(process.env.PLANS ?? 500);

const seed = testSeed();
before(() => initParser());

const FLOAT8 = { oid: OID.float8, typmod: -1 };
const ALWAYS: Expr = {
  k: 'call',
  fn: 'float8lt(float8,float8)',
  args: [
    { k: 'call', fn: 'random()', args: [], t: FLOAT8, strict: true },
    { k: 'const', v: 2, t: FLOAT8 },
  ],
  t: { oid: OID.bool, typmod: -1 },
  strict: true,
};

/** Each relation as an item that keeps all of its rows, though nobody can know. */
function overItems(plan: Logical): Logical {
  const items = new Map<number, OnceItem>();
  return rewritePlan(plan, (p) => {
    if (p.op !== 'get') return p;
    const { oid, columns } = p.relation;
    const outputs = columns.map(({ name, type }, i) => ({ id: 1_000_000 + 100 * oid + i, name, type }));
    const get: Logical = { op: 'get', relation: p.relation, columns: columns.map((_, i) => i), cols: outputs };
    const item = items.get(oid) ?? { id: oid, plan: { op: 'filter', input: get, predicate: ALWAYS }, outputs };
    items.set(oid, item);
    return { op: 'once', item, columns: p.columns, cols: p.cols };
  });
}

test(`random plans over items, SEED=${seed}`, (t) => {
  let compared = 0;
  for (let i = 0; i < PLANS; i++) {
    const random = new Random(seed + i);
    const tables = randomTables(random);
    const original = new RandomPlan(random, new Build(), RELATIONS).plan(2 + random.below(9), []);
    const cols = outputColumns(original);
    const types = cols.map((c) => c.type);
    const wanted = evaluatePlan(original, { tables });
    if (wanted.errors.length > 0) continue;
    const rows = rowLines(wanted.rows, types);
    const plan = overItems(original);
    assert.deepEqual(rowLines(evaluatePlan(plan, { tables }).rows, types), rows, `SEED=${seed + i}, reference`);
    const pieces = [...tables].map(([relation, rows]) => ({ relation, rows }));
    const most = random.pick([1, 2, 3, 7, 1000]);
    if (readsGive(rows, plan, cols, RELATIONS, { tables, pieces, most }, `SEED=${seed + i}`)) compared++;
  }
  t.diagnostic(`${compared} reads compared`);
  assert.ok(compared > PLANS / 4);
});

test('what several parts refer to, also through another item', () => {
  const relations = [testRelation(1, 'r', 'a int4, b int4')];
  const items = 'n AS (SELECT a, random() AS x FROM r), m AS (SELECT x + random() AS y FROM n)';
  const { plan } = bindSql(`WITH ${items} SELECT y, x FROM m, n`, relations, 'read');
  const [n, m] = onceItems(plan);
  assert.deepEqual([n.outputs.length, m.outputs.length], [2, 1]);
  assert.deepEqual(onceItems(m.plan), [n]);
  assert.deepEqual([...itemsOfSeveral([plan])], []);
  assert.deepEqual([...itemsOfSeveral([plan, m.plan])], [n.id]);
  assert.deepEqual([...itemsOfSeveral([plan, plan])], [n.id, m.id]);
  const known = bindItems(
    plan,
    new Map([
      [n.id, [[1, 0.5]]],
      [m.id, [[2.5]]],
    ]),
  );
  assert.deepEqual(onceItems(known), []);
  assert.deepEqual(evaluatePlan(known, { tables: new Map() }).rows, [[2.5, 0.5]]);
});
