/**
 * GROUP BY: keys and arguments become columns, equal keys and equal calls are computed once.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { AggCall } from '../../operators/plan.ts';
import { structureText } from '../logical/expressions.ts';
import type { Logical, LogicalAggregate } from '../logical/plan.ts';
import { type LowerContext, type Lowered, sortKeys, withExprs } from './lowering.ts';

export function lowerAggregate(p: Logical & { op: 'aggregate' }, cx: LowerContext): Lowered {
  const wanted = [...p.keys.map((k) => k.expr), ...p.aggregates.flatMap(callExprs)];
  const input = withExprs(cx.lower(p.input), [], wanted, cx);
  const keys: number[] = [];
  const names: string[] = [];
  const at = new Map<number, number>();
  let next = 0;
  for (const key of p.keys) {
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
  const below = cx.builder.nodes[input.node];
  const types = [...keys.map((k) => below.types[k]), ...calls.map((c) => c.t)];
  const global = p.keys.length === 0;
  return { node: cx.builder.add({ op: 'aggregate', inputs: [input.node], types, names, keys, calls, global }), at };
}

/** Argument, filter and order expressions of a call, in the order in which aggCall takes their positions. */
function callExprs(a: LogicalAggregate): Expr[] {
  return [...a.args, ...(a.filter ? [a.filter] : []), ...a.orderBy.map((o) => o.expr)];
}

function aggCall(a: LogicalAggregate, positions: number[]): AggCall {
  const rest = positions.slice(a.args.length);
  const filter = a.filter ? rest[0] : null;
  return {
    fn: a.fn,
    args: positions.slice(0, a.args.length),
    distinct: a.distinct,
    filter,
    orderBy: sortKeys(a.orderBy, a.filter ? rest.slice(1) : rest),
    t: a.out.type,
  };
}
