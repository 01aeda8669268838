import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { batchFromRows, readRow, weightOf } from './batch/builder.ts';
import { pages } from './batch/pages.ts';
import { Dataflow } from './dataflow.ts';
import type { Datum } from './datum.ts';
import type { Expr } from './expr/ir.ts';
import { Piecewise } from './piecewise.ts';
import type { PlanNode } from './plan.ts';
import { Bag, checkOperator, Random, rowText, testSeed, times } from './testing/property.ts';
import { testTick } from './testing/tick.ts';
import { colType, OID } from './types.ts';

const seed = testSeed();
const int4 = colType(OID.int4);
const text = colType(OID.text);
const bool = colType(OID.bool);

const column = (id: number, t = int4): Expr => ({ k: 'col', id, t });
const number = (v: number): Expr => ({ k: 'const', v, t: int4 });
const call = (fn: string, args: Expr[], t = int4): Expr => ({ k: 'call', fn, args, t, strict: true });

function source(relation: number, types = [int4, text]): PlanNode {
  const columns = types.map((_, i) => i);
  return { op: 'source', inputs: [], types, names: columns.map((c) => `c${c}`), relation, columns };
}

/** place, label of the way: step from a place along the edges (from, to, label); `once`: along equal ways once, which is not linear in the places. */
const edgeTypes = [int4, int4, text];

function reach(all: boolean, depth: number | null, once = false): PlanNode & { op: 'recursive' } {
  const first = depth === null ? text : int4;
  const types = [int4, first];
  const joined = [...types, ...edgeTypes];
  const next: Expr[] = [
    column(3),
    depth === null ? column(4, text) : call('int4pl(int4,int4)', [column(1), number(1)]),
  ];
  return {
    op: 'recursive',
    inputs: [],
    types,
    names: ['place', 'way'],
    all,
    stepInputs: [1],
    step: {
      nodes: [
        source(-1, types),
        source(-2, edgeTypes),
        {
          op: 'join',
          kind: 'inner',
          inputs: [0, 1],
          types: joined,
          names: joined.map((_, i) => `j${i}`),
          leftKeys: [0],
          rightKeys: [0],
          nullSafe: [false],
          nullAware: false,
          residual: null,
        },
        {
          op: 'map',
          inputs: [2],
          types,
          names: ['place', 'way'],
          filter: depth === null ? null : call('int4lt(int4,int4)', [column(1), number(depth)], bool),
          project: next,
        },
        { op: 'distinct', inputs: [3], types, names: ['place', 'way'] },
      ].slice(0, once ? 5 : 4) as PlanNode[],
      root: once ? 4 : 3,
    },
  };
}

function naive(
  node: PlanNode & { op: 'recursive' },
  depth: number | null,
  base: Datum[][],
  edges: Datum[][],
  once = false,
): Datum[][] {
  const seen = new Set<string>();
  const fresh = (rows: Datum[][]) =>
    node.all ? rows : rows.filter((r) => !seen.has(rowText(r)) && seen.add(rowText(r)) !== null);
  const out: Datum[][] = [];
  for (let work = fresh(base); work.length > 0; ) {
    out.push(...work);
    const next = work.flatMap(([place, way]) =>
      edges
        .filter(([from]) => from !== null && from === place && (depth === null || (way as number) < depth))
        .map(([, to, label]): Datum[] => [to, depth === null ? label : (way as number) + 1]),
    );
    work = fresh(once ? [...new Map(next.map((r) => [rowText(r), r])).values()] : next);
  }
  return out;
}

const labels = [null, 'a', 'a text longer than twelve bytes'];

function row(depth: number | null) {
  return (input: number, random: Random): Datum[] => {
    const place = random.below(9) === 0 ? null : random.below(8);
    if (input === 0) return [place, depth === null ? random.pick(labels) : 0];
    return [place, random.below(8), random.pick(labels)];
  };
}

for (const [name, all, depth, once] of [
  ['UNION over a graph with cycles', false, null, false],
  ['UNION ALL to a depth', true, 2, false],
  ['UNION to a depth', false, 3, false],
  ['UNION to a depth, along equal ways once', false, 3, true],
  ['UNION ALL to a depth, along equal ways once', true, 3, true],
] as const) {
  const node = reach(all, depth, once);
  const inputTypes = [node.types, edgeTypes];

  test(`recursion, ${name}`, () => {
    const wanted = ([base, edges]: Datum[][][]) => naive(node, depth, base, edges, once);
    checkOperator({ node, inputTypes, row: row(depth), rows: 16, naive: wanted }, seed);
  });

  test(`recursion that is read in pieces, ${name}`, () => {
    const random = new Random(seed);
    const used = pages.usedPages;
    const arena = new Arena();
    for (let round = 0; round < times(40); round++) {
      const inputs = [0, 1].map((i) => Array.from({ length: random.below(12) }, () => row(depth)(i, random)));
      const sources = inputTypes.map((types, relation) => source(relation, types));
      const plan = { nodes: [...sources, { ...node, inputs: [0, 1] }], root: 2 };
      const flow = new Piecewise(plan, 1 + random.below(9));
      const out = new Bag();
      const tick = testTick(arena);
      const delta = (i: number) => batchFromRows(inputTypes[i], inputs[i], arena);
      for (const piece of flow.steps(delta, tick)) out.addBatch(piece);
      for (const piece of flow.rest(tick)) out.addBatch(piece);
      const wanted = new Bag();
      for (const made of naive(node, depth, inputs[0], inputs[1], once)) wanted.add(made, 1);
      assert.deepEqual(out.texts(), wanted.texts());
      flow.release();
      arena.reset();
    }
    arena.release();
    assert.equal(pages.usedPages, used, 'pages are given back');
  });
}

