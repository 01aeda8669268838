/**
 * Window functions and Top-N. Window calls with the same partition and order share one `over` node; others follow it.
 */
import type { Datum } from '../../operators/datum.ts';
import { SqlError, unsupported } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { WindowCall } from '../../operators/plan.ts';
import { outputColumns } from '../logical/columns.ts';
import { structureText } from '../logical/expressions.ts';
import type { Logical, LogicalWindow } from '../logical/plan.ts';
import { foldExpr } from '../rewrite/fold_constants.ts';
import {
  addUnary,
  appending,
  exactly,
  guardedBy,
  type LowerContext,
  type Lowered,
  sortKeys,
  withExprs,
} from './lowering.ts';

export function lowerWindow(p: Logical & { op: 'window' }, cx: LowerContext): Lowered {
  const cols = [...outputColumns(p.input)];
  let current = cx.lower(p.input);
  for (const group of groupByWindow(p.windows)) {
    const { partition, order } = group[0];
    const exprs = [...partition, ...order.map((o) => o.expr), ...group.flatMap(callExprs)];
    const input = withExprs(current, cols, exprs, cx);
    const places = [...input.positions];
    const partitionAt = places.splice(0, partition.length);
    const orderAt = sortKeys(order, places.splice(0, order.length));
    const calls = group.map((w) => windowCall(w, places.splice(0, callExprs(w).length)));
    const outs = group.map((w) => w.out);
    current = appending(cx, { op: 'over', partition: partitionAt, order: orderAt, calls }, input, outs);
    cols.push(...outs);
  }
  return current;
}

function groupByWindow(windows: LogicalWindow[]): LogicalWindow[][] {
  const groups = new Map<string, LogicalWindow[]>();
  for (const w of windows) {
    const key = structureText([w.partition, w.order]);
    groups.set(key, [...(groups.get(key) ?? []), w]);
  }
  return [...groups.values()];
}

function callExprs(w: LogicalWindow): Expr[] {
  return [...w.args.map((e) => guardedBy(w.filter, e)), ...(w.filter ? [w.filter] : [])];
}

function windowCall(w: LogicalWindow, positions: number[]): WindowCall {
  return {
    fn: w.fn,
    args: positions.slice(0, w.args.length),
    filter: w.filter ? positions[w.args.length] : null,
    aggregate: w.aggregate,
    frame: w.frame,
    t: w.out.type,
  };
}

export function lowerTopN(p: Logical & { op: 'topn' }, cx: LowerContext): Lowered {
  const limit = rowCount(p.limit, 'LIMIT', '2201W');
  const offset = rowCount(p.offset, 'OFFSET', '2201X') ?? 0;
  const below = cx.lower(p.input);
  const cols = outputColumns(p.input);
  if (limit === null && offset === 0 && !p.rank) return exactly(below, cols, cx);
  const exprs = [...p.partition, ...p.order.map((o) => o.expr)];
  const input = withExprs(below, cols, exprs, cx);
  const partition = [...new Set(input.positions.slice(0, p.partition.length))];
  const keys = sortKeys(p.order, input.positions.slice(p.partition.length));
  const order = keys.filter((k) => !partition.includes(k.col));
  const fields = { op: 'topn' as const, partition, order, limit, offset, withTies: p.withTies };
  if (p.rank) return appending(cx, { ...fields, rank: p.rank.kind }, input, [p.rank.out]);
  return { node: addUnary(cx, { ...fields, rank: 'none' }, input.node), at: input.at };
}

/** The constant of LIMIT or OFFSET; NULL means none. */
function rowCount(e: Expr | null, what: 'LIMIT' | 'OFFSET', sqlstate: string): number | null {
  if (e === null) return null;
  const folded = foldExpr(e, 'stable');
  if (folded.k !== 'const') throw unsupported(`a ${what} that is not a constant`);
  const v: Datum = folded.v;
  if (v === null) return null;
  const n = Number(v);
  if (n < 0) throw new SqlError(sqlstate, `${what} must not be negative`);
  return n;
}
