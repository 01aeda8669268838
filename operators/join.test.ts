import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from './batch/arena.ts';
import { batchFromRows, readRow } from './batch/builder.ts';
import { Dataflow } from './dataflow.ts';
import type { Datum } from './datum.ts';
import { OutOfMemory } from './errors.ts';
import type { Expr } from './expr/ir.ts';
import type { JoinKind, PlanNode } from './plan.ts';
import { joinRows } from './testing/naive_join.ts';
import { Bag, checkOperator, Random, testSeed } from './testing/property.ts';
import { testTick } from './testing/tick.ts';
import { colType, OID } from './types.ts';

const seed = testSeed();
const types = [colType(OID.int4), colType(OID.float8), colType(OID.text)];
const names = ['k', 'f', 't'];

function row(_input: number, random: Random): Datum[] {
  return [
    random.below(5) === 0 ? null : random.below(4),
    random.pick([null, 0, -0, Number.NaN, 1.5]),
    random.pick([null, 'a', 'a text longer than twelve bytes', 'b']),
  ];
}

const column = (id: number, oid: number): Expr => ({ k: 'col', id, t: colType(oid) });
const bool = colType(OID.bool);
/** left.f < right.f */
const less: Expr = {
  k: 'call',
  fn: 'float8lt(float8,float8)',
  args: [column(1, OID.float8), column(4, OID.float8)],
  t: bool,
  strict: true,
};
/** 1 / right.k > 0 fails for k = 0. */
const failing: Expr = {
  k: 'call',
  fn: 'int4gt(int4,int4)',
  args: [
    {
      k: 'call',
      fn: 'int4div(int4,int4)',
      args: [{ k: 'const', v: 1, t: colType(OID.int4) }, column(3, OID.int4)],
      t: colType(OID.int4),
      strict: true,
    },
    { k: 'const', v: 0, t: colType(OID.int4) },
  ],
  t: bool,
  strict: true,
};

type JoinNode = PlanNode & { op: 'join' };

function joinNode(kind: JoinKind, fields: Partial<JoinNode>): JoinNode {
  const leftOnly = kind === 'semi' || kind === 'anti';
  return {
    op: 'join',
    kind,
    inputs: [],
    types: leftOnly ? types : [...types, ...types],
    names: leftOnly ? names : [...names, ...names],
    leftKeys: [0],
    rightKeys: [0],
    nullSafe: [false],
    nullAware: false,
    residual: null,
    ...fields,
  };
}

const shapes: [string, Partial<JoinNode>][] = [
  ['one key', {}],
  ['null-safe float key', { leftKeys: [1], rightKeys: [1], nullSafe: [true] }],
  ['two keys, one null-safe', { leftKeys: [0, 2], rightKeys: [0, 2], nullSafe: [false, true] }],
  ['residual', { residual: less }],
  ['failing residual', { residual: failing, leftKeys: [2], rightKeys: [2] }],
  ['failing residual of a key', { residual: failing }],
  ['cross', { leftKeys: [], rightKeys: [], nullSafe: [] }],
  ['condition without keys', { leftKeys: [], rightKeys: [], nullSafe: [], residual: less }],
];

function check(kind: JoinKind, fields: Partial<JoinNode>, same = false, appendOnly = false): void {
  const node = joinNode(kind, fields);
  checkOperator(
    {
      node,
      inputTypes: [types, types],
      same,
      appendOnly,
      rows: 25,
      row,
      naive: ([left, right], _facts, errors) => joinRows(node, left, right, [types, types], errors),
    },
    seed,
  );
}

for (const [name, fields] of shapes) {
  for (const kind of ['inner', 'left', 'right', 'full', 'semi', 'anti'] as const) {
    test(`${kind} join, ${name}`, () => check(kind, fields));
    test(`${kind} join of rows that never go, ${name}`, () => check(kind, fields, false, true));
    if (kind === 'inner' || kind === 'full') test(`${kind} self join, ${name}`, () => check(kind, fields, true));
  }
}

test('NOT IN', () => check('anti', { nullAware: true }));
test('NOT IN of rows that never go', () => check('anti', { nullAware: true }, false, true));
test('NOT IN of a relation in itself', () => check('anti', { nullAware: true }, true));
test('NOT IN by a float key', () => check('anti', { nullAware: true, leftKeys: [1], rightKeys: [1] }));
test('NOT IN where NULLs are rare', () => {
  const inputTypes = [types.slice(0, 1), types.slice(0, 1)];
  const node = joinNode('anti', { nullAware: true, types: types.slice(0, 1), names: ['k'] });
  checkOperator(
    {
      node,
      inputTypes,
      rows: 40,
      row: (input, random) => [random.below(input === 0 ? 4 : 14) === 0 ? null : random.below(9)],
      naive: ([left, right], _facts, errors) => joinRows(node, left, right, inputTypes, errors),
    },
    seed,
  );
});

/** Two relations that have a key and nothing else. */
const KEYS = [0, 1].map(
  (relation): PlanNode => ({
    op: 'source',
    relation,
    columns: [0],
    inputs: [],
    types: types.slice(0, 1),
    names: ['k'],
  }),
);

/** Within some ticks a source with errors may take a row away before it brings it: weights below zero, and deltas that settle them. */
test('inner join where retractions come before their rows', () => {
  const random = new Random(seed + 9);
  const inputTypes = [types.slice(0, 1), types.slice(0, 1)];
  const join = joinNode('inner', { inputs: [0, 1], types: [types[0], types[0]], names: ['k', 'k'] });
  const flow = new Dataflow({ nodes: [...KEYS, join], root: 2 });
  const arena = new Arena();
  const sides = [new Bag(), new Bag()];
  const output = new Bag();
  for (let tick = 0; tick < 200; tick++) {
    const batches = sides.map((bag, side) => {
      const growing = random.below(2) === 0;
      const rows = Array.from({ length: random.below(3) }, (): Datum[] => [random.below(2)]);
      const weights = rows.map(() => (growing || random.below(2) === 0 ? 1 : -1));
      rows.forEach((r, i) => {
        bag.add(r, weights[i]);
      });
      return batchFromRows(inputTypes[side], rows, arena, weights);
    });
    output.addBatch(flow.step((relation) => batches[relation], testTick(arena, { number: BigInt(tick) })));
    flow.endTick();
    arena.reset();
    const wanted = new Bag();
    for (const l of sides[0].rows.values()) {
      for (const r of sides[1].rows.values()) {
        if (l.row[0] === r.row[0]) wanted.add([l.row[0], r.row[0]], l.weight * r.weight);
      }
    }
    assert.deepEqual(output.texts(), wanted.texts(), `tick ${tick}, seed ${seed}`);
  }
  flow.release();
  arena.release();
});

test('more pairs than 32 bits count are refused, and no memory of others is written', () => {
  const rows = 65_537;
  const inputTypes = [types.slice(0, 1), types.slice(0, 1)];
  const cross = { leftKeys: [], rightKeys: [], nullSafe: [], types: [types[0], types[0]], names: ['k', 'k'] };
  const flow = new Dataflow({ nodes: [...KEYS, joinNode('inner', { inputs: [0, 1], ...cross })], root: 2 });
  const arena = new Arena();
  const batch = batchFromRows(
    inputTypes[0],
    Array.from({ length: rows }, (_, i) => [i]),
    arena,
  );
  const tick = testTick(arena);
  assert.throws(() => flow.step(() => batch, tick), OutOfMemory);
  assert.deepEqual([readRow(batch, 0), readRow(batch, rows - 1)], [[0], [rows - 1]]);
  flow.release();
  arena.release();
});
