/**
 * Logical plan -> physical nodes. Works on a rewritten plan (no apply, no grouping sets).
 *
 *   Lowered = a node and, for each logical column id, its position in the node's row
 *
 * Renaming and reordering columns cost nothing: they only change the id -> position map. A stateful node's input is first cut to
 * exactly the columns it needs (`exactly`), because those are what its state will hold. Everything that a node takes by column
 * position (keys, arguments, order) is projected into columns before it.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { PlanNode, SortKey } from '../../operators/plan.ts';
import type { ColType } from '../../operators/types.ts';
import { isVolatile } from '../analyse/functions.ts';
import { outputColumns } from '../logical/columns.ts';
import { column, structureText } from '../logical/expressions.ts';
import type { Col, Logical, OrderItem } from '../logical/plan.ts';
import { type PlanBuilder, toPositions } from './builder.ts';
import { pointLookup } from './lookup.ts';
import { lowerAggregate } from './lower_aggregate.ts';
import { lowerAsof, lowerJoin } from './lower_join.ts';
import { lowerRecursive } from './lower_recursive.ts';
import { lowerTimeWindow } from './lower_timewindow.ts';
import { lowerTopN, lowerWindow } from './lower_window.ts';
import type { PlanMode } from './query.ts';

export interface Lowered {
  node: number;
  at: Map<number, number>;
}

/** What lowering carries along. */
export interface LowerContext {
  builder: PlanBuilder;
  mode: PlanMode;
  /** The working table of the recursion whose step is being lowered: recursion id -> its node in this builder. */
  working: Map<number, number>;
  /** In a recursion's step: the subplan as computed outside the recursion, or null when it depends on it. */
  outside?: (p: Logical) => Lowered | null;
}

export function lower(p: Logical, cx: LowerContext): Lowered {
  const outside = cx.outside?.(p);
  if (outside) return outside;
  switch (p.op) {
    case 'get':
      cx.builder.relations.set(p.relation.oid, p.relation);
      return placed(
        cx.builder.add({
          op: 'source',
          inputs: [],
          ...columnsOfCols(p.cols),
          relation: p.relation.oid,
          columns: p.columns,
        }),
        p.cols,
      );
    case 'values':
      return placed(cx.builder.add({ op: 'constant', inputs: [], ...columnsOfCols(p.cols), rows: p.rows }), p.cols);
    case 'filter': {
      const direct = p.input.op === 'get' && cx.mode === 'read' ? pointLookup(p.input, p.predicate, cx.builder) : null;
      const input = direct ?? lower(p.input, cx);
      return { node: cx.builder.map(input.node, toPositions(p.predicate, input.at), null, []), at: input.at };
    }
    case 'project':
      return lowerProject(p, cx);
    case 'join':
      return lowerJoin(p, cx);
    case 'asof':
      return lowerAsof(p, cx);
    case 'aggregate':
      return lowerAggregate(p, cx);
    case 'window':
      return lowerWindow(p, cx);
    case 'topn':
      return lowerTopN(p, cx);
    case 'distinct': {
      const input = exactly(lower(p.input, cx), outputColumns(p.input), cx);
      return { node: addUnary(cx, { op: 'distinct' }, input.node), at: input.at };
    }
    case 'setop':
      return lowerSetOp(p, cx);
    case 'tablefunc': {
      const input = exactly(lower(p.input, cx), outputColumns(p.input), cx);
      const args = p.args.map((a) => toPositions(a, input.at));
      const added = [...p.cols, ...(p.ordinality ? [p.ordinality] : [])];
      const node = appending(
        cx,
        { op: 'flatmap', fn: p.fn, args, ordinality: p.ordinality !== null, left: p.left },
        input,
        added,
      );
      return node;
    }
    case 'timewindow':
      return lowerTimeWindow(p, cx);
    case 'single_row': {
      const input = exactly(lower(p.input, cx), outputColumns(p.input), cx);
      return {
        node: addUnary(cx, { op: 'single_row', keys: p.keys.map((id) => input.at.get(id)!) }, input.node),
        at: input.at,
      };
    }
    case 'temporal': {
      const input = exactly(lower(p.input, cx), outputColumns(p.input), cx);
      const position = (id: number | null): number | null => (id === null ? null : input.at.get(id)!);
      return {
        node: addUnary(cx, { op: 'temporal', from: position(p.from), until: position(p.until) }, input.node),
        at: input.at,
      };
    }
    case 'recursive':
      return lowerRecursive(p, cx);
    case 'working': {
      const node = cx.working.get(p.id);
      if (node === undefined) throw new Error(`working table ${p.id} is not in scope`);
      return placed(node, p.cols);
    }
    case 'apply':
      throw new Error('an apply is left in the plan');
  }
}

function lowerProject(p: Logical & { op: 'project' }, cx: LowerContext): Lowered {
  const input = lower(p.input, cx);
  const items = p.items.map((i) => toPositions(i.expr, input.at));
  const at = new Map<number, number>();
  if (items.every((e) => e.k === 'col')) {
    p.items.forEach((item, i) => {
      at.set(item.col.id, (items[i] as Expr & { k: 'col' }).id);
    });
    return { node: input.node, at };
  }
  const { exprs, names, positions } = uniqueExprs(
    items,
    p.items.map((i) => i.col.name),
  );
  p.items.forEach((item, i) => {
    at.set(item.col.id, positions[i]);
  });
  return { node: cx.builder.map(input.node, null, exprs, names), at };
}

