import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from './batch/arena.ts';
import { batchFromRows, readRow } from './batch/builder.ts';
import { pages } from './batch/pages.ts';
import type { Datum } from './datum.ts';
import { OutOfMemory } from './errors.ts';
import { FirstSeenOperator } from './first_seen.ts';
import { FlowNode, indexName } from './flow_node.ts';
import type { Tick } from './operator.ts';
import type { JoinKind, PlanNode, Retention } from './plan.ts';
import { bringBack } from './state/cold_reads.ts';
import { cold } from './state/cold_store.ts';
import type { KeyedIndex } from './state/keyed_index.ts';
import { MemoryColdStore } from './testing/cold_memory.ts';
import { joinRows } from './testing/naive_join.ts';
import { checkOperator, type Random, rowText, testSeed, valueText } from './testing/property.ts';
import { colType, OID } from './types.ts';

const seed = testSeed();
const types = [colType(OID.int4), colType(OID.text), colType(OID.float8), colType(OID.int8)];
const names = ['a', 'b', 'c', 'd'];

function row(_input: number, random: Random): Datum[] {
  return [
    random.pick([null, 1, 2]),
    random.pick([null, 'x', 'a text longer than twelve bytes']),
    random.pick([null, -0, 0, Number.NaN]),
    random.pick([null, 7n, -1n]),
  ];
}

const unique = (rows: Datum[][]) => [...new Map(rows.map((r) => [valueText(r), r])).values()];

test('the distinct rows of an append-only input', () => {
  const node: PlanNode = { op: 'distinct', inputs: [], types, names };
  checkOperator(
    { node, inputTypes: [types], row, appendOnly: true, anyLook: true, naive: ([rows]) => unique(rows) },
    seed,
  );
});

for (const keys of [[3, 0], [1], [2, 1]]) {
  test(`the groups of an append-only input by ${keys.map((k) => names[k])}`, () => {
    const pick = (from: Datum[]) => keys.map((k) => from[k]);
    const node: PlanNode = {
      op: 'aggregate',
      inputs: [],
      types: keys.map((k) => types[k]),
      names: keys.map((k) => names[k]),
      keys,
      calls: [],
      global: false,
    };
    checkOperator(
      { node, inputTypes: [types], row, appendOnly: true, anyLook: true, naive: ([rows]) => unique(rows.map(pick)) },
      seed,
    );
  });
}

/** Bids of windows that end as the watermark moves. */
const WINDOW = 1n << 20n;
const bids = [colType(OID.int8), colType(OID.timestamp), colType(OID.text)];

interface Shape {
  keys: number[];
  nullSafe?: boolean;
  /** Of the DISTINCTs and of the join; none: nothing frees. */
  lags?: [bigint, bigint];
  /** Different texts. */
  texts?: number;
}

/** Joins of two DISTINCTs, whose indexes have the distinct rows. */
function checkJoin(kind: JoinKind, { keys, nullSafe = false, lags, texts = 2 }: Shape, same: boolean): void {
  let now = 0n;
  const frees = (input: number, lag: bigint, sources: number[]): Retention[] => [
    { input, column: 1, lag, strict: true, sources },
  ];
  const columns = kind === 'semi' || kind === 'anti' ? bids : [...bids, ...bids];
  const node: PlanNode & { op: 'join' } = {
    op: 'join',
    kind,
    inputs: [],
    types: columns,
    names: columns.map((_, c) => `c${c}`),
    leftKeys: keys,
    rightKeys: keys,
    nullSafe: keys.map(() => nullSafe),
    nullAware: false,
    residual: null,
    frees: lags === undefined ? [] : [0, 1].flatMap((input) => frees(input, lags[1], [0, 1])),
  };
  checkOperator(
    {
      node,
      inputTypes: [bids, bids],
      appendOnly: true,
      clock: WINDOW,
      same,
      distinct: (same ? [0] : [0, 1]).map((i) => (lags === undefined ? [] : frees(0, lags[0], [i]))),
      row: (_, random) => [
        random.pick([null, 1n, 2n, 3n]),
        random.below(9) === 0 ? null : (now / WINDOW + 1n + BigInt(random.below(2))) * WINDOW,
        random.below(9) === 0 ? null : `${random.below(texts)}`.repeat(random.pick([1, 20])),
      ],
      naive: ([left, right], facts, errors) => {
        now = facts.now;
        return joinRows(node, unique(left), unique(right), [bids, bids], errors);
      },
    },
    seed,
  );
}

