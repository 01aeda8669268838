/**
 * GROUP BY: expressions, ROLLUP, CUBE and GROUPING SETS, all brought to
 *
 *   keys: distinct expressions          sets: lists of positions into keys, or null when there is one set of all keys
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { PgNode } from '../parse/ast.ts';
import { resolveUnknown } from './coercion.ts';
import type { Level } from './level.ts';
import { locationOf, rawLocation } from './node.ts';
import { checkEquality } from './sort_item.ts';
import { findTarget, meaningText, type Target } from './target.ts';

export interface GroupClause {
  keys: Expr[];
  sets: number[][] | null;
}

const MAX_SETS = 4096;

/** Binds GROUP BY; null when there is none. */
export function bindGroupBy(
  level: Level,
  targets: Target[],
  clause: PgNode[] | undefined,
  distinct: boolean,
): GroupClause | null {
  if (!clause || clause.length === 0) return null;
  return level.inClause('group_by', () => {
    const keys: Expr[] = [];
    const texts: string[] = [];
    const keyOf = (node: PgNode): number => {
      const target = findTarget(level, targets, node, 'GROUP BY');
      target.expr = resolveUnknown(level, target.expr);
      checkEquality(level, target.expr, rawLocation(node));
      const text = meaningText(level, target.expr);
      const known = texts.indexOf(text);
      if (known >= 0) return known;
      texts.push(text);
      return keys.push(target.expr) - 1;
    };
    const flat = clause.flatMap(flattenRow);
    const hasSets = flat.some((n) => n.GroupingSet);
    let sets: number[][] = [[]];
    for (const node of flat) {
      const alternatives = node.GroupingSet ? setsOf(level, node.GroupingSet, keyOf) : [[keyOf(node)]];
      if (sets.length * alternatives.length > MAX_SETS) {
        const at = locationOf(node.GroupingSet ?? {});
        throw level.error('54001', `too many grouping sets present (maximum ${MAX_SETS})`, at);
      }
      sets = sets.flatMap((s) => alternatives.map((a) => [...s, ...a.filter((k) => !s.includes(k))]));
    }
    if (!hasSets) return { keys, sets: null };
    return { keys, sets: distinct ? distinctSets(sets) : sets };
  });
}

/** (a, b) in GROUP BY is a, b. */
function flattenRow(node: PgNode): PgNode[] {
  if (node.RowExpr && node.RowExpr.row_format === 'COERCE_IMPLICIT_CAST') {
    return ((node.RowExpr.args ?? []) as PgNode[]).flatMap(flattenRow);
  }
  return [node];
}

function setsOf(level: Level, set: PgNode, keyOf: (node: PgNode) => number): number[][] {
  const content: PgNode[] = set.content ?? [];
  const element = (node: PgNode): number[] => [...new Set(flattenRow(node).map(keyOf))];
  const union = (lists: number[][]): number[] => [...new Set(lists.flat())];
  switch (set.kind) {
    case 'GROUPING_SET_EMPTY':
      return [[]];
    case 'GROUPING_SET_SIMPLE':
      return [union(content.map(element))];
    case 'GROUPING_SET_ROLLUP': {
      const parts = content.map(element);
      return Array.from({ length: parts.length + 1 }, (_, i) => union(parts.slice(0, parts.length - i)));
    }
    case 'GROUPING_SET_CUBE': {
      const parts = content.map(element);
      if (parts.length > 12) throw level.error('54011', 'CUBE is limited to 12 elements', locationOf(set));
      const out: number[][] = [];
      for (let mask = (1 << parts.length) - 1; mask >= 0; mask--) {
        out.push(union(parts.filter((_, i) => mask & (1 << (parts.length - 1 - i)))));
      }
      return out;
    }
    default:
      return content.flatMap((n) => (n.GroupingSet ? setsOf(level, n.GroupingSet, keyOf) : [element(n)]));
  }
}

function distinctSets(sets: number[][]): number[][] {
  const seen = new Set<string>();
  return sets.filter((s) => {
    const text = [...s].sort((a, b) => a - b).join();
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}
