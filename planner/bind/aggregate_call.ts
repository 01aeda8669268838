/**
 * Aggregate calls. An aggregate belongs to the innermost query level whose columns its arguments name; one that names only
 * columns of an outer query is an aggregate of that outer query (SQL standard, 6.9), a constant to the inner one.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { structureText } from '../logical/expressions.ts';
import type { LogicalAggregate, OrderItem } from '../logical/plan.ts';
import { freeIds } from '../logical/tree.ts';
import { planExprs, visitExpr, visitPlan } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import type { BoundCall } from './bound_call.ts';
import { aggregateRefusal } from './clause.ts';
import { colRef, type Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { checkEquality, sortItem } from './sort_item.ts';

/** Registers an aggregate call with the level it belongs to; the result is a reference to its output. */
export function bindAggregate(level: Level, c: PgNode, call: BoundCall): Expr {
  const aggregate = aggregateOf(level, c, call);
  const parts = [...aggregate.args, ...aggregate.orderBy.map((o) => o.expr), ...(call.filter ? [call.filter] : [])];
  const home = homeLevel(level, parts);
  checkParts(level, home, parts);
  const refusal = aggregateRefusal(home.clause);
  if (refusal) throw level.error('42803', refusal, call.location);
  const text = describe(aggregate);
  const same = call.f.volatility === 'v' ? undefined : home.aggregates.find((a) => describe(a.call) === text);
  if (same) return level.at(colRef(same.call.out), call.location);
  const out = home.newCol(call.name, call.t, { kind: 'aggregate', label: call.name });
  const direct = c.agg_within_group === true;
  home.aggregates.push({ call: { ...aggregate, out }, direct, location: call.location });
  return level.at(colRef(out), call.location);
}

function describe(a: Omit<LogicalAggregate, 'out'>): string {
  return structureText([a.fn, a.args, a.distinct, a.filter, a.orderBy]);
}

/** DISTINCT, ORDER BY and FILTER of the call. */
function aggregateOf(level: Level, c: PgNode, call: BoundCall): Omit<LogicalAggregate, 'out'> {
  const sorts: PgNode[] = c.agg_order ?? [];
  const distinct = c.agg_distinct === true;
  let orderBy: OrderItem[];
  if (c.agg_within_group) {
    orderBy = sorts.map((s, i) => sortItem(level, s.SortBy, call.sortArgs[i]));
  } else {
    orderBy = level.inClause('order_by', () =>
      sorts.map((s) => {
        const bound = level.bind(s.SortBy.node);
        return sortItem(level, s.SortBy, argumentLike(call, bound));
      }),
    );
  }
  if (distinct) checkDistinct(level, call, orderBy);
  return { fn: call.fn, args: call.args, distinct, filter: call.filter, orderBy };
}

/** ORDER BY an argument as it is written means the argument as the aggregate takes it. */
function argumentLike(call: BoundCall, e: Expr): Expr {
  if (e.k === 'const') return e;
  const text = structureText(e);
  const at = call.written.findIndex((w) => structureText(w) === text);
  return call.args.length === call.written.length && at >= 0 ? call.args[at] : e;
}

function checkDistinct(level: Level, call: BoundCall, orderBy: OrderItem[]): void {
  if (call.args.length === 0) throw level.error('42809', 'DISTINCT is not allowed here', call.location);
  for (const arg of call.args) checkEquality(level, arg);
  const texts = call.args.map((e) => structureText(e));
  // A literal in ORDER BY is none of the arguments, even when it is written alike.
  const stray = orderBy.find((o) => o.expr.k === 'const' || !texts.includes(structureText(o.expr)));
  if (stray) {
    throw level.error(
      '42P10',
      'in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list',
      exprLocation(level, stray.expr),
    );
  }
}

/** Level of the innermost column that the expressions name; the current one when they name none. */
function homeLevel(level: Level, parts: Expr[]): Level {
  let home: Level | null = null;
  for (const id of columnsUsed(level, parts).keys()) {
    const owner = level.shared.columns.get(id)?.level;
    if (!owner || !encloses(owner, level)) continue;
    if (!home || owner.depth > home.depth) home = owner;
  }
  return home ?? level;
}

function encloses(owner: Level, level: Level): boolean {
  for (let at: Level | null = level; at; at = at.parent) if (at === owner) return true;
  return false;
}

/** Column ids in expressions, seen through subqueries, with the location of a reference. */
function columnsUsed(level: Level, parts: Expr[]): Map<number, number | undefined> {
  const ids = new Map<number, number | undefined>();
  const { locations } = level.shared;
  const walk = (e: Expr): void =>
    visitExpr(e, (x) => {
      if (x.k !== 'col') return true;
      const info = level.shared.columns.get(x.id);
      const sub = info?.kind === 'subquery' ? info.level.subqueries.get(x.id) : undefined;
      if (sub) {
        sub.test.forEach(walk);
        const free = freeIds(sub.right);
        if (free.size > 0) {
          visitPlan(sub.right, (p) => {
            for (const inner of planExprs(p)) {
              visitExpr(inner, (y) => {
                if (y.k === 'col' && free.has(y.id) && !ids.has(y.id)) ids.set(y.id, locations.get(y));
                return true;
              });
            }
          });
        }
        return true;
      }
      if (!ids.has(x.id)) ids.set(x.id, locations.get(x));
      return true;
    });
  parts.forEach(walk);
  return ids;
}

function checkParts(level: Level, home: Level, parts: Expr[]): void {
  for (const part of parts) {
    visitExpr(part, (x) => {
      if (x.k !== 'col') return true;
      const info = level.shared.columns.get(x.id);
      if (info?.level !== home) return true;
      const at = level.shared.locations.get(x);
      if (info.kind === 'aggregate') throw level.error('42803', 'aggregate function calls cannot be nested', at);
      if (info.kind === 'window') {
        throw level.error('42803', 'aggregate function calls cannot contain window function calls', at);
      }
      if (info.kind === 'set') {
        throw level.error('0A000', 'aggregate function calls cannot contain set-returning function calls', at, {
          hint: 'You might be able to move the set-returning function into a LATERAL FROM item.',
        });
      }
      return true;
    });
  }
  for (const [id, at] of columnsUsed(level, parts)) {
    const info = level.shared.columns.get(id);
    if (info?.level === home && info.kind === 'aggregate') {
      throw level.error('42803', 'aggregate function calls cannot be nested', at);
    }
  }
}
