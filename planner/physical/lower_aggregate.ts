/**
 * GROUP BY: keys and arguments become columns, equal keys and equal calls are computed once.
 */
import { columnsOf } from '../../operators/expr/columns.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { AggCall } from '../../operators/plan.ts';
import { canFail } from '../analyse/functions.ts';
import { isWindowAssignment } from '../analyse/keys.ts';
import { structureText } from '../logical/expressions.ts';
import type { Col, Logical, LogicalAggregate } from '../logical/plan.ts';
import { toPositions } from './builder.ts';
import { guardedBy, type LowerContext, type Lowered, sortKeys, withExprs } from './lowering.ts';

export function lowerAggregate(p: Logical & { op: 'aggregate' }, cx: LowerContext): Lowered {
  const below = cx.lower(p.input);
  const groupBy = sortedKeys(p, below);
  const input = argumentColumns(below, [...groupBy.map((k) => k.expr), ...p.aggregates.flatMap(callExprs)], cx);
  input.node = slicedWindows(input.node, input.positions, cx);
  const sessions = countedSessions(p, groupBy, input, cx);
  if (sessions !== null) return sessions;
  const keys: number[] = [];
  const names: string[] = [];
  const at = new Map<number, number>();
  let next = 0;
  for (const key of groupBy) {
    const position = input.positions[next++];
    if (!keys.includes(position)) {
      keys.push(position);
      names.push(key.col.name);
    }
    at.set(key.col.id, keys.indexOf(position));
  }
  const calls: AggCall[] = [];
  const seen = new Map<string, number>();
  for (const a of p.aggregates) {
    const positions = input.positions.slice(next, next + callExprs(a).length);
    next += positions.length;
    const call = aggCall(a, positions);
    const text = structureText(call);
    if (!seen.has(text)) {
      seen.set(text, calls.length);
      calls.push(call);
      names.push(a.out.name);
    }
    at.set(a.out.id, keys.length + seen.get(text)!);
  }
  const { types } = cx.builder.nodes[input.node];
  const outTypes = [...keys.map((k) => types[k]), ...calls.map((c) => c.t)];
  const global = p.keys.length === 0;
  return {
    node: cx.builder.add({ op: 'aggregate', inputs: [input.node], types: outTypes, names, keys, calls, global }),
    at,
  };
}

/** Group keys in an order of their own, so that GROUP BY a, b and GROUP BY b, a are one node. */
function sortedKeys(p: Logical & { op: 'aggregate' }, below: Lowered): { col: Col; expr: Expr }[] {
  const text = (e: Expr): string => structureText(toPositions(e, below.at));
  return [...p.keys].sort((a, b) => (text(a.expr) < text(b.expr) ? -1 : 1));
}

/** Positions of the expressions: of the input as it is when all are plain columns of it, since an aggregate keeps no input rows. */
function argumentColumns(below: Lowered, exprs: Expr[], cx: LowerContext): { node: number; positions: number[] } {
  const placed = exprs.map((e) => toPositions(e, below.at));
  if (cx.builder.nodes[below.node].op !== 'map' && placed.every((e) => e.k === 'col'))
    return { node: below.node, positions: placed.map((e) => (e as Expr & { k: 'col' }).id) };
  return withExprs(below, [], exprs, cx);
}

/**
 * The aggregate's input with windows assigned by slices, when the aggregate reads from a HOP or CUMULATE and does not look at its time, or with the
 * rows of a session merged where it reads nothing but its key, start and end: a map in between must not look either, nor fail, since an error shows its
 * row.
 */
function slicedWindows(node: number, columns: number[], cx: LowerContext): number {
  const above = cx.builder.nodes[node];
  if (above.op === 'map') {
    const exprs = [...(above.filter ? [above.filter] : []), ...(above.project ?? [])];
    if (above.project === null || exprs.some(canFail)) return node;
    const read = new Set<number>();
    for (const e of exprs) columnsOf(e, read);
    const input = slicedWindows(above.inputs[0], [...read], cx);
    return input === above.inputs[0] ? node : cx.builder.add({ ...above, inputs: [input] });
  }
  if (above.op === 'session') {
    const [input] = above.inputs;
    const plain = cx.builder.nodes[input].types.every((_, c) => c === above.time || above.keys.includes(c));
    const merges = plain && !columns.includes(above.time) && cx.builder.facts(input).appendOnly;
    return merges && !above.keys.includes(above.time) ? cx.builder.add({ ...above, merged: true }) : node;
  }
  if (above.op !== 'flatmap') return node;
  const time = above.args[0];
  if (!isWindowAssignment(above.fn) || time.k !== 'col' || columns.includes(time.id)) return node;
  return cx.builder.add({ ...above, sliced: true });
}

/** A count(*) by key, start and end of merged sessions is what the sessions know of themselves; null for other aggregates. */
function countedSessions(
  p: Logical & { op: 'aggregate' },
  groupBy: { col: Col }[],
  input: { node: number; positions: number[] },
  cx: LowerContext,
): Lowered | null {
  const node = cx.builder.nodes[input.node];
  const [count] = p.aggregates;
  if (node.op !== 'session' || !node.merged || count === undefined) return null;
  if (!p.aggregates.every((a) => a.fn === 'count()' && a.filter === null)) return null;
  const width = node.types.length;
  const keys = input.positions.slice(0, groupBy.length);
  if (![...node.keys, width - 2, width - 1].every((c) => keys.includes(c))) return null;
  const types = [...node.types, count.out.type];
  const counted = cx.builder.add({ ...node, types, names: [...node.names, count.out.name], counted: true });
  const at = new Map(groupBy.map(({ col }, i) => [col.id, keys[i]]));
  for (const { out } of p.aggregates) at.set(out.id, width);
  return { node: counted, at };
}

/** Argument, filter and order expressions of a call, in the order in which aggCall takes their positions. */
function callExprs(a: LogicalAggregate): Expr[] {
  const of = (e: Expr): Expr => guardedBy(a.filter, e);
  return [...a.args.map(of), ...(a.filter ? [a.filter] : []), ...a.orderBy.map((o) => of(o.expr))];
}

function aggCall(a: LogicalAggregate, positions: number[]): AggCall {
  const rest = positions.slice(a.args.length);
  const filter = a.filter ? rest[0] : null;
  const last = a.args.at(-1);
  const names = last?.k === 'row' && a.fn.startsWith('json') ? last.names : undefined;
  return {
    fn: a.fn,
    args: positions.slice(0, a.args.length),
    distinct: a.distinct,
    filter,
    orderBy: sortKeys(a.orderBy, a.filter ? rest.slice(1) : rest),
    ...(names === undefined ? {} : { names }),
    t: a.out.type,
  };
}