test('ways that come together are counted, not gone one by one', () => {
  const node = reach(true, 26);
  const sources = [node.types, edgeTypes].map((types, relation) => source(relation, types));
  const plan = { nodes: [...sources, { ...node, inputs: [0, 1] }], root: 2 };
  // Two ways from each place to the next: 2^26 rows in the end.
  const edges = Array.from({ length: 8 }, (_, i) => ['a', 'b'].map((label): Datum[] => [i, (i + 1) % 8, label])).flat();
  const arena = new Arena();
  const delta = (i: number) => batchFromRows(i === 0 ? node.types : edgeTypes, i === 0 ? [[0, 0]] : edges, arena);
  const wanted = Array.from({ length: 27 }, (_, depth) => [`${depth % 8}|${depth}`, 2 ** depth]);
  const placesOf = (batch: Batch) =>
    Array.from({ length: batch.n }, (_, i) => [readRow(batch, i).join('|'), weightOf(batch, i)] as [string, number]);
  const flow = new Dataflow(plan);
  assert.deepEqual(placesOf(flow.step(delta, testTick(arena))).sort(), [...wanted].sort());
  flow.release();
  const read = new Piecewise(plan, 1000);
  const tick = testTick(arena);
  const counts = new Map<string, number>();
  for (const pieces of [read.steps(delta, tick), read.rest(tick)])
    for (const piece of pieces)
      for (const [place, weight] of placesOf(piece)) counts.set(place, (counts.get(place) ?? 0) + weight);
  assert.deepEqual([...counts].sort(), [...wanted].sort());
  read.release();
  arena.release();
});

/** t(n) = 1, then the expression of n, while the condition holds. */
function counting(next: Expr, filter: Expr | null): Dataflow {
  const types = [int4];
  const node: PlanNode = {
    op: 'recursive',
    inputs: [0],
    types,
    names: ['n'],
    all: true,
    stepInputs: [],
    step: {
      nodes: [source(-1, types), { op: 'map', inputs: [0], types, names: ['n'], filter, project: [next] }],
      root: 1,
    },
  };
  return new Dataflow({ nodes: [source(0, types), node], root: 1 });
}

function run(flow: Dataflow, ticks: number[][]): { rows: number[]; errors: [string, number][] } {
  const arena = new Arena();
  const rows: number[] = [];
  const errors: [string, number][] = [];
  for (const weights of ticks) {
    const delta = batchFromRows(
      [int4],
      weights.map(() => [1]),
      arena,
      weights,
    );
    const out = flow.step(
      () => delta,
      testTick(arena, { errors: { report: (error, _row, weight) => errors.push([error.sqlstate, weight]) } }),
    );
    rows.push(out.n);
    flow.endTick();
    arena.reset();
  }
  arena.release();
  return { rows, errors };
}

test('a failing row of a recursion is an error while the recursion meets it', () => {
  const used = pages.usedPages;
  const step = call('int4mi(int4,int4)', [number(4), call('int4div(int4,int4)', [number(4), column(0)])]);
  // 1, 4 - 4/1 = 0, then 4/0 fails.
  const flow = counting(step, null);
  const { rows, errors } = run(flow, [[1], [-1]]);
  assert.deepEqual(rows, [2, 2]);
  assert.deepEqual(errors, [
    ['22012', 1],
    ['22012', -1],
  ]);
  flow.release();
  assert.equal(pages.usedPages, used);
});

test('a recursion without end is an error, not a hang', () => {
  const flow = counting(call('int4mi(int4,int4)', [number(1), column(0)]), null);
  const { rows, errors } = run(flow, [[1], [-1]]);
  assert.deepEqual(rows, [0, 0]);
  assert.deepEqual(errors, [
    ['54001', 1],
    ['54001', -1],
  ]);
  flow.release();
});

test('a long recursion ends', () => {
  const next = call('int4pl(int4,int4)', [column(0), number(1)]);
  const flow = counting(next, call('int4lt(int4,int4)', [column(0), number(500)], bool));
  assert.deepEqual(run(flow, [[1], [-1]]), { rows: [500, 500], errors: [] });
  flow.release();
});
