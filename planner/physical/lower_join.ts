/**
 * Joins: the ON condition is split into hash keys and a residual predicate.
 *
 *   l = r                      key pair (each side projected into a column, both sides brought to one type)
 *   l IS NOT DISTINCT FROM r   null-safe key pair
 *   (l = r) IS NOT FALSE       anti join only: NOT IN; a null-aware key when it is the whole condition and a NULL is possible
 */
import { unsupported } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { commonKeyType, convert, isEquality, isVolatile } from '../analyse/functions.ts';
import { outputColumns } from '../logical/columns.ts';
import { column, columnsOf, conjunction, conjuncts, usesOnly } from '../logical/expressions.ts';
import type { Col, Logical } from '../logical/plan.ts';
import { toPositions } from './builder.ts';
import { type LowerContext, type Lowered, withExprs } from './lowering.ts';

interface KeyPair {
  left: Expr;
  right: Expr;
  nullSafe: boolean;
}

/** `e` as a pair of key expressions, left side's first; null when it is no equality between the two sides. */
function keyPair(e: Expr, left: ReadonlySet<number>, right: ReadonlySet<number>): KeyPair | null {
  let a: Expr;
  let b: Expr;
  if (e.k === 'call' && e.args.length === 2 && isEquality(e.fn)) [a, b] = e.args;
  else if (e.k === 'distinct' && e.negated && isEquality(e.eq)) [a, b] = [e.left, e.right];
  else return null;
  const over = (x: Expr, ids: ReadonlySet<number>): boolean => columnsOf(x).size > 0 && usesOnly(x, ids);
  if (!over(a, left)) [a, b] = [b, a];
  if (!over(a, left) || !over(b, right) || isVolatile(a) || isVolatile(b)) return null;
  const type = commonKeyType(a.t.oid, b.t.oid);
  if (type === null) return null;
  const keyLeft = convert(a, type);
  const keyRight = convert(b, type);
  return keyLeft && keyRight && { left: keyLeft, right: keyRight, nullSafe: e.k === 'distinct' };
}

export function lowerJoin(p: Logical & { op: 'join' }, cx: LowerContext): Lowered {
  const leftCols = outputColumns(p.left);
  const rightCols = outputColumns(p.right);
  const sides = [new Set(leftCols.map((c) => c.id)), new Set(rightCols.map((c) => c.id))] as const;
  const left = cx.lower(p.left);
  const right = cx.lower(p.right);
  const pairs: KeyPair[] = [];
  const residual: Expr[] = [];
  const notIn: { pair: KeyPair; expr: Expr }[] = [];
  for (const e of conjuncts(p.on)) {
    const pair = keyPair(e, ...sides);
    const inner = p.kind === 'anti' ? isNotFalse(e) : null;
    const inPair = inner && keyPair(inner, ...sides);
    if (pair) pairs.push(pair);
    else if (inPair && !inPair.nullSafe) notIn.push({ pair: inPair, expr: e });
    else residual.push(e);
  }
  let nullAware = false;
  for (const { pair, expr } of notIn) {
    if (isNotNull(pair.left, left, cx) && isNotNull(pair.right, right, cx)) pairs.push(pair);
    else if (notIn.length === 1 && pairs.length === 0 && residual.length === 0) {
      pairs.push(pair);
      nullAware = true;
    } else residual.push(expr);
  }
  return joinNode(p, { left, right, leftCols, rightCols }, { pairs, residual, nullAware }, cx);
}

interface Sides {
  left: Lowered;
  right: Lowered;
  leftCols: Col[];
  rightCols: Col[];
}

function joinNode(
  p: Logical & { op: 'join' },
  sides: Sides,
  on: { pairs: KeyPair[]; residual: Expr[]; nullAware: boolean },
  cx: LowerContext,
): Lowered {
  const left = withExprs(
    sides.left,
    sides.leftCols,
    on.pairs.map((k) => k.left),
    cx,
  );
  const right = withExprs(
    sides.right,
    sides.rightCols,
    on.pairs.map((k) => k.right),
    cx,
  );
  const l = cx.builder.nodes[left.node];
  const r = cx.builder.nodes[right.node];
  const both = new Map(left.at);
  for (const [id, position] of right.at) both.set(id, l.types.length + position);
  const leftOnly = p.kind === 'semi' || p.kind === 'anti';
  const node = cx.builder.add({
    op: 'join',
    kind: p.kind,
    inputs: [left.node, right.node],
    types: leftOnly ? l.types : [...l.types, ...r.types],
    names: leftOnly ? l.names : [...l.names, ...r.names],
    leftKeys: left.positions,
    rightKeys: right.positions,
    nullSafe: on.pairs.map((k) => k.nullSafe),
    nullAware: on.nullAware,
    residual: on.residual.length === 0 ? null : toPositions(conjunction(on.residual), both),
  });
  return { node, at: leftOnly ? left.at : both };
}

/** The comparison inside `x IS NOT FALSE`. */
function isNotFalse(e: Expr): Expr | null {
  return e.k === 'istruth' && !e.value && e.negated ? e.arg : null;
}

function isNotNull(e: Expr, input: Lowered, cx: LowerContext): boolean {
  return cx.builder.isNotNull(toPositions(e, input.at), input.node);
}

export function lowerAsof(p: Logical & { op: 'asof' }, cx: LowerContext): Lowered {
  const leftCols = outputColumns(p.left);
  const rightCols = outputColumns(p.right);
  const time = {
    left: leftCols.find((c) => c.id === p.leftTime)!,
    right: rightCols.find((c) => c.id === p.rightTime)!,
  };
  const pairs = conjuncts(p.on).map((e) => {
    const pair = keyPair(e, new Set(leftCols.map((c) => c.id)), new Set(rightCols.map((c) => c.id)));
    if (!pair || pair.nullSafe)
      throw unsupported('an ASOF JOIN condition other than equalities and one inequality on time');
    return pair;
  });
  const leftExprs = [...pairs.map((k) => k.left), column(time.left)];
  const rightExprs = [...pairs.map((k) => k.right), column(time.right)];
  const left = withExprs(cx.lower(p.left), leftCols, leftExprs, cx);
  const right = withExprs(cx.lower(p.right), rightCols, rightExprs, cx);
  const l = cx.builder.nodes[left.node];
  const r = cx.builder.nodes[right.node];
  const at = new Map(left.at);
  for (const [id, position] of right.at) at.set(id, l.types.length + position);
  const node = cx.builder.add({
    op: 'asof',
    inputs: [left.node, right.node],
    types: [...l.types, ...r.types],
    names: [...l.names, ...r.names],
    left: p.leftOuter,
    leftKeys: left.positions.slice(0, -1),
    rightKeys: right.positions.slice(0, -1),
    leftTime: left.positions[pairs.length],
    rightTime: right.positions[pairs.length],
    strict: p.strict,
  });
  return { node, at };
}
