/**
 * Boolean and conditional simplification that keeps three-valued logic.
 *
 *   x and true -> x      x and false -> false      not (a < b) -> a >= b      not not x -> x
 *   (a and b) or (a and c) -> a and (b or c)       case when false ...        coalesce(null, x) -> x
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { isVolatile, negatorOf } from '../analyse/functions.ts';
import {
  conjunction,
  conjuncts,
  disjunction,
  FALSE,
  isTrue,
  rewriteExpr,
  structureText,
  TRUE,
} from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { mapExprsDeep } from '../logical/walk.ts';

/** Simplifies every expression of a plan. */
export function simplifyBooleans(plan: Logical): Logical {
  return mapExprsDeep(plan, simplifyExpr);
}

export function simplifyExpr(e: Expr): Expr {
  return rewriteExpr(e, simplifyNode);
}

function simplifyNode(e: Expr): Expr {
  switch (e.k) {
    case 'and':
      return simplifyAnd(e.args.flatMap((a) => (a.k === 'and' ? a.args : [a])));
    case 'or':
      return simplifyOr(e.args.flatMap((a) => (a.k === 'or' ? a.args : [a])));
    case 'not':
      return simplifyNot(e);
    case 'case':
      return simplifyCase(e);
    case 'coalesce':
      return simplifyCoalesce(e);
    default:
      return e;
  }
}

function isFalse(e: Expr): boolean {
  return e.k === 'const' && e.v === false;
}

function simplifyAnd(args: Expr[]): Expr {
  if (args.some(isFalse)) return FALSE;
  return conjunction(unique(args.filter((a) => !isTrue(a))));
}

function simplifyOr(args: Expr[]): Expr {
  if (args.some(isTrue)) return TRUE;
  const kept = unique(args.filter((a) => !isFalse(a)));
  return kept.length < 2 ? disjunction(kept) : factorOut(kept);
}

/** Each operand once; a volatile one is another value each time. */
function unique(args: Expr[]): Expr[] {
  const seen = new Set<string>();
  return args.filter((a) => {
    const key = structureText(a);
    if (seen.has(key) && !isVolatile(a)) return false;
    seen.add(key);
    return true;
  });
}

/** Conditions that stand in every arm of an OR hold outside it; joins may then use them. */
function factorOut(arms: Expr[]): Expr {
  const lists = arms.map((a) => conjuncts(a).map((e) => ({ e, key: structureText(e) })));
  const common = lists[0].filter(({ e, key }) => !isVolatile(e) && lists.every((l) => l.some((x) => x.key === key)));
  if (common.length === 0) return disjunction(arms);
  const keys = new Set(common.map((c) => c.key));
  const rest = lists.map((l) => conjunction(l.filter((x) => !keys.has(x.key)).map((x) => x.e)));
  const outside = common.map((c) => c.e);
  return rest.some(isTrue) ? conjunction(outside) : conjunction([...outside, disjunction(rest)]);
}

function simplifyNot(e: Expr & { k: 'not' }): Expr {
  const { arg } = e;
  if (arg.k === 'not') return arg.arg;
  if (arg.k === 'isnull' || arg.k === 'istruth' || arg.k === 'distinct') return { ...arg, negated: !arg.negated };
  if (arg.k === 'call' && arg.args.length === 2) {
    const fn = negatorOf(arg.fn);
    if (fn !== null) return { ...arg, fn };
  }
  return e;
}

function simplifyCase(e: Expr & { k: 'case' }): Expr {
  const whens = e.whens.filter((w) => !(w.when.k === 'const' && w.when.v !== true));
  const certain = whens.findIndex((w) => isTrue(w.when));
  if (certain === 0) return whens[0].then;
  if (certain > 0) return { ...e, whens: whens.slice(0, certain), else: whens[certain].then };
  if (whens.length === 0) return e.else ?? { k: 'const', v: null, t: e.t };
  return whens.length === e.whens.length ? e : { ...e, whens };
}

function simplifyCoalesce(e: Expr & { k: 'coalesce' }): Expr {
  const args = e.args.filter((a) => !(a.k === 'const' && a.v === null));
  if (args.length === 0) return { k: 'const', v: null, t: e.t };
  const certain = args.findIndex((a) => a.k === 'const');
  const kept = certain === -1 ? args : args.slice(0, certain + 1);
  return kept.length === 1 ? kept[0] : { ...e, args: kept };
}