for (const kind of ['inner', 'left', 'full', 'semi', 'anti'] as const) {
  for (const same of [false, true]) {
    const name = `${kind} join of distinct rows${same ? ' with themselves' : ''}`;
    const keys = [0, 1, 2];
    test(name, () => checkJoin(kind, { keys, lags: [0n, 0n] }, same));
    test(`${name}, keys in another order and NULLs`, () =>
      checkJoin(kind, { keys: [1, 2, 0], nullSafe: true, lags: [0n, WINDOW] }, same));
    test(`${name}, which stay longer than the join asks`, () => checkJoin(kind, { keys, lags: [WINDOW, 0n] }, same));
    test(`${name} that stay`, () => checkJoin(kind, { keys: [2, 1, 0] }, same));
    test(`${name} by two columns`, () => checkJoin(kind, { keys: [1, 0], lags: [0n, 0n] }, same));
    test(`${name} by one column and NULLs`, () =>
      checkJoin(kind, { keys: [1], nullSafe: true, lags: [0n, 0n], texts: 4 }, same));
    test(`${name} by a column with many rows`, () => checkJoin(kind, { keys: [0], texts: 30 }, same));
  }
}

test('rows are held in an index that forgets none too early', () => {
  const by = (lag: bigint, strict: boolean, sources: number[]): Retention => ({
    input: 0,
    column: 1,
    lag,
    strict,
    sources,
  });
  const own = [by(5n, false, [1])];
  const operator = new FirstSeenOperator([0, 1], bids.slice(0, 2), own);
  const holds = (keyColumns: number[], frees: Retention[]) =>
    operator.canHoldIn({ keyColumns, nullKeys: false, frees });
  assert.ok(holds([1, 0], []));
  assert.ok(holds([0, 1], own));
  assert.ok(holds([0, 1], [by(6n, true, [2, 1])]));
  assert.ok(holds([0, 1], [by(0n, false, [2]), by(5n, false, [1])]));
  assert.ok(!holds([0, 1], [by(5n, true, [1])]));
  assert.ok(!holds([0, 1], [by(4n, false, [1])]));
  assert.ok(!holds([0, 1], [by(5n, false, [2])]));
  assert.ok(!holds([0, 1], [{ ...own[0], nullsDead: true }]));
  assert.ok(!holds([0, 1], [{ ...own[0], column: 0 }]));
  assert.ok(holds([1], own));
  assert.ok(!holds([0], own));
  assert.ok(!holds([], []));
  assert.ok(
    !new FirstSeenOperator([0, 1], bids.slice(0, 2), []).canHoldIn({ keyColumns: [0, 1], nullKeys: true, frees: own }),
  );
  assert.ok(
    !new FirstSeenOperator([0], [colType(OID.float8)], []).canHoldIn({ keyColumns: [0], nullKeys: true, frees: [] }),
  );
  operator.release();
});

