/**
 * Window function calls: f(...) OVER w, f(...) OVER (...). What the window is, is settled when the whole SELECT is known
 * (window_clause.ts); here the call is registered with its level.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { structureText } from '../logical/expressions.ts';
import type { LogicalWindow } from '../logical/plan.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import type { BoundCall } from './bound_call.ts';
import { windowRefusal } from './clause.ts';
import { colRef, type Level } from './level.ts';
import { locationOf, syntaxKey } from './node.ts';

/** The frame of a window without a frame clause. */
export const DEFAULT_FRAME: LogicalWindow['frame'] = {
  mode: 'range',
  start: { k: 'unboundedPreceding' },
  end: { k: 'current' },
  exclude: 'none',
};

/** Registers a window function call; the result is a reference to its output. */
export function bindWindowCall(level: Level, c: PgNode, call: BoundCall): Expr {
  const at = call.location;
  const refusal = windowRefusal(level.clause);
  if (refusal) throw level.error('42P20', refusal, at);
  if (c.agg_distinct) throw level.error('0A000', 'DISTINCT is not implemented for window functions', at);
  if (c.agg_order && !c.agg_within_group) {
    throw level.error('0A000', 'aggregate ORDER BY is not implemented for window functions', at);
  }
  if (call.f.kind === 'w' && call.filter) {
    throw level.error('0A000', 'FILTER is not implemented for non-aggregate window functions', at);
  }
  if (call.f.retset) throw level.error('42P13', 'window functions cannot return sets', at);
  checkNesting(level, [...call.args, ...(call.filter ? [call.filter] : [])]);
  const definition = definitionOf(level, c.over);
  const text = structureText([call.fn, call.args, call.filter]);
  const same = level.windows.find(
    (w) => w.definition === definition && structureText([w.call.fn, w.call.args, w.call.filter]) === text,
  );
  if (same && call.f.volatility !== 'v') return level.at(colRef(same.call.out), at);
  const out = level.newCol(call.name, call.t, { kind: 'window', label: call.name });
  const window: LogicalWindow = {
    out,
    fn: call.fn,
    args: call.args,
    filter: call.filter,
    aggregate: call.f.kind === 'a',
    partition: [],
    order: [],
    frame: DEFAULT_FRAME,
  };
  level.windows.push({ call: window, definition, location: at });
  return level.at(colRef(out), at);
}

/** Index of the window definition; a new one is added for an OVER (...) not seen before. */
function definitionOf(level: Level, over: PgNode): number {
  if (over.name) {
    const index = level.windowDefinitions.findIndex((d) => d.name === over.name);
    if (index < 0) throw level.error('42704', `window "${over.name}" does not exist`, locationOf(over));
    return index;
  }
  const key = syntaxKey(over);
  const index = level.windowDefinitions.findIndex((d) => !d.name && syntaxKey(d) === key);
  return index >= 0 ? index : level.windowDefinitions.push(over) - 1;
}

function checkNesting(level: Level, parts: Expr[]): void {
  for (const part of parts) {
    visitExpr(part, (x) => {
      const info = x.k === 'col' ? level.shared.columns.get(x.id) : undefined;
      if (info?.level !== level) return true;
      const at = level.shared.locations.get(x);
      if (info.kind === 'window') throw level.error('42P20', 'window function calls cannot be nested', at);
      if (info.kind === 'set') {
        throw level.error('0A000', 'window function calls cannot contain set-returning function calls', at, {
          hint: 'You might be able to move the set-returning function into a LATERAL FROM item.',
        });
      }
      return true;
    });
  }
}
