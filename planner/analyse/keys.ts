/**
 * Keys: column sets whose values occur at most once in a node's output (every row's weight is then 0 or 1). Lattice: sets of
 * column sets; fewer is less known. At most MAX_KEYS are followed, the smallest first.
 *
 * Trap: a key column may hold NULL (a GROUP BY key does); then NULL counts as one value, as in GROUP BY.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { PlanNode } from '../../operators/plan.ts';
import { conjuncts } from '../logical/expressions.ts';
import type { NodeFacts } from './facts.ts';
import { isEquality } from './functions.ts';

const MAX_KEYS = 8;

/** Keys of a node from its inputs' facts; `sourceKey`: the relation's key, for sources. */
export function keysOf(node: PlanNode, inputs: NodeFacts[], sourceKey: number[] | null): number[][] {
  return minimal(candidates(node, inputs, sourceKey));
}

function candidates(node: PlanNode, inputs: NodeFacts[], sourceKey: number[] | null): number[][] {
  const below = inputs[0]?.keys ?? [];
  const width = node.types.length;
  const all = Array.from({ length: width }, (_, i) => i);
  switch (node.op) {
    case 'source': {
      if (sourceKey === null) return [];
      const places = sourceKey.map((c) => node.columns.indexOf(c));
      return places.includes(-1) ? [] : [places];
    }
    case 'constant':
      return node.rows.length <= 1 ? [[]] : [];
    case 'map':
      return mapKeys(node.filter, node.project, below);
    case 'flatmap':
      if (isWindowAssignment(node.fn))
        return below.filter((k) => !k.includes(slicedTime(node))).map((k) => [...k, width - 2, width - 1]);
      return node.ordinality ? below.map((k) => [...k, width - 1]) : [];
    case 'union':
      return [];
    case 'distinct':
      return [...below, all];
    case 'setop': {
      const kept = node.kind === 'intersect' ? [...below, ...inputs[1].keys] : below;
      return node.all ? kept : [...kept, all];
    }
    case 'join':
      return joinKeys(node, inputs[0], inputs[1]);
    case 'aggregate':
      return [node.keys.map((_, i) => i)];
    case 'topn': {
      const single = node.limit !== null && node.limit <= 1 && !node.withTies;
      const numbered = node.rank === 'row_number' ? [[...node.partition, width - 1]] : [];
      return [...below, ...numbered, ...(single ? [node.partition] : [])];
    }
    case 'over': {
      const first = width - node.calls.length;
      const numbered = node.calls.flatMap((c, i) => (c.fn === 'row_number()' ? [[...node.partition, first + i]] : []));
      return [...below, ...numbered];
    }
    case 'single_row':
      return [...below, node.keys];
    case 'recursive':
      return node.all ? [] : [all];
    case 'session':
      // A merged row stands for several, unless their number is a column.
      if (node.counted) return [[...node.keys, width - 3, width - 2]];
      return node.merged ? [] : below;
    case 'asof':
    case 'temporal':
    case 'window_close':
      return below;
  }
}

/** The column whose values a sliced window assignment replaces; -1 for others. */
export function slicedTime(node: PlanNode & { op: 'flatmap' }): number {
  return node.sliced === true && node.args[0].k === 'col' ? node.args[0].id : -1;
}

export function isWindowAssignment(fn: string): boolean {
  return /^(hop|cumulate|tumble)\(/.test(fn);
}

/** Columns that a filter fixes to one value. */
function fixedColumns(filter: Expr | null): Set<number> {
  const fixed = new Set<number>();
  for (const e of conjuncts(filter)) {
    if (e.k !== 'call' || e.args.length !== 2 || !isEquality(e.fn)) continue;
    const [a, b] = e.args;
    if (a.k === 'col' && (b.k === 'const' || b.k === 'param')) fixed.add(a.id);
    if (b.k === 'col' && (a.k === 'const' || a.k === 'param')) fixed.add(b.id);
  }
  return fixed;
}

function mapKeys(filter: Expr | null, project: Expr[] | null, below: number[][]): number[][] {
  const fixed = fixedColumns(filter);
  const kept = below.map((k) => k.filter((c) => !fixed.has(c)));
  if (project === null) return kept;
  const place = (c: number): number => project.findIndex((e) => e.k === 'col' && e.id === c);
  return kept.map((k) => k.map(place)).filter((k) => !k.includes(-1));
}

function joinKeys(node: PlanNode & { op: 'join' }, left: NodeFacts, right: NodeFacts): number[][] {
  if (node.kind === 'semi' || node.kind === 'anti') return left.keys;
  const shift = left.notNull.length;
  const rightKeys = right.keys.map((k) => k.map((c) => c + shift));
  const matchedOnce = (keys: number[][], joined: number[]): boolean =>
    keys.some((k) => k.every((c) => joined.includes(c)));
  const found: number[][] = [];
  const keepsRight = node.kind === 'right' || node.kind === 'full';
  const keepsLeft = node.kind === 'left' || node.kind === 'full';
  if (!keepsRight && matchedOnce(right.keys, node.rightKeys)) found.push(...left.keys);
  if (!keepsLeft && matchedOnce(left.keys, node.leftKeys)) found.push(...rightKeys);
  const solid = (keys: number[][], facts: NodeFacts): number[][] =>
    node.kind === 'full' ? keys.filter((k) => k.length > 0 && k.every((c) => facts.notNull[c])) : keys;
  for (const l of solid(left.keys, left)) {
    for (const r of solid(right.keys, right)) {
      found.push([...l, ...r.map((c) => c + shift)]);
      if (node.kind === 'inner') found.push(withoutJoined(node, l, r, shift));
    }
  }
  return found;
}

/** A combined key of an inner join without the right columns that equal left key columns. */
function withoutJoined(node: PlanNode & { op: 'join' }, l: number[], r: number[], shift: number): number[] {
  const implied = (c: number): boolean => node.rightKeys.some((k, i) => k === c && l.includes(node.leftKeys[i]));
  return [...l, ...r.filter((c) => !implied(c)).map((c) => c + shift)];
}

/** Sorted, without supersets, the smallest first. */
function minimal(keys: number[][]): number[][] {
  const sets = keys.map((k) => [...new Set(k)].sort((a, b) => a - b)).sort((a, b) => a.length - b.length);
  const kept: number[][] = [];
  for (const k of sets) if (!kept.some((known) => known.every((c) => k.includes(c)))) kept.push(k);
  return kept.slice(0, MAX_KEYS);
}
