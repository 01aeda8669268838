/**
 * A plan that is read once, without the scans that a join of few rows makes needless: the few rows first, then of the large relation the rows of their keys, by its index.
 *
 *   few rows: a list of constants, or the other side of a join -> read now, its rows stand in its place
 *   keys of these -> rows by the index, which stand in the source's place
 *
 * Before that, ranges of keys and the first rows in an order, where an index has its keys in that (ordered_reads.ts).
 *
 * So is, before that, an index over a part of the rows that has few, where the filter right above the source wants no others.
 *
 * Repeated while there is such a join, so that a chain of joins by key is looked up link by link. What comes out is what the whole plan gives: the join drops
 * the other rows anyway. All of it happens without leaving the present tick. Nothing is read twice, since expressions may be volatile.
 */
import { type Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { batchFromRows, readDatum } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import type { DataflowPlan } from '../../operators/plan.ts';
import type { ColType } from '../../operators/types.ts';
import { asKey } from '../../planner/analyse/key_values.ts';
import { type KeyedSource, keyedSources } from './keyed_sources.ts';
import { readByOrder, servedSources } from './ordered_reads.ts';
import { planBelow, withoutUnread } from './plan_below.ts';
import { copyOut, isIndexed, type Reader, readSoon, rowsOfKeys, rowsWithin } from './reads.ts';
import { distinctRows } from './rows_in_index.ts';
import { readsStream, scannedRows } from './sliced_read.ts';

/** The other side reads no more rows than this. */
const FEW_ROWS = 4096;
/** Rows found by key in one turn. */
const MOST_FOUND = 16384;
/** Looking a row up costs about as much as scanning so many. */
const SCANNED_A_LOOKUP = 8;

export interface NarrowedPlan {
  plan: DataflowPlan;
  /** Has the rows that stand in the plan. */
  reader: Reader;
  release(): void;
}

/** The plan, unchanged where there is nothing to gain. */
export function narrowed(plan: DataflowPlan, reader: Reader): NarrowedPlan {
  const work = new Narrowing(plan, reader);
  try {
    work.readByOrder();
    work.readWithin();
    while (work.next());
    return work;
  } catch (error) {
    work.release();
    throw error;
  }
}

/** A source as one of its readers sees it, and its columns. */
type Place = Pick<KeyedSource, 'source' | 'reader' | 'shown'>;

class Narrowing implements NarrowedPlan {
  plan: DataflowPlan;
  readonly reader: Reader;
  /** Rows by the relation that stands for them, below 0. */
  readonly #given = new Map<number, Batch>();
  readonly #arenas: Arena[] = [];
  /** Relations whose rows are too many for their keys. */
  readonly #refused = new Set<number>();

  constructor(plan: DataflowPlan, reader: Reader) {
    this.plan = plan;
    const { sources } = reader;
    this.reader = {
      ...reader,
      sources: {
        system: (relation, context) => this.#given.get(relation) ?? sources.system(relation, context),
        stream: (relation) => sources.stream(relation),
      },
    };
  }

  /** Ranges of keys, and the first in an order, where an index has its keys in that. */
  readByOrder(): void {
    let refused = 0;
    for (;;) {
      const source = servedSources(this.plan, this.reader)[refused];
      if (source === undefined) return;
      const found = readByOrder(this.plan, source, this.reader);
      if (found === null) refused++;
      else {
        this.#arenas.push(found.arena);
        this.#putKeyed(source, found.batch);
        this.plan = withoutUnread(this.plan);
      }
    }
  }

  /** All rows of an index over a part of them, where these are few and no others are wanted. */
  readWithin(): void {
    for (const [i, node] of this.plan.nodes.entries()) {
      if (node.op !== 'source' || node.within === undefined) continue;
      const { relation, within, columns } = node;
      const stored = this.reader.loop.relations.get(relation);
      const most = Math.min(FEW_ROWS, (stored?.rows ?? 0) / SCANNED_A_LOOKUP);
      const found = withScratch((scratch) => {
        const rows = rowsWithin(relation, within, most, this.reader, scratch);
        return rows === null ? null : copyOut(rows);
      });
      if (found === null) continue;
      this.#arenas.push(found.arena);
      const nodes = [...this.plan.nodes];
      nodes[i] = this.#standIn(i, found.batch, columns);
      this.plan = { ...this.plan, nodes };
    }
  }

  /** One source less to scan; false: there is none. */
  next(): boolean {
    const found = this.#keyedSources().find((source) => this.#isFew(source));
    if (found === undefined) return false;
    const { keys, relation } = found;
    const rows = 'node' in keys ? this.#rowsOf(keys.node) : null;
    const keyed = 'node' in keys && rows === null ? null : this.#keyed(found, rows);
    if (keyed === null) this.#refused.add(relation);
    else this.#putKeyed(found, keyed);
    this.plan = withoutUnread(this.plan);
    return true;
  }

  #keyedSources(): KeyedSource[] {
    const { relations } = this.reader.loop;
    return keyedSources(this.plan, (relation) =>
      this.#refused.has(relation) ? [] : (relations.get(relation)?.indexedColumns() ?? []),
    );
  }

  #isFew({ relation, columns, keys }: KeyedSource): boolean {
    if (!isIndexed(relation, columns, this.reader)) return false;
    if (!('node' in keys)) return true;
    const below = planBelow(this.plan, keys.node);
    return below !== null && !readsStream(below, this.reader) && scannedRows(below, this.reader) <= FEW_ROWS;
  }

  /** The rows of a node, which stand in its place from now on; null: they are not to be had soon. */
  #rowsOf(node: number): Batch | null {
    const spec = this.plan.nodes[node];
    const known = spec.op === 'source' ? this.#given.get(spec.relation) : undefined;
    if (known !== undefined) return known;
    const below = planBelow(this.plan, node) as DataflowPlan;
    const found = readSoon(below, spec.types.length, this.reader);
    if (found === null) return null;
    this.#arenas.push(found.arena);
    this.#put(node, found.batch);
    return found.batch;
  }

  /** Rows in the place of a node. */
  #put(node: number, rows: Batch): void {
    const nodes = [...this.plan.nodes];
    nodes[node] = this.#standIn(
      node,
      rows,
      rows.columns.map((_, c) => c),
    );
    this.plan = { ...this.plan, nodes };
  }

  /** Rows beside a source, which one of its readers gets in its place. */
  #putKeyed({ source, reader, shown }: Place, rows: Batch): void {
    const { nodes, root } = this.plan;
    const moved = (node: number) => (node >= source ? node + 1 : node);
    const standIn = this.#standIn(source, rows, shown);
    const all = nodes.map((node, i) => {
      const inputs = node.inputs.map((input) => (i === reader && input === source ? source : moved(input)));
      return { ...node, inputs };
    });
    all.splice(source, 0, standIn);
    this.plan = { nodes: all, root: moved(root) };
  }

  #standIn(node: number, rows: Batch, columns: number[]): DataflowPlan['nodes'][number] {
    const relation = -1 - this.#given.size;
    this.#given.set(relation, rows);
    const { types, names, appendOnly } = this.plan.nodes[node];
    return { op: 'source', relation, columns, inputs: [], types, names, appendOnly };
  }

  /** The relation's rows of the keys, which are listed or in `rows`; null when a scan is as good. */
  #keyed({ relation, columns, keys }: KeyedSource, rows: Batch | null): Batch | null {
    const stored = this.reader.loop.relations.get(relation);
    const count = 'node' in keys ? (rows?.n ?? 0) : keys.length;
    if (stored === undefined || count > FEW_ROWS) return null;
    return withScratch((scratch) => {
      const values = 'node' in keys ? keysIn(rows as Batch, keys.from) : keys.map((value) => [value]);
      const wanted = distinctKeys(
        values,
        columns.map((c) => stored.types[c]),
        scratch,
      );
      const most = Math.min(MOST_FOUND, stored.rows / SCANNED_A_LOOKUP);
      if (wanted.n > most || stored.countOfKeys(columns, wanted, scratch) > most) return null;
      const { batch, arena } = copyOut(rowsOfKeys(relation, columns, wanted, this.reader, scratch));
      this.#arenas.push(arena);
      return batch;
    });
  }

  release(): void {
    for (const arena of this.#arenas) arena.release();
  }
}

function keysIn(rows: Batch, from: number[]): Datum[][] {
  const columns = from.map((c) => rows.columns[c]);
  return Array.from({ length: rows.n }, (_, row) => columns.map((column) => readDatum(column, row)));
}

/** The keys as these types, each once; a NULL, or what the type does not have, is no key. */
function distinctKeys(keys: Datum[][], types: ColType[], arena: Arena): Batch {
  const own = keys.map((key) => key.map((value, i) => asKey(value, types[i].oid)));
  const all = batchFromRows(
    types,
    own.filter((key) => !key.includes(null)),
    arena,
  );
  return distinctRows([all], types, arena);
}
