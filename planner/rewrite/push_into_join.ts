/**
 * Predicate pushdown at a join, with outer-join simplification and transitive equalities.
 *
 *   kind    WHERE over left    WHERE over right   ON over left    ON over right
 *   inner   left               right              left            right
 *   left    left               stays              stays           right
 *   semi    left               -                  left            right
 *   anti    left               -                  stays           right
 *   full    stays              stays              stays           stays
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { JoinKind } from '../../operators/plan.ts';
import { canFail, isEquality, isVolatile, volatilityOf } from '../analyse/functions.ts';
import { columnsOf, conjunction, conjuncts, structureText, substitute, usesOnly } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { outputIds } from '../logical/tree.ts';
import { rejectsNulls } from './null_rejecting.ts';
import { above, split } from './predicates.ts';

type Join = Logical & { op: 'join' };
/** Pushes predicates into a subplan. */
type Push = (p: Logical, predicates: Expr[]) => Logical;

export function pushIntoJoin(written: Join, predicates: Expr[], push: Push): Logical {
  const p = simplified(written, predicates);
  const left = outputIds(p.left);
  const right = outputIds(p.right);
  const inLeft = (e: Expr): boolean => usesOnly(e, left);
  const inRight = (e: Expr): boolean => usesOnly(e, right);
  const on = conjuncts(p.on);
  if (p.kind === 'full') {
    return above({ ...p, left: push(p.left, []), right: push(p.right, []) }, predicates);
  }
  if (p.kind === 'inner') {
    const all = [...on, ...predicates];
    const toLeft = split(all, inLeft);
    const toRight = split(toLeft.stay, inRight);
    const where = new Set(predicates);
    const volatile: Expr[] = [];
    const rest: Expr[] = [];
    for (const e of toRight.stay) (where.has(e) && isVolatile(e) ? volatile : rest).push(e);
    return above(withTransitive(p, { left: toLeft.down, right: toRight.down, on: rest }, push), volatile);
  }
  const where = split(predicates, inLeft);
  const onLeft = p.kind === 'semi' ? split(on, inLeft) : { down: [], stay: on };
  const onRight = split(onLeft.stay, inRight);
  return above(
    withTransitive(p, { left: [...where.down, ...onLeft.down], right: onRight.down, on: onRight.stay }, push),
    where.stay,
  );
}

/** The simplest kind of join that gives the same rows under the predicates; right joins become left joins. */
function simplified(p: Join, predicates: Expr[]): Join {
  if (p.kind === 'right') return simplified({ ...p, kind: 'left', left: p.right, right: p.left }, predicates);
  if (p.kind !== 'left' && p.kind !== 'full') return p;
  const rejects = (ids: Set<number>): boolean => predicates.some((e) => rejectsNulls(e, ids));
  const keepsLeftPads = !rejects(outputIds(p.right));
  if (p.kind === 'left') return keepsLeftPads ? p : { ...p, kind: 'inner' };
  const keepsRightPads = !rejects(outputIds(p.left));
  if (keepsLeftPads && keepsRightPads) return p;
  if (keepsLeftPads) return { ...p, kind: 'left' };
  if (keepsRightPads) return { ...p, kind: 'left', left: p.right, right: p.left };
  return { ...p, kind: 'inner' };
}

/** The join over pushed sides, with what equalities of ON say about the other side. */
function withTransitive(p: Join, to: { left: Expr[]; right: Expr[]; on: Expr[] }, push: Push): Logical {
  const { on } = to;
  const left = push(p.left, to.left);
  const right = push(p.right, to.right);
  const knownLeft = holds(left);
  const knownRight = holds(right);
  const forRight = derived(on, knownLeft, outputIds(p.right), knownRight);
  const forLeft = mayFilterLeft(p.kind) ? derived(on, knownRight, outputIds(p.left), knownLeft) : [];
  return {
    ...p,
    left: forLeft.length > 0 ? push(left, forLeft) : left,
    right: forRight.length > 0 ? push(right, forRight) : right,
    on: on.length > 0 ? conjunction(on) : null,
  };
}

/** Only rows that find a partner leave the join, so what the partner must satisfy the left row must too. */
function mayFilterLeft(kind: JoinKind): boolean {
  return kind === 'inner' || kind === 'semi';
}

/** Predicates on one column, carried over `a = b` to the other side, without those that hold there already. */
function derived(on: Expr[], known: Expr[], target: ReadonlySet<number>, there: Expr[]): Expr[] {
  const texts = new Set(there.map((e) => structureText(e)));
  const found: Expr[] = [];
  for (const e of on) {
    if (e.k !== 'call' || e.args.length !== 2 || !isEquality(e.fn)) continue;
    const [a, b] = e.args;
    if (a.k !== 'col' || b.k !== 'col' || a.t.oid !== b.t.oid) continue;
    const [from, to] = target.has(b.id) ? [a, b] : [b, a];
    if (!target.has(to.id) || target.has(from.id)) continue;
    for (const predicate of known) {
      const ids = columnsOf(predicate);
      // What can fail must not meet rows that the predicate never saw.
      if (ids.size !== 1 || !ids.has(from.id) || volatilityOf(predicate) !== 'i' || canFail(predicate)) continue;
      const moved = substitute(predicate, new Map([[from.id, to]]));
      const text = structureText(moved);
      if (!texts.has(text)) found.push(moved);
      texts.add(text);
    }
  }
  return found;
}

/** Predicates that every row of the plan satisfies, as far as they are written in it. */
function holds(p: Logical): Expr[] {
  switch (p.op) {
    case 'filter':
      return [...holds(p.input), ...conjuncts(p.predicate)];
    case 'project': {
      const passed = new Set(p.items.flatMap((i) => (i.expr.k === 'col' && i.expr.id === i.col.id ? [i.col.id] : [])));
      return holds(p.input).filter((e) => usesOnly(e, passed));
    }
    case 'join':
      return [...(p.kind === 'full' ? [] : holds(p.left)), ...(p.kind === 'inner' ? holds(p.right) : [])];
    case 'distinct':
    case 'topn':
    case 'window':
    case 'temporal':
    case 'single_row':
    case 'timewindow':
    case 'tablefunc':
      return holds(p.input);
    default:
      return [];
  }
}
