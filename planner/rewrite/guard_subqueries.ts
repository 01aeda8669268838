/**
 * A subquery in an arm of CASE (or behind AND, OR, COALESCE) runs in PostgreSQL only for rows that reach the arm. The binder takes it out
 * of the expression, so what it computes must be told when it is wanted, if computing it can fail:
 *
 *   case when b <> 0 then (select 10 / b) end    the subquery's rows are filtered by b <> 0, at every place where rows come from
 *
 * Where the guard is not true the subquery has no rows and its value is not looked at. In a view conditions on the clock are left out of guards: now() bounds rows there
 * (temporal_filter.ts), and the rows that it leaves out are gone before the subquery is asked.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { canFail, isVolatile } from '../analyse/functions.ts';
import {
  BOOL,
  caseWhen,
  columnsOf,
  conjunction,
  conjuncts,
  constant,
  disjunction,
  isNull,
  someExpr,
  TRUE,
  usesAny,
  usesOnly,
} from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { definedIds, filterBy, outputIds, rewritePlan } from '../logical/tree.ts';
import { exprChildren, mapExpr, mapPlanExprs, planExprs, planInputs, visitPlan } from '../logical/walk.ts';
import { uniqueOn } from './decorrelate/unique.ts';
import { isClock } from './temporal_filter.ts';

type ValueApply = Extract<Logical, { op: 'apply'; kind: 'scalar' | 'exists' | 'in' }>;

export function guardSubqueries(plan: Logical, mode: 'view' | 'read'): Logical {
  const outs = new Set<number>();
  visitPlan(plan, (p) => {
    if (p.op === 'apply' && 'out' in p) outs.add(p.out.id);
  });
  if (outs.size === 0) return plan;
  const uses = new Map<number, Expr[]>();
  visitPlan(plan, (p) => {
    for (const e of planExprs(p)) collect(e, [], outs, uses);
  });
  for (const id of wholeRowIds(plan)) if (outs.has(id)) uses.set(id, [...(uses.get(id) ?? []), TRUE]);
  const usable = (e: Expr): Expr =>
    mode === 'read' ? e : conjunction(conjuncts(e).filter((x) => !someExpr(x, isClock)));
  return rewritePlan(plan, (p) =>
    p.op === 'apply' && 'out' in p && runMayFail(p) ? guarded(p, (uses.get(p.out.id) ?? []).map(usable)) : p,
  );
}

/** Columns that are looked at without standing in an expression: the plan's own, and those of rows that are compared whole. */
function wholeRowIds(plan: Logical): Set<number> {
  const ids = new Set(outputIds(plan));
  visitPlan(plan, (p) => {
    if (p.op !== 'distinct' && p.op !== 'setop' && p.op !== 'recursive') return;
    for (const input of planInputs(p)) for (const id of outputIds(input)) ids.add(id);
  });
  return ids;
}

/** Conditions under which each subquery value in `e` is evaluated, given those under which `e` is. */
function collect(e: Expr, path: Expr[], outs: ReadonlySet<number>, uses: Map<number, Expr[]>): void {
  const under = (x: Expr, more: Expr[]): void => collect(x, [...path, ...more], outs, uses);
  const is = (arg: Expr, value: boolean, negated: boolean): Expr => ({ k: 'istruth', arg, value, negated, t: BOOL });
  switch (e.k) {
    case 'col':
      if (outs.has(e.id)) uses.set(e.id, [...(uses.get(e.id) ?? []), conjunction(path)]);
      return;
    case 'case':
      e.whens.forEach((w, i) => {
        const before = e.whens.slice(0, i).map((x) => is(x.when, true, true));
        under(w.when, before);
        under(w.then, [...before, w.when]);
      });
      if (e.else)
        under(
          e.else,
          e.whens.map((x) => is(x.when, true, true)),
        );
      return;
    case 'and':
    case 'or':
    case 'coalesce': {
      const passed = (x: Expr): Expr => (e.k === 'coalesce' ? isNull(x) : is(x, e.k === 'or', true));
      for (const [i, a] of e.args.entries()) under(a, e.args.slice(0, i).map(passed));
      return;
    }
    default:
      for (const x of exprChildren(e)) under(x, []);
  }
}

function runMayFail(p: ValueApply): boolean {
  if (p.kind === 'scalar' && !uniqueOn(p.right, new Set())) return true;
  if (p.kind === 'in' && p.test.some(canFail)) return true;
  let fails = false;
  visitPlan(p.right, (q) => {
    fails ||= planExprs(q).some(canFail);
  });
  return fails;
}

function guarded(p: ValueApply, uses: Expr[]): Logical {
  const guard = disjunction(uses);
  // A use without a condition, or one that only a later column can decide, leaves the subquery as it is.
  if (uses.length === 0 || uses.some((e) => e.k === 'const') || isVolatile(guard)) return p;
  const elsewhere = definedIds(p.right);
  elsewhere.add(p.out.id);
  const own = outputIds(p.left);
  if (usesAny(guard, elsewhere) || ![...columnsOf(guard)].every((id) => own.has(id))) return p;
  // What fails by outer columns alone may become the key of a join, which every row of left is asked for.
  const wanted = (e: Expr): Expr => caseWhen([[guard, e]], constant(null, e.t));
  const isOuter = (e: Expr) => canFail(e) && columnsOf(e).size > 0 && usesOnly(e, own);
  const keys = (q: Logical): Logical =>
    q.op === 'filter' || q.op === 'join'
      ? mapPlanExprs(q, (e) => mapExpr(e, (x) => (isOuter(x) ? wanted(x) : null)))
      : q;
  const right = rewritePlan(p.right, (q) => (isRowSource(q) ? filterBy(q, guard) : keys(q)));
  if (p.kind !== 'in') return { ...p, right };
  return { ...p, right, test: p.test.map((e) => (canFail(e) ? wanted(e) : e)) };
}

/** Where rows come from: leaves, and aggregates that have a row over no input. */
function isRowSource(p: Logical): boolean {
  if (p.op === 'aggregate') return p.keys.length === 0 || p.groupingSets !== undefined;
  return planInputs(p).length === 0 && p.op !== 'working';
}