/** A DISTINCT of bids that holds its rows in an index by the first column. */
class Held {
  readonly #types = [bids[0], bids[2]];
  readonly #arena = new Arena();
  readonly node = new FlowNode({ op: 'distinct', inputs: [], types: this.#types, names: ['a', 'b'], appendOnly: true });
  readonly #spec = { keyColumns: [0], nullKeys: true, frees: [] };
  readonly index: KeyedIndex;

  constructor() {
    this.node.operator = new FirstSeenOperator([0, 1], this.#types);
    this.index = this.node.readIndex(this.#spec, this.node, () => undefined) as KeyedIndex;
  }

  /** One tick; gives the rows that were new. */
  take(rows: Datum[][]): string[] {
    const arena = this.#arena;
    // What a DISTINCT looks at of a tick.
    this.node.run([batchFromRows(this.#types, rows, arena)], { arena } as Tick);
    const { output } = this.node;
    const found = Array.from({ length: output.n }, (_, i) => rowText(readRow(output, i)));
    this.node.endTick();
    arena.reset();
    return found.sort();
  }

  chill(): void {
    this.index.chill(Number.POSITIVE_INFINITY);
    assert.ok(this.index.coldBytes > 0);
  }

  get isHeld(): boolean {
    return this.node.indexes.get(indexName(this.#spec))?.holds === true;
  }

  release(): void {
    this.node.release();
    this.#arena.release();
  }
}

function withStore(work: () => void): void {
  cold.store = new MemoryColdStore();
  try {
    work();
  } finally {
    cold.store = null;
  }
}

const longText = (i: number) => `a text that lies outside of its slot, ${i}`;

test('an index with cold rows holds on though its keys have many rows', () => {
  withStore(() => {
    const used = pages.usedPages;
    const held = new Held();
    const rows = Array.from({ length: 3000 }, (_, i): Datum[] => [BigInt(i % 1000), longText(i)]);
    for (let i = 0; i < 3; i++) held.take(rows.slice(i * 1000, (i + 1) * 1000));
    held.chill();
    assert.deepEqual(held.take(rows), []);
    assert.ok(!held.index.isCrowded);
    assert.equal(held.isHeld, true);
    const crowd = Array.from({ length: 100 }, (_, i): Datum[] => [-1n, longText(i)]);
    assert.deepEqual(held.take(crowd), crowd.map(rowText).sort());
    assert.ok(held.index.isCrowded);
    assert.equal(held.isHeld, true);
    for (let i = 0; i < 4; i++) assert.deepEqual(held.take(rows), []);
    bringBack(Number.POSITIVE_INFINITY);
    assert.equal(held.index.coldBytes, 0);
    assert.equal(held.isHeld, true);
    assert.deepEqual(held.take(rows.slice(0, 1)), []);
    assert.equal(held.isHeld, false);
    assert.deepEqual(held.take([...rows, ...crowd]), []);
    assert.deepEqual(held.take([[5n, 'new']]), ['["5n","new"]']);
    held.release();
    assert.equal(pages.usedPages, used);
  });
});

test('rows that do not fit twice stay in the index', () => {
  withStore(() => {
    const used = pages.usedPages;
    const held = new Held();
    const rows = Array.from({ length: 30_000 }, (_, i): Datum[] => [BigInt(i % 10_000), longText(i)]);
    for (let i = 0; i < 3; i++) held.take(rows.slice(i * 10_000, (i + 1) * 10_000));
    held.chill();
    const allocate = pages.allocate;
    let failed = 0;
    for (; ; failed++) {
      const before = held.node.figures().stateRows;
      const most = pages.usedPages;
      let rest = failed;
      pages.allocate = (count) => {
        if (rest-- <= 0) throw new OutOfMemory(count, 0);
        return allocate.call(pages, count);
      };
      try {
        held.node.holdApart();
        break;
      } catch (error) {
        assert.ok(error instanceof OutOfMemory);
      } finally {
        pages.allocate = allocate;
      }
      assert.equal(held.isHeld, true);
      assert.equal(pages.usedPages, most);
      assert.equal(held.node.figures().stateRows, before);
      if (failed === 3) assert.deepEqual(held.take([...rows, [1n, 'new']]), ['["1n","new"]']);
    }
    assert.ok(failed > 4);
    assert.equal(held.isHeld, false);
    assert.deepEqual(held.take([...rows, [1n, 'new'], [2n, 'new']]), ['["2n","new"]']);
    held.release();
    assert.equal(pages.usedPages, used);
  });
});
