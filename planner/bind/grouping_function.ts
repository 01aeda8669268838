/**
 * GROUPING(a, b): which of its arguments the current grouping set leaves out, as a bit mask.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { PgNode } from '../parse/ast.ts';
import { aggregateRefusal } from './clause.ts';
import { INT4 } from './coercion.ts';
import { colRef, type Level } from './level.ts';
import { locationOf } from './node.ts';

/** Registers a GROUPING call; its arguments are matched with the grouping expressions when those are known. */
export function bindGroupingFunction(level: Level, c: PgNode): Expr {
  const at = locationOf(c);
  const nodes: PgNode[] = c.args ?? [];
  if (nodes.length > 31) throw level.error('54023', 'GROUPING must have fewer than 32 arguments', at);
  const args = nodes.map((n) => level.bind(n));
  const refusal = aggregateRefusal(level.clause);
  if (refusal) throw level.error('42803', refusal.replace('aggregate functions', 'grouping operations'), at);
  const out = level.newCol('grouping', INT4, { kind: 'aggregate', label: 'grouping' });
  level.grouping.push({ out, args, location: at });
  return level.at(colRef(out), at);
}
