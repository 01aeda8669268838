/**
 * Which sources of a plan that is read once could give only the rows of a range of keys, or the first ones in the order of an index.
 *
 *   filter (id BETWEEN 3 AND 9) over source            the rows of this range
 *   top-n (order by ts desc limit 10) over maps over source      the last keys of an index of ts, until ten rows have passed the maps
 *   aggregate (min(id), max(id)) over maps over source           of each the first that has passed
 *
 * Between the source and its reader there are maps alone that nobody else reads. Whether an index has its keys in order, and how many there are: ordered_reads.ts.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan, PlanNode, SortKey } from '../../operators/plan.ts';
import { isVolatile } from '../../planner/analyse/functions.ts';

type Source = Extract<PlanNode, { op: 'source' }>;
type PlanMap = Extract<PlanNode, { op: 'map' }>;

export interface OrderedSource {
  /** Number of its node, and of the node that wants no other rows of it. */
  source: number;
  reader: number;
  relation: number;
  /** The source's columns. */
  shown: number[];
  /** Of the map right above it, if it has one. */
  filter: Expr | null;
  /** Only so many of the first rows in each of these orders are wanted; null: all that pass the filter. */
  first: { orders: SortKey[][]; rows: number; maps: PlanMap[] } | null;
}

/** The more that is known of what is wanted, the earlier it comes. `isStored`: relations whose indexes may be asked. */
export function orderedSources(plan: DataflowPlan, isStored: (relation: number) => boolean): OrderedSource[] {
  const { nodes, root } = plan;
  const readers = nodes.map((_, i) => (i === root ? 1 : 0));
  for (const { inputs } of nodes) for (const i of inputs) readers[i]++;
  const first: OrderedSource[] = [];
  const ranged: OrderedSource[] = [];
  for (const [i, node] of nodes.entries()) {
    const found = node.op === 'map' ? rangedSource(nodes, i, node) : firstOf(nodes, i, node, readers);
    if (found !== null && isStored(found.relation)) (node.op === 'map' ? ranged : first).push(found);
  }
  return [...first, ...ranged];
}

function rangedSource(nodes: PlanNode[], reader: number, { filter, inputs: [at] }: PlanMap): OrderedSource | null {
  const source = nodes[at];
  if (source.op !== 'source' || source.lookup !== undefined || filter === null) return null;
  return { source: at, reader, relation: source.relation, shown: source.columns, filter, first: null };
}

function firstOf(nodes: PlanNode[], top: number, node: PlanNode, readers: number[]): OrderedSource | null {
  const wanted = wantedOf(node);
  if (wanted === null) return null;
  let { orders } = wanted;
  let reader = top;
  let [at] = node.inputs;
  const maps: PlanMap[] = [];
  for (let below = nodes[at]; below.op === 'map' && readers[at] === 1; below = nodes[at]) {
    const { project } = below;
    if (below.eachRow === true || [below.filter, ...(project ?? [])].some((e) => e !== null && isVolatile(e)))
      return null;
    orders = orders.map((order) => orderBelow(order, project));
    maps.unshift(below);
    reader = at;
    [at] = below.inputs;
  }
  const source = nodes[at];
  if (source.op !== 'source' || source.lookup !== undefined || orders.some((order) => order.length === 0)) return null;
  orders = orders.map((order) => order.map((key) => ({ ...key, col: source.columns[key.col] })));
  const filter = maps[0]?.filter ?? null;
  const { relation, columns: shown } = source as Source;
  return { source: at, reader, relation, shown, filter, first: { orders, rows: wanted.rows, maps } };
}

/** The orders in which an operator wants its first rows, and how many. */
function wantedOf(node: PlanNode): { orders: SortKey[][]; rows: number } | null {
  if (node.op === 'topn') {
    const { partition, order, limit, offset, rank } = node;
    if (partition.length > 0 || order.length === 0 || limit === null || rank !== 'none') return null;
    return { orders: [order], rows: offset + limit };
  }
  if (node.op !== 'aggregate' || !node.global || node.keys.length > 0) return null;
  const orders = node.calls.map(({ fn, args, filter }): SortKey[] => {
    const isFirst = /^(min|max)\(/.test(fn) && filter === null && args.length === 1;
    return isFirst ? [{ col: args[0], desc: fn.startsWith('max'), nullsFirst: false }] : [];
  });
  return orders.length === 0 || orders.some((order) => order.length === 0) ? null : { orders, rows: 1 };
}

/** An order of a map's rows as one of its input's, as far as that has the columns. */
function orderBelow(order: SortKey[], project: Expr[] | null): SortKey[] {
  if (project === null) return order;
  const below: SortKey[] = [];
  for (const key of order) {
    const shown = project[key.col];
    if (shown.k !== 'col') break;
    below.push({ ...key, col: shown.id });
  }
  return below;
}
