/**
 * The select list: its columns, stars spread out, and the hidden columns that ORDER BY and the like add to it.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { structureText } from '../logical/expressions.ts';
import { mapExpr, visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { aggregateRefusal, windowRefusal } from './clause.ts';
import { columnName } from './column_name.ts';
import { isStar } from './expr_list.ts';
import type { Level, Origin, Shape } from './level.ts';
import { findColumn } from './namespace.ts';
import { contentOf, kindOf, locationOf, rawLocation, stringOf } from './node.ts';
import { rowShape } from './shape.ts';
import { expandStar } from './star.ts';
import { subqueryOf } from './subquery.ts';

export interface Target {
  name: string;
  expr: Expr;
  hidden: boolean;
  origin?: Origin;
  shape?: Shape;
}

/** Binds a select list (or RETURNING list). */
export function bindTargets(level: Level, list: PgNode[]): Target[] {
  return list.flatMap((node) => {
    const { val, name } = node.ResTarget;
    if (isStar(val)) return expandStar(level, val).map((c) => target(level, c.name, c.expr));
    const expr = level.bind(val);
    return [target(level, name ?? columnName(level, val), expr)];
  });
}

function target(level: Level, name: string, expr: Expr): Target {
  const info = expr.k === 'col' ? level.shared.columns.get(expr.id) : undefined;
  return { name, expr, hidden: false, origin: info?.origin, shape: rowShape(level, expr) ?? undefined };
}

/** Text that is equal for expressions that mean the same; equal subqueries count as the same. */
export function meaningText(level: Level, e: Expr): string {
  return structureText(
    mapExpr(e, (x) => {
      const sub = x.k === 'col' ? subqueryOf(level, x.id) : undefined;
      return sub
        ? { k: 'const', v: `subquery ${sub.out.type.oid} ${sub.key}`, t: { oid: 0, typmod: sub.test.length } }
        : null;
    }),
  );
}

/** A target with this expression, added as a hidden one if there is none. */
function targetFor(level: Level, targets: Target[], expr: Expr): Target {
  const text = meaningText(level, expr);
  const found = targets.find((t) => meaningText(level, t.expr) === text);
  if (found) return found;
  const added: Target = { name: '?column?', expr, hidden: true };
  targets.push(added);
  return added;
}

/** Refuses an output column with an aggregate or window function as a grouping expression. */
function groupable(level: Level, target: Target, what: string): Target {
  if (what !== 'GROUP BY') return target;
  const { columns, locations } = level.shared;
  visitExpr(target.expr, (x) => {
    const info = x.k === 'col' ? columns.get(x.id) : undefined;
    if (info?.level !== level) return true;
    if (info.kind === 'aggregate') throw level.error('42803', aggregateRefusal('group_by')!, locations.get(x));
    if (info.kind === 'window') throw level.error('42P20', windowRefusal('group_by')!, locations.get(x));
    return true;
  });
  return target;
}

/**
 * What an item of ORDER BY, GROUP BY or DISTINCT ON means: an output column's name or number, else an expression. For GROUP BY a
 * column of FROM comes before an output name.
 */
export function findTarget(
  level: Level,
  targets: Target[],
  node: PgNode,
  what: 'ORDER BY' | 'GROUP BY' | 'DISTINCT ON',
): Target {
  const c = contentOf(node);
  if (kindOf(node) === 'ColumnRef' && c.fields.length === 1 && c.fields[0].String) {
    const name = stringOf(c.fields[0]);
    const isColumn = what === 'GROUP BY' && findColumn(level, name, locationOf(c), true) !== null;
    const named = isColumn ? [] : targets.filter((t) => !t.hidden && t.name === name);
    if (named.length > 0) {
      const text = meaningText(level, named[0].expr);
      if (named.some((t) => meaningText(level, t.expr) !== text)) {
        throw level.error('42702', `${what} "${name}" is ambiguous`, locationOf(c));
      }
      return groupable(level, named[0], what);
    }
  }
  if (kindOf(node) === 'A_Const') {
    if (!c.ival) throw level.error('42601', `non-integer constant in ${what}`, rawLocation(node));
    const n: number = c.ival.ival ?? 0;
    const found = targets.filter((t) => !t.hidden)[n - 1];
    if (!found) throw level.error('42P10', `${what} position ${n} is not in select list`, rawLocation(node));
    return groupable(level, found, what);
  }
  return targetFor(level, targets, level.bind(node));
}
