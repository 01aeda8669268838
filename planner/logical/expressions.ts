/**
 * Helpers over the expression IR that the rewrite rules share: walking, substitution, conjunctions, structural text.
 * Expressions are immutable: every helper returns new nodes and shares unchanged ones.
 */
import type { Datum } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import { exprChildren, mapChildren } from './walk.ts';

export const BOOL: ColType = colType(OID.bool);
export const INT8: ColType = colType(OID.int8);
export const INT4: ColType = colType(OID.int4);

export function constant(v: Datum, t: ColType): Expr {
  return { k: 'const', v, t };
}

export const TRUE: Expr = constant(true, BOOL);
export const FALSE: Expr = constant(false, BOOL);

export function column(col: { id: number; type: ColType }): Expr {
  return { k: 'col', id: col.id, t: col.type };
}

export function isTrue(e: Expr): boolean {
  return e.k === 'const' && e.v === true;
}

/** FALSE or NULL: what a filter rejects. */
export function isNeverTrue(e: Expr): boolean {
  return e.k === 'const' && e.v !== true;
}

/** Bottom-up rewrite of a whole expression. */
export function rewriteExpr(e: Expr, f: (e: Expr) => Expr): Expr {
  return f(mapChildren(e, (x) => rewriteExpr(x, f)));
}

export function someExpr(e: Expr, test: (e: Expr) => boolean): boolean {
  return test(e) || exprChildren(e).some((x) => someExpr(x, test));
}

/** Column ids an expression reads, added to `into`. */
export function columnsOf(e: Expr, into: Set<number> = new Set()): Set<number> {
  if (e.k === 'col') into.add(e.id);
  else for (const x of exprChildren(e)) columnsOf(x, into);
  return into;
}

export function usesOnly(e: Expr, ids: ReadonlySet<number>): boolean {
  return e.k === 'col' ? ids.has(e.id) : exprChildren(e).every((x) => usesOnly(x, ids));
}

export function usesAny(e: Expr, ids: ReadonlySet<number>): boolean {
  return e.k === 'col' ? ids.has(e.id) : exprChildren(e).some((x) => usesAny(x, ids));
}

/** Replaces columns by expressions; ids that are not in the map stay. */
export function substitute(e: Expr, by: ReadonlyMap<number, Expr>): Expr {
  if (by.size === 0) return e;
  if (e.k === 'col') return by.get(e.id) ?? e;
  return mapChildren(e, (x) => substitute(x, by));
}

/** The top-level AND operands of a predicate, in order. */
export function conjuncts(e: Expr | null): Expr[] {
  if (e === null || isTrue(e)) return [];
  return e.k === 'and' ? e.args.flatMap(conjuncts) : [e];
}

export function conjunction(list: readonly Expr[]): Expr {
  const flat = list.filter((e) => !isTrue(e));
  if (flat.length === 0) return TRUE;
  return flat.length === 1 ? flat[0] : { k: 'and', args: flat, t: BOOL };
}

export function disjunction(list: readonly Expr[]): Expr {
  if (list.length === 0) return FALSE;
  return list.length === 1 ? list[0] : { k: 'or', args: [...list], t: BOOL };
}

export function not(arg: Expr): Expr {
  return { k: 'not', arg, t: BOOL };
}

export function isNull(arg: Expr, negated = false): Expr {
  return { k: 'isnull', arg, negated, t: BOOL };
}

/** Searched CASE with one type for all arms. */
export function caseWhen(arms: [Expr, Expr][], otherwise: Expr): Expr {
  return { k: 'case', whens: arms.map(([when, then]) => ({ when, then })), else: otherwise, t: otherwise.t };
}

/** Nodes in the expression: a rough cost. */
export function sizeOf(e: Expr): number {
  return exprChildren(e).reduce((sum, x) => sum + sizeOf(x), 1);
}

/**
 * JSON text of plain data that keeps what JSON drops (bigint, -0, NaN, bytes); equal texts mean equal structure. Fields called
 * `name` are left out with `names: false`.
 */
export function structureText(value: unknown, names = true): string {
  return JSON.stringify(value, (key, v: unknown) => {
    switch (typeof v) {
      case 'bigint':
        return `${v}n`;
      case 'number':
        return Number.isFinite(v) && !Object.is(v, -0) ? v : `#${Object.is(v, -0) ? '-0' : v}`;
      case 'string':
        if (key === 'name' && !names) return undefined;
        return /^(#|-?\d+n$|bytes:|")/.test(v) ? `"${v}` : v;
      default:
        return v instanceof Uint8Array ? `bytes:${Buffer.from(v).toString('hex')}` : v;
    }
  });
}

export function sameExpr(a: Expr, b: Expr): boolean {
  return structureText(a) === structureText(b);
}
