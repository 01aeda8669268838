/**
 * Which sources of a plan that is read once could give only the rows of some keys, by an index.
 *
 *   small JOIN big ON small.k = big.id        of the keys that `small` has
 *   big WHERE id IN (1, 2, 3)                 of these
 *
 * A side of a join qualifies when its rows without a partner leave no trace, and between the source and the join there are maps alone that pass the key columns on, or
 * widen them. Whether there are few keys is known when the other side has been read (narrowed_plan.ts).
 */
import { type Datum, isPgArray } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan, JoinKind, PlanNode } from '../../operators/plan.ts';
import { isEquality } from '../../planner/analyse/functions.ts';
import { isSameKind, narrowestOf } from '../../planner/analyse/key_values.ts';
import { conjuncts } from '../../planner/logical/expressions.ts';

type Join = Extract<PlanNode, { op: 'join' }>;
type Source = Extract<PlanNode, { op: 'source' }>;

export interface KeyedSource {
  /** Number of its node, and of the node that wants no other rows of it. */
  source: number;
  reader: number;
  relation: number;
  /** The source's columns. */
  shown: number[];
  /** Columns of an index of the relation. */
  columns: number[];
  keys: OtherSide | Datum[];
}

/** The join's other input, and for each column of the index where its rows have the value. */
export interface OtherSide {
  node: number;
  from: number[];
}

type IndexesOf = (relation: number) => number[][];

/** The sides, 0 and 1, whose rows without a partner are not seen. */
const SIDES: Record<JoinKind, number[]> = { inner: [1, 0], left: [1], right: [0], full: [], semi: [1, 0], anti: [1] };

/** In the order of the plan. `indexesOf`: the columns of each index of a relation. */
export function keyedSources(plan: DataflowPlan, indexesOf: IndexesOf): KeyedSource[] {
  const { nodes, root } = plan;
  const readers = nodes.map((_, i) => (i === root ? 1 : 0));
  for (const { inputs } of nodes) for (const i of inputs) readers[i]++;
  const found = nodes.flatMap((node): (KeyedSource | null)[] => {
    if (node.op === 'map') return [listedSource(plan, node, indexesOf)];
    if (node.op !== 'join' || node.nullAware) return [];
    return SIDES[node.kind].map((side) => joinedSource(plan, node, side, readers, indexesOf));
  });
  return found.filter((source) => source !== null);
}

function joinedSource(
  { nodes }: DataflowPlan,
  join: Join,
  side: number,
  readers: number[],
  indexesOf: IndexesOf,
): KeyedSource | null {
  const [own, others] = side === 0 ? [join.leftKeys, join.rightKeys] : [join.rightKeys, join.leftKeys];
  /** Where the node at hand has the join's keys; -1: it does not show them. */
  let places = own.map((place, i) => (join.nullSafe[i] ? -1 : place));
  let reader = nodes.indexOf(join);
  let at = join.inputs[side];
  // The same node on both sides would not know which of them is meant.
  if (join.inputs[0] === join.inputs[1]) return null;
  for (let node = nodes[at]; ; node = nodes[at]) {
    if (node.op === 'map' && node.eachRow !== true && readers[at] === 1) {
      const { project } = node;
      places = places.map((place) => (project === null || place < 0 ? place : columnBehind(project[place])));
      reader = at;
      [at] = node.inputs;
      continue;
    }
    if (node.op !== 'source') return null;
    const columns = places.map((place) => (place < 0 ? -1 : (node as Source).columns[place]));
    const index = indexWithin(columns, node, indexesOf);
    if (index === null) return null;
    const from = index.map((column) => others[columns.indexOf(column)]);
    return keyedSource([at, reader], node, index, { node: join.inputs[1 - side], from });
  }
}

/** A source right below a filter that wants a column to be one of a list of constants. */
function listedSource(
  { nodes }: DataflowPlan,
  map: Extract<PlanNode, { op: 'map' }>,
  indexesOf: IndexesOf,
): KeyedSource | null {
  const {
    filter,
    inputs: [at],
  } = map;
  const node = nodes[at];
  if (node.op !== 'source' || filter === null) return null;
  for (const e of conjuncts(filter)) {
    if (e.k !== 'anyall' || e.all || !isEquality(e.fn)) continue;
    const column = columnBehind(e.left);
    const values = column < 0 ? null : listed(e.right, node.types[column].oid);
    const index = values === null ? null : indexWithin([node.columns[column]], node, indexesOf);
    if (values !== null && index !== null) return keyedSource([at, nodes.indexOf(map)], node, index, values);
  }
  return null;
}

function keyedSource(
  [source, reader]: [number, number],
  { relation, columns: shown }: Source,
  columns: number[],
  keys: KeyedSource['keys'],
): KeyedSource {
  return { source, reader, relation, shown, columns, keys };
}

/** An index whose columns are all among these. */
function indexWithin(columns: number[], { relation, lookup }: Source, indexesOf: IndexesOf): number[] | null {
  if (lookup !== undefined) return null;
  return indexesOf(relation).find((c) => c.length > 0 && c.every((column) => columns.includes(column))) ?? null;
}

/** The column that an expression shows, perhaps as a wider type of its kind; -1: it is more than that. */
function columnBehind(e: Expr): number {
  const column = narrowestOf(e);
  return column.k === 'col' ? column.id : -1;
}

/** The values of a list of constants that are of the column's kind; null: it is something else. */
function listed(e: Expr, oid: number): Datum[] | null {
  if (e.k === 'const') return isPgArray(e.v) && isSameKind(e.v.elem, oid) ? e.v.items : null;
  if (e.k !== 'array') return null;
  const values = e.items.flatMap((item) => (item.k === 'const' && isSameKind(item.t.oid, oid) ? [item.v] : []));
  return values.length === e.items.length ? values : null;
}