function lowerSetOp(p: Logical & { op: 'setop' }, cx: LowerContext): Lowered {
  const shape = columnsOfCols(p.cols);
  if (p.kind !== 'union') {
    const inputs = [p.left, p.right].map((side) => ordered(lower(side, cx), outputColumns(side), cx).node);
    return placed(cx.builder.add({ op: 'setop', inputs, ...shape, kind: p.kind, all: p.all }), p.cols);
  }
  const inputs = unionArms(p).map((arm) => ordered(lower(arm, cx), outputColumns(arm), cx).node);
  const union = cx.builder.add({ op: 'union', inputs, ...shape });
  return placed(p.all ? union : addUnary(cx, { op: 'distinct' }, union), p.cols);
}

/** The inputs of a tree of UNIONs; UNION ALL below UNION changes nothing, and so does UNION below UNION. */
function unionArms(p: Logical & { op: 'setop' }): Logical[] {
  return [p.left, p.right].flatMap((side) =>
    side.op === 'setop' && side.kind === 'union' && (side.all || !p.all) ? unionArms(side) : [side],
  );
}

// ---------------------------------------------------------------------------------------------------------------- shared helpers

/** Types and names of a node that outputs these columns. */
export function columnsOfCols(cols: Col[]): { types: ColType[]; names: string[] } {
  return { types: cols.map((c) => c.type), names: cols.map((c) => c.name) };
}

/** `node` outputs `cols` in order. */
export function placed(node: number, cols: Col[]): Lowered {
  return { node, at: new Map(cols.map((c, i) => [c.id, i])) };
}

/** Node fields that a node with the same columns as its input lacks. */
type Bare<T extends PlanNode['op']> = Omit<
  Extract<PlanNode, { op: T }>,
  'inputs' | 'types' | 'names' | 'notes' | 'appendOnly'
>;

/** Adds a node with its input's columns. */
export function addUnary<T extends PlanNode['op']>(cx: LowerContext, node: Bare<T> & { op: T }, input: number): number {
  const { types, names } = cx.builder.nodes[input];
  return cx.builder.add({ ...node, inputs: [input], types, names } as unknown as PlanNode);
}

/** Adds a node that appends columns to its input's. */
export function appending<T extends PlanNode['op']>(
  cx: LowerContext,
  node: Bare<T> & { op: T },
  input: Lowered,
  added: Col[],
): Lowered {
  const below = cx.builder.nodes[input.node];
  const extra = columnsOfCols(added);
  const types = [...below.types, ...extra.types];
  const names = [...below.names, ...extra.names];
  const index = cx.builder.add({ ...node, inputs: [input.node], types, names } as unknown as PlanNode);
  const at = new Map(input.at);
  added.forEach((c, i) => {
    at.set(c.id, below.types.length + i);
  });
  return { node: index, at };
}

/** Cuts the row to what `cols` need: nothing else may enter a state. Columns that share a position go on sharing it. */
export function exactly(input: Lowered, cols: Col[], cx: LowerContext): Lowered {
  const { node, at } = withExprs(input, cols, [], cx);
  return { node, at };
}

/** As `exactly`, with columns in the given order, one position each: for set operations and results. */
export function ordered(input: Lowered, cols: Col[], cx: LowerContext): Lowered {
  const project = cols.map((c) => toPositions(column(c), input.at));
  const node = cx.builder.map(
    input.node,
    null,
    project,
    cols.map((c) => c.name),
  );
  return placed(node, cols);
}

/**
 * Cuts the row to `cols` plus the given expressions (over column ids); gives the position of each expression. A node that has
 * just these columns already is left as it is.
 */
export function withExprs(
  input: Lowered,
  cols: Col[],
  exprs: Expr[],
  cx: LowerContext,
): Lowered & { positions: number[] } {
  const below = cx.builder.nodes[input.node];
  const wanted = [...cols.map((c) => toPositions(column(c), input.at)), ...exprs.map((e) => toPositions(e, input.at))];
  const plain = wanted.every((e) => e.k === 'col');
  const used = new Set(wanted.map((e) => (e.k === 'col' ? e.id : -1)));
  if (plain && used.size === below.types.length) {
    const places = wanted.map((e) => (e as Expr & { k: 'col' }).id);
    return { node: input.node, at: idsAt(cols, places), positions: places.slice(cols.length) };
  }
  const names = wanted.map((e, i) => (i < cols.length ? cols[i].name : e.k === 'col' ? below.names[e.id] : ''));
  const unique = uniqueExprs(wanted, names);
  const node = cx.builder.map(input.node, null, unique.exprs, unique.names);
  return { node, at: idsAt(cols, unique.positions), positions: unique.positions.slice(cols.length) };
}

function idsAt(cols: Col[], positions: number[]): Map<number, number> {
  return new Map(cols.map((c, i) => [c.id, positions[i]]));
}

/** Each different expression once; `positions[i]` is where expression i lies. */
export function uniqueExprs(list: Expr[], names: string[]): { exprs: Expr[]; names: string[]; positions: number[] } {
  const exprs: Expr[] = [];
  const kept: string[] = [];
  const seen = new Map<string, number>();
  const positions = list.map((e, i) => {
    const key = isVolatile(e) ? `volatile ${i}` : structureText(e);
    const known = seen.get(key);
    if (known !== undefined) return known;
    seen.set(key, exprs.length);
    exprs.push(e);
    kept.push(names[i]);
    return exprs.length - 1;
  });
  return { exprs, names: kept, positions };
}

/** Sort keys over the positions that `withExprs` gave to the items' expressions. */
export function sortKeys(order: OrderItem[], positions: number[]): SortKey[] {
  return order.map((o, i) => ({ col: positions[i], desc: o.desc, nullsFirst: o.nullsFirst }));
}
