/**
 * ORDER BY and DISTINCT [ON] of a SELECT, in terms of its targets.
 */
import type { PgNode } from '../parse/ast.ts';
import { resolveUnknown } from './coercion.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { rawLocation } from './node.ts';
import { checkEquality, checkOrdering, sortDirection } from './sort_item.ts';
import { findTarget, meaningText, type Target } from './target.ts';

export interface SortTarget {
  target: Target;
  desc: boolean;
  nullsFirst: boolean;
}

/** Binds ORDER BY; may add hidden targets. */
export function bindOrderBy(level: Level, targets: Target[], clause: PgNode[] | undefined): SortTarget[] {
  return level.inClause('order_by', () => {
    const out: SortTarget[] = [];
    for (const { SortBy: sort } of clause ?? []) {
      const target = findTarget(level, targets, sort.node, 'ORDER BY');
      target.expr = resolveUnknown(level, target.expr);
      checkOrdering(level, target.expr, rawLocation(sort.node));
      if (out.some((o) => o.target === target)) continue;
      out.push({ target, ...sortDirection(level, sort) });
    }
    return out;
  });
}

/** Checks plain DISTINCT: every column has equality and ORDER BY adds none. */
export function checkDistinct(level: Level, targets: Target[], order: SortTarget[]): void {
  const stray = order.find((o) => o.target.hidden);
  if (stray) {
    throw level.error(
      '42P10',
      'for SELECT DISTINCT, ORDER BY expressions must appear in select list',
      exprLocation(level, stray.target.expr),
    );
  }
  for (const t of targets) if (!t.hidden) checkEquality(level, t.expr);
}

/** Binds DISTINCT ON: its expressions must be the first ones of ORDER BY, in any order. */
export function bindDistinctOn(level: Level, targets: Target[], nodes: PgNode[], order: SortTarget[]): Target[] {
  const on = level.inClause('distinct_on', () =>
    nodes.map((node) => {
      const target = findTarget(level, targets, node, 'DISTINCT ON');
      target.expr = resolveUnknown(level, target.expr);
      checkEquality(level, target.expr, rawLocation(node));
      return { target, node };
    }),
  );
  const isOn = (t: Target): boolean => on.some((o) => o.target === t || sameMeaning(level, o.target, t));
  let skipped: SortTarget | null = null;
  const covered = new Set<Target>();
  const mismatch = (location: number | undefined): Error =>
    level.error('42P10', 'SELECT DISTINCT ON expressions must match initial ORDER BY expressions', location);
  for (const o of order) {
    if (isOn(o.target)) {
      if (skipped) throw mismatch(rawLocation(nodes[on.findIndex((x) => x.target === o.target)]));
      covered.add(o.target);
    } else {
      skipped ??= o;
    }
  }
  const missing = on.find((o) => !covered.has(o.target));
  if (skipped && missing) throw mismatch(rawLocation(missing.node));
  return [...new Set(on.map((o) => o.target))];
}

function sameMeaning(level: Level, a: Target, b: Target): boolean {
  return meaningText(level, a.expr) === meaningText(level, b.expr);
}
