/**
 * What the files that lower single logical nodes share: the id -> position map of a lowered plan and the ways to cut and extend it.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { PlanNode, SortKey } from '../../operators/plan.ts';
import type { ColType } from '../../operators/types.ts';
import { canFail, isVolatile } from '../analyse/functions.ts';
import type { Relation } from '../catalog_reader.ts';
import { caseWhen, column, constant, structureText } from '../logical/expressions.ts';
import type { Col, Logical, OnceItem, OrderItem } from '../logical/plan.ts';
import { type PlanBuilder, toPositions } from './builder.ts';
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
  /** Lowers a subplan in this context (lower.ts); here so that the files of single nodes need not import it. */
  lower: (p: Logical) => Lowered;
  /** Plans an item by itself, once: the node with its outputs in order. */
  once: (item: OnceItem) => number;
  /** In a recursion's step: the subplan as computed outside the recursion, or null when it depends on it. */
  outside?: (p: Logical) => Lowered | null;
}

/** A relation as one read sees it: each of its rows comes once, and none is taken back (src/runtime/relation_scan.ts, reads.ts). */
export function readOnce(relation: Relation): Relation {
  return relation.appendOnly ? relation : { ...relation, appendOnly: true, watermark: undefined, monotone: undefined };
}

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

/** An argument as it is computed before a call with FILTER: what can fail must not be computed for rows the filter leaves out. */
export function guardedBy(filter: Expr | null, e: Expr): Expr {
  if (filter === null || !canFail(e)) return e;
  return caseWhen([[filter, e]], constant(null, e.t));
}

/** Sort keys over the positions that `withExprs` gave to the items' expressions. */
export function sortKeys(order: OrderItem[], positions: number[]): SortKey[] {
  return order.map((o, i) => ({ col: positions[i], desc: o.desc, nullsFirst: o.nullsFirst }));
}
