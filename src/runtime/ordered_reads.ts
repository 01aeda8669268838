/**
 * The rows of a range of keys, or the first in the order of an index, by the keys of the index in order (key_order.ts): little is read where little is wanted.
 *
 *   filter -> limits -> range of positions -> keys -> rows by the index
 *   first n:  keys from one end of the range on, whole groups of equal sort keys, until n rows have passed the maps above the source; four times as many keys at each attempt
 *
 * The operators above stay and do what they did: what is read here only has to have all rows that they would let through, so it is right whatever the range leaves in.
 * Which way is cheaper is known, not guessed: an order knows how many keys there are between two.
 */
import { type Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { readDatum, totalWeight, weightOf } from '../../operators/batch/builder.ts';
import { oneBatch } from '../../operators/batch/one_batch.ts';
import { checked } from '../../operators/batch/pages.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { DataflowPlan, PlanNode, SortKey } from '../../operators/plan.ts';
import type { KeyOrder } from '../../operators/state/key_order.ts';
import type { KeyedIndex } from '../../operators/state/keyed_index.ts';
import { isOrdered, type KeyRange, type Limit, limitsOf, rangeOf, stretchOf } from './key_range.ts';
import { type OrderedSource, orderedSources } from './ordered_sources.ts';
import { ReadTurns } from './read_turns.ts';
import { copyOut, type Reader, type ReadResult, readNow, rowsOfKeys } from './reads.ts';
import { distinctRows, rowsIfFew } from './rows_in_index.ts';
import { readsStream } from './sliced_read.ts';
import type { StoredRelation } from './stored_relation.ts';
import { droppedMeanwhile } from './write_conflict.ts';

/** Relations with fewer rows are scanned; few in debug builds, so that all tests have orders. */
const LEAST_ROWS = checked ? 16 : 1024;
/** Rows found in one turn. */
const MOST_FOUND = 16384;
/** Looking a row up costs about as much as scanning so many; few in debug builds, whose tables are small. */
const SCANNED_A_LOOKUP = checked ? 2 : 8;
/** Keys of the first attempt, and how many times as many each one after it has. */
const LEAST_KEYS = 16;
const GROWTH = 4;
/** So many are looked at one by one. */
const FEW_ROWS = 64;
/** Stands for the rows that were found while they are looked at. */
const FOUND = -1;

type First = NonNullable<OrderedSource['first']>;

interface Candidate {
  index: KeyedIndex;
  range: KeyRange;
}

/** An index whose keys are in an order that is asked for: as far as the first `columns` of them make it, of which `key` wants the first whose values differ. */
interface InOrder extends Candidate {
  columns: number;
  key: SortKey;
}

/** Keys in the order that is asked for, as far as the first `columns` of them make it: stretches of positions, one after the other. */
interface Walk {
  index: KeyedIndex;
  order: KeyOrder;
  columns: number;
  backward: boolean;
  stretches: Span[];
  /** In all of them. */
  keys: number;
}

interface Span {
  from: number;
  to: number;
}

/** Sources of a plan that an index's order could serve. */
export function servedSources(plan: DataflowPlan, { loop }: Reader): OrderedSource[] {
  return orderedSources(plan, (relation) => (loop.relations.get(relation)?.rows ?? 0) >= LEAST_ROWS);
}

/** Makes the orders that reads have asked for before, in pieces: what follows may be of a later tick, with the reader's own seen by its transaction. Throws WriteConflict where a relation of the plan has gone by then. */
export async function makeOrders(plan: DataflowPlan, reader: Reader, signal: AbortSignal): Promise<void> {
  if (readsStream(plan, reader)) return;
  const { relations } = reader.loop;
  const turns = new ReadTurns(signal);
  const asked = new Set<KeyedIndex>();
  const read = plan.nodes.flatMap((node) =>
    node.op === 'source' && relations.has(node.relation) ? [node.relation] : [],
  );
  for (const source of servedSources(plan, reader)) {
    const stored = relations.get(source.relation);
    if (stored === undefined) continue;
    for (const index of indexesFor(source, stored, reader)) {
      const order = asked.has(index) ? null : stored.orders.ask(index);
      asked.add(index);
      while (order !== null && stored.orders.build(index, order)) await turns.pause();
    }
  }
  if (!read.every((relation) => relations.has(relation))) throw droppedMeanwhile();
}

/** The indexes whose orders would serve best. */
export function indexesFor(source: OrderedSource, stored: StoredRelation, reader: Reader): Set<KeyedIndex> {
  const limits = limitsIn(source, stored, reader);
  if (source.first === null) {
    const best = narrowest(candidates(stored, limits));
    return new Set(best === null ? [] : [best.index]);
  }
  const found = source.first.orders.map((order) => narrowest(inOrder(stored, limits, order)));
  return new Set(found.includes(null) ? [] : found.map((each) => (each as Candidate).index));
}

function narrowest(all: Candidate[]): Candidate | null {
  return all.reduce<Candidate | null>((best, each) => {
    return best === null || weightOfRange(each.range) > weightOfRange(best.range) ? each : best;
  }, null);
}

/** The more values are fixed, and then limited to both sides, the fewer keys there are, most likely. */
function weightOfRange({ equal, lower, upper }: KeyRange): number {
  return equal.length * 4 + Math.min(lower.length, 1) + Math.min(upper.length, 1);
}

function limitsIn({ filter, shown }: OrderedSource, { types }: StoredRelation, { context }: Reader): Limit[] {
  return filter === null ? [] : limitsOf(filter, { columns: shown, types, context });
}

/** Columns of the indexes whose keys can be put in order. */
function orderable(stored: StoredRelation): number[][] {
  return stored.indexedColumns().filter((columns) => columns.every((c) => isOrdered(stored.types[c])));
}

function candidates(stored: StoredRelation, limits: Limit[]): Candidate[] {
  return orderable(stored).flatMap((columns) => {
    const range = rangeOf(columns, limits);
    const index = stored.index(columns);
    return range === null || index === undefined ? [] : [{ index, range }];
  });
}

/** Indexes whose keys are in this order, at least by its first column, where the filter leaves one value of the columns in front of that. */
function inOrder(stored: StoredRelation, limits: Limit[], order: SortKey[]): InOrder[] {
  return orderable(stored).flatMap((columns) => {
    const index = stored.index(columns) as KeyedIndex;
    const range = rangeOf(columns, limits) ?? { equal: [], lower: [], upper: [] };
    const fixed = columns.slice(0, range.equal.length);
    const keys = order.filter(({ col }) => !fixed.includes(col));
    let same = 0;
    const isNext = ({ col, desc, nullsFirst }: SortKey) =>
      col === columns[fixed.length + same] && desc === keys[0].desc && (same === 0 || nullsFirst === desc);
    while (same < keys.length && isNext(keys[same])) same++;
    return same === 0 ? [] : [{ index, range, columns: fixed.length + same, key: keys[0] }];
  });
}

/** The rows that a source has to give, in place of all, and the columns of the index that they were found by; null: they are not known, or a scan is as good. */
export function readByOrder(
  plan: DataflowPlan,
  source: OrderedSource,
  reader: Reader,
): (ReadResult & { columns: number[] }) | null {
  const stored = reader.loop.relations.get(source.relation) as StoredRelation;
  const most = Math.min(MOST_FOUND, Math.floor(stored.rows / SCANNED_A_LOOKUP));
  return withScratch((scratch) => {
    const read = new OrderedRead(plan, source, stored, reader, { rows: most, arena: scratch });
    const found = source.first === null ? read.range() : read.first(source.first);
    return found === null ? null : { ...copyOut(found.rows), columns: found.columns };
  });
}

/** Rows of the relation, and the columns of the index by which they were found. */
interface Found {
  rows: Batch;
  columns: number[];
}

class OrderedRead {
  readonly #plan: DataflowPlan;
  readonly #source: OrderedSource;
  readonly #stored: StoredRelation;
  readonly #reader: Reader;
  readonly #limits: Limit[];
  readonly #most: number;
  readonly #arena: Arena;

  /** `most`: rows that may be found, and where. */
  constructor(
    plan: DataflowPlan,
    source: OrderedSource,
    stored: StoredRelation,
    reader: Reader,
    most: { rows: number; arena: Arena },
  ) {
    this.#plan = plan;
    this.#source = source;
    this.#stored = stored;
    this.#reader = reader;
    this.#limits = limitsIn(source, stored, reader);
    this.#most = most.rows;
    this.#arena = most.arena;
  }

  /** Of the range of the fewest keys. */
  range(): Found | null {
    let best: { index: KeyedIndex; order: KeyOrder; span: Span } | null = null;
    for (const { index, range } of candidates(this.#stored, this.#limits)) {
      const order = this.#stored.orders.ready(index);
      if (order === null) continue;
      const span = stretchOf(order, range);
      if (best === null || span.to - span.from < best.span.to - best.span.from) best = { index, order, span };
    }
    if (best === null) return null;
    const { index, order, span } = best;
    const rows = this.#isLive ? this.#rowsOf(index, order, [span]) : this.#corrected(index, order, span);
    if (rows === null) return null;
    this.#stored.orders.used(index);
    return { rows, columns: index.keyColumns };
  }

  /** Whether the reader sees the rows as they are now. */
  get #isLive(): boolean {
    return !this.#reader.transaction.corrects(this.#source.relation);
  }

  /** The live rows of these keys. */
  #rowsOf(index: KeyedIndex, order: KeyOrder, spans: Span[]): Batch | null {
    const keys = spans.reduce((sum, { from, to }) => sum + to - from, 0);
    if (keys > this.#most) return null;
    const gone: number[] = [];
    try {
      const pieces: Batch[] = [];
      for (const { from, to } of spans) {
        const rows = rowsIfFew(index, order.keys(from, to, this.#arena), this.#most, this.#arena, (key) => {
          gone.push(from + key);
        });
        if (rows === null) return null;
        pieces.push(rows);
      }
      return oneBatch(pieces, this.#stored.types, this.#arena);
    } finally {
      order.forget(gone.sort((a, b) => a - b));
    }
  }

  /** The rows of the range as the reader sees them: those of the keys that there are now, and of all keys that it sees otherwise. */
  #corrected(index: KeyedIndex, order: KeyOrder, { from, to }: Span): Batch | null {
    const { transaction } = this.#reader;
    const { relation } = this.#source;
    const others = transaction.corrections(relation).map(({ batch }) => batch);
    const keys = others.reduce((sum, { n }) => sum + n, to - from);
    if (transaction.ofKeys === null || keys > this.#most) return null;
    const batches = others.map(({ n, columns, weights }) => ({
      n,
      columns: index.keyColumns.map((c) => columns[c]),
      weights,
    }));
    const wanted = distinctRows([order.keys(from, to, this.#arena), ...batches], order.types, this.#arena);
    if (this.#stored.countOfKeys(index.keyColumns, wanted, this.#arena) > this.#most) return null;
    return rowsOfKeys(relation, index.keyColumns, wanted, this.#reader, this.#arena);
  }

  /** The first rows in each of some orders. */
  first({ orders, rows, maps }: First): Found | null {
    if (!this.#isLive || this.#stored.store.negative > 0 || rows > this.#most) return null;
    const pieces: Found[] = [];
    for (const order of orders) {
      const found = this.#firstOf(order, rows, maps);
      if (found === null) return null;
      pieces.push(found);
    }
    const batches = pieces.map((piece) => piece.rows);
    return { rows: oneBatch(batches, this.#stored.types, this.#arena), columns: pieces[0].columns };
  }

  /** By the index that leaves the fewest keys. */
  #walk(wanted: SortKey[]): Walk | null {
    let best: Walk | null = null;
    for (const { index, range, columns, key } of inOrder(this.#stored, this.#limits, wanted)) {
      const order = this.#stored.orders.ready(index);
      if (order === null) continue;
      const { from, nulls, to } = stretchOf(order, range);
      if (best !== null && to - from >= best.keys) continue;
      const [values, rest] = [
        { from, to: nulls },
        { from: nulls, to },
      ];
      const stretches = key.nullsFirst ? [rest, values] : [values, rest];
      best = { index, order, columns, backward: key.desc, stretches, keys: to - from };
    }
    return best;
  }

  #firstOf(order: SortKey[], rows: number, maps: First['maps']): Found | null {
    for (let keys = Math.max(rows, Math.min(LEAST_KEYS, this.#most)); ; keys *= GROWTH) {
      const walk = this.#walk(order);
      if (walk === null) return null;
      const found = this.#rowsOf(walk.index, walk.order, spansOf(walk, keys));
      if (found === null) return null;
      if (keys < walk.keys && this.#passing(found, maps) < rows) continue;
      this.#stored.orders.used(walk.index);
      return { rows: found, columns: walk.index.keyColumns };
    }
  }

  /** How many of these rows come out of the maps. */
  #passing(rows: Batch, maps: First['maps']): number {
    const filtered = maps.slice(0, maps.findLastIndex(({ filter }) => filter !== null) + 1);
    if (filtered.length === 0) return totalWeight(rows);
    return rows.n <= FEW_ROWS ? this.#passingOfFew(rows, filtered) : this.#passingOfMany(rows, filtered);
  }

  /** One by one: code for these maps would take longer to make. */
  #passingOfFew(rows: Batch, maps: First['maps']): number {
    const { context } = this.#reader;
    let sum = 0;
    for (let row = 0; row < rows.n; row++) {
      let values = this.#source.shown.map((c) => readDatum(rows.columns[c], row));
      const passes = maps.every(({ filter, project }) => {
        if (filter !== null && evaluate(filter, values, context) !== true) return false;
        values = project?.map((e) => evaluate(e, values, context)) ?? values;
        return true;
      });
      if (passes) sum += weightOf(rows, row);
    }
    return sum;
  }

  #passingOfMany(rows: Batch, maps: First['maps']): number {
    const source = { ...this.#plan.nodes[this.#source.source], relation: FOUND } as PlanNode;
    const nodes = [source, ...maps.map((map, i) => ({ ...map, inputs: [i] }))];
    const { sources } = this.#reader;
    const reader: Reader = {
      ...this.#reader,
      sources: {
        system: (relation, context) => (relation === FOUND ? rows : sources.system(relation, context)),
        stream: (relation) => sources.stream(relation),
      },
    };
    const { batch, arena } = readNow({ nodes, root: maps.length }, 0, [], reader);
    arena.release();
    return batch.n;
  }
}

/** Where so many keys of a walk are, and those that are in no order with the last one. */
function spansOf({ order, columns, backward, stretches }: Walk, keys: number): Span[] {
  const spans: Span[] = [];
  let left = keys;
  for (const { from, to } of stretches) {
    if (left <= 0) break;
    const some = Math.min(left, to - from);
    left -= some;
    if (some === to - from) spans.push({ from, to });
    else if (backward) spans.push({ from: Math.max(from, order.endOfGroup(to - some, columns, true)), to });
    else spans.push({ from, to: Math.min(to, order.endOfGroup(from + some - 1, columns, false)) });
  }
  return spans;
}
