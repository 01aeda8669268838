/**
 * Join order. The user's order is kept, unless following it would multiply two relations that no equality connects although another
 * order avoids that: then the inner joins of that group are laid out greedily, each next relation connected to those before it.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { isEquality } from '../analyse/functions.ts';
import { columnsOf, conjunction, conjuncts, usesOnly } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { outputIds } from '../logical/tree.ts';
import { planInputs, withInputs } from '../logical/walk.ts';

type Join = Logical & { op: 'join' };

export function orderJoins(plan: Logical): Logical {
  const visit = (p: Logical): Logical => {
    if (p.op !== 'join' || p.kind !== 'inner') return withInputs(p, planInputs(p).map(visit));
    const group = flatten(p);
    const relations = group.relations.map(visit);
    if (relations.length <= 2 || !hasCross(p)) return rebuilt(p, [...relations]);
    return greedy(relations, group.on);
  };
  return visit(plan);
}

interface Group {
  relations: Logical[];
  on: Expr[];
}

/** The relations and conditions of a tree of inner joins. */
function flatten(p: Logical): Group {
  if (p.op !== 'join' || p.kind !== 'inner') return { relations: [p], on: [] };
  const left = flatten(p.left);
  const right = flatten(p.right);
  return { relations: [...left.relations, ...right.relations], on: [...left.on, ...right.on, ...conjuncts(p.on)] };
}

/** The same tree over other leaves, taken from the front of `leaves`. */
function rebuilt(p: Logical, leaves: Logical[]): Logical {
  if (p.op !== 'join' || p.kind !== 'inner') return leaves.shift()!;
  const left = rebuilt(p.left, leaves);
  return { ...p, left, right: rebuilt(p.right, leaves) };
}

/** A join of the tree has no equality between its sides. */
function hasCross(p: Logical): boolean {
  if (p.op !== 'join' || p.kind !== 'inner') return false;
  return !isConnected(p) || hasCross(p.left) || hasCross(p.right);
}

function isConnected(p: Join): boolean {
  const left = outputIds(p.left);
  const right = outputIds(p.right);
  return conjuncts(p.on).some((e) => connects(e, left, right));
}

/** An equality with one side over `a` and the other over `b`. */
function connects(e: Expr, a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  let sides: Expr[];
  if (e.k === 'call' && e.args.length === 2 && isEquality(e.fn)) sides = e.args;
  else if (e.k === 'distinct' && e.negated) sides = [e.left, e.right];
  else return false;
  const only = (x: Expr, ids: ReadonlySet<number>): boolean => columnsOf(x).size > 0 && usesOnly(x, ids);
  return (only(sides[0], a) && only(sides[1], b)) || (only(sides[1], a) && only(sides[0], b));
}

function greedy(relations: Logical[], on: Expr[]): Logical {
  const left = [...relations];
  const conditions = [...on];
  let joined = left.shift()!;
  while (left.length > 0) {
    const have = outputIds(joined);
    const next = left.findIndex((r) => conditions.some((e) => connects(e, have, outputIds(r))));
    const [right] = left.splice(Math.max(next, 0), 1);
    const all = new Set([...have, ...outputIds(right)]);
    const now = conditions.filter((e) => usesOnly(e, all));
    for (const e of now) conditions.splice(conditions.indexOf(e), 1);
    joined = { op: 'join', kind: 'inner', left: joined, right, on: now.length > 0 ? conjunction(now) : null };
  }
  return joined;
}
