/**
 * Values of one kind under several types: int2, int4 and int8; varchar and text. A column may be compared as a wider type of its kind, and a value of another type
 * is then looked up in its index as one of its own.
 */
import type { Datum } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';

/** The greatest value of each integer type. */
const GREATEST = new Map<number, bigint>([
  [OID.int2, 2n ** 15n - 1n],
  [OID.int4, 2n ** 31n - 1n],
  [OID.int8, 2n ** 63n - 1n],
]);
const TEXTS = new Set<number>([OID.text, OID.varchar]);

export function areTexts(a: number, b: number): boolean {
  return TEXTS.has(a) && TEXTS.has(b);
}

export function isSameKind(a: number, b: number): boolean {
  return a === b || (GREATEST.has(a) && GREATEST.has(b)) || areTexts(a, b);
}

/** What an expression brings to a wider type of its kind, which leaves apart what was apart; else itself. */
export function narrowestOf(e: Expr): Expr {
  const arg = e.k === 'cast' ? e.arg : e.k === 'call' && e.args.length === 1 ? e.args[0] : null;
  if (arg === null || arg.t.oid === e.t.oid || !isSameKind(arg.t.oid, e.t.oid)) return e;
  if (TEXTS.has(e.t.oid)) return e.k === 'cast' && e.t.typmod === -1 ? narrowestOf(arg) : e;
  const [from, to] = [GREATEST.get(arg.t.oid), GREATEST.get(e.t.oid)] as bigint[];
  const isCast = e.k === 'call' && /^int[248]\(int[248]\)$/.test(e.fn);
  return isCast && from < to ? narrowestOf(arg) : e;
}

/** A value as one of another type of its kind; null when none of that type equals it, or it is NULL. */
export function asKey(value: Datum, oid: number): Datum {
  const greatest = GREATEST.get(oid);
  if (greatest === undefined || value === null) return value;
  const whole = BigInt(value as number | bigint);
  if (whole > greatest || whole < -greatest - 1n) return null;
  return oid === OID.int8 ? whole : Number(whole);
}
