/**
 * What the planner knows about functions that stand for operators: comparison, commutator, negator; volatility; and whether
 * evaluating an expression can raise an error. All of it is read from PostgreSQL's catalogs (planner/types) except the last,
 * which PostgreSQL does not record: `canFail` lists the functions known to be total and takes every other one as fallible.
 */
import { DOMAIN_CHECK } from '../../operators/expr/domain_types.ts';
import { EXTERNAL_CALL, EXTERNAL_ROWS } from '../../operators/expr/external.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { isEnumType, OID } from '../../operators/types.ts';
import { BOOL } from '../logical/expressions.ts';
import { exprChildren } from '../logical/walk.ts';
import { findCoercion } from '../types/cast.ts';
import {
  elementTypeOf,
  equalityOf,
  operatorByOid,
  operatorsByName,
  type PgOperator,
  procByOid,
  procSignature,
  procsByName,
} from '../types/catalog.ts';
import { rangeElementOf, rangeOfMultirange } from '../types/range.ts';

export type ComparisonName = '=' | '<>' | '<' | '<=' | '>' | '>=';

export interface Comparison {
  name: ComparisonName;
  left: number;
  right: number;
  /** Hash or merge joins may use it: it is an equality of a total order. */
  joinable: boolean;
}

const NAMES: ComparisonName[] = ['=', '<>', '<', '<=', '>', '>='];

let byFunction: Map<string, PgOperator> | null = null;

function operatorOf(fn: string): PgOperator | undefined {
  if (byFunction === null) {
    byFunction = new Map();
    for (const name of NAMES) {
      for (const operator of operatorsByName(name)) {
        const proc = procByOid(operator.code);
        if (proc) byFunction.set(procSignature(proc), operator);
      }
    }
  }
  return byFunction.get(fn);
}

/** The comparison that a function implements: `int4eq(int4,int4)` is `=`. */
export function comparisonOf(fn: string): Comparison | null {
  const operator = operatorOf(fn);
  if (!operator) return null;
  const joinable = operator.name === '=' && (operator.canHash || operator.canMerge);
  return { name: operator.name as ComparisonName, left: operator.left, right: operator.right, joinable };
}

/** True for functions that are the equality of a type's (or a type family's) default order. */
export function isEquality(fn: string): boolean {
  return comparisonOf(fn)?.joinable ?? false;
}

function functionOfOperator(oid: number): string | null {
  const operator = operatorByOid(oid);
  const proc = operator && procByOid(operator.code);
  return proc ? procSignature(proc) : null;
}

/** `a < b` as a function of (b, a): `int4gt(int4,int4)`; null when there is none. */
export function commutatorOf(fn: string): string | null {
  const operator = operatorOf(fn);
  return operator ? functionOfOperator(operator.commutator) : null;
}

/** The function whose result is NOT fn's: `int4ne(int4,int4)` for `int4eq(int4,int4)`; null when there is none. */
export function negatorOf(fn: string): string | null {
  const operator = operatorOf(fn);
  return operator ? functionOfOperator(operator.negator) : null;
}

/** The comparison of two values by its function, as an expression. */
export function compareBy(fn: string, left: Expr, right: Expr): Expr {
  return { k: 'call', fn, args: [left, right], t: BOOL, strict: true };
}

/** The equality function of a type; a type without one cannot be compared (42883 was the binder's to raise). */
function equalityFor(oid: number): string {
  const fn = equalityOf(oid);
  if (fn === null) throw new Error(`type ${oid} has no equality`);
  return fn;
}

/** `left IS NOT DISTINCT FROM right` for two values of one type. */
export function sameValue(left: Expr, right: Expr): Expr {
  return { k: 'distinct', eq: equalityFor(left.t.oid), left, right, negated: true, t: BOOL };
}

/** 'i' immutable, 's' stable, 'v' volatile. */
export type Volatility = 'i' | 's' | 'v';

/** Text forms of these types depend on settings (DateStyle, TimeZone, IntervalStyle, bytea_output, ...). */
const SETTING_DEPENDENT = new Set<number>([
  OID.date,
  OID.time,
  OID.timetz,
  OID.timestamp,
  OID.timestamptz,
  OID.interval,
  OID.bytea,
  OID.money,
  OID.float4,
  OID.float8,
  OID.regclass,
  OID.regproc,
  OID.regtype,
  OID.regrole,
  OID.regnamespace,
  OID.regoper,
  OID.regoperator,
  OID.regprocedure,
  OID.record,
  OID.xml,
]);
const NUMBERS_WITH_FIXED_TEXT = new Set<number>([
  OID.int2,
  OID.int4,
  OID.int8,
  OID.numeric,
  OID.bool,
  OID.uuid,
  OID.oid,
]);
const NUMBERS = new Set<number>([OID.int2, OID.int4, OID.int8, OID.numeric, OID.float4, OID.float8]);
const STRINGS = new Set<number>([OID.text, OID.varchar, OID.bpchar, OID.name, OID.unknown, OID.char]);

/** Of functions of the catalog, which stay what they are: every rule asks for every call, often. */
const volatilities = new Map<string, Volatility>();

export function functionVolatility(fn: string): Volatility {
  const known = volatilities.get(fn);
  if (known !== undefined) return known;
  // What a domain says does not change while something that must not change is computed with it.
  if (fn === DOMAIN_CHECK) return 'i';
  // Whatever it says of itself: what runs it gives the same for the same arguments.
  if (fn === EXTERNAL_CALL || fn === EXTERNAL_ROWS) return 'i';
  const name = fn.slice(0, fn.indexOf('('));
  const procs = procsByName(name);
  const exact = procs.find((p) => procSignature(p) === fn);
  if (exact) {
    volatilities.set(fn, exact.volatility);
    return exact.volatility;
  }
  // Spellings that are not a catalog signature (VARIADIC forms): the least favourable of the name's functions.
  if (procs.some((p) => p.volatility === 'v')) return 'v';
  return procs.length > 0 && procs.every((p) => p.volatility === 'i') ? 'i' : 's';
}

/** Volatility of one node of an expression, its operands left out. */
export function nodeVolatility(e: Expr): Volatility {
  if (e.k === 'call') return functionVolatility(e.fn);
  if (e.k === 'cast') return castVolatility(e.arg.t.oid, e.t.oid);
  return e.k === 'param' ? 's' : 'i';
}

/** What the values are made of that an array, range or multirange has. */
export function partTypeOf(oid: number): number {
  const type = elementTypeOf(oid) || oid;
  return rangeElementOf(rangeOfMultirange(type) || type) || type;
}

/** An array's text depends on what its elements' does, a range's on its bounds'. */
function hasTextBySettings(oid: number): boolean {
  const type = partTypeOf(oid);
  // What the labels of an enum type are called ALTER TYPE changes.
  return SETTING_DEPENDENT.has(type) || isEnumType(type);
}

function isNumber(oid: number): boolean {
  return NUMBERS.has(elementTypeOf(oid) || oid);
}

function castVolatility(from: number, to: number): Volatility {
  if (from === to) return 'i';
  if (hasSettledText(from) && hasSettledText(to)) return 'i';
  // Between numbers, and arrays of them, no text is made.
  if (isNumber(from) && isNumber(to)) return 'i';
  // float text is settled by extra_float_digits alone, and reading it by nothing.
  if (STRINGS.has(from) && (to === OID.float4 || to === OID.float8)) return 'i';
  return hasTextBySettings(from) || hasTextBySettings(to) ? 's' : 'i';
}

/** The worst volatility in the expression. */
export function volatilityOf(e: Expr): Volatility {
  let worst = nodeVolatility(e);
  for (const x of exprChildren(e)) {
    if (worst === 'v') break;
    const v = volatilityOf(x);
    if (v === 'v' || (v === 's' && worst === 'i')) worst = v;
  }
  return worst;
}

/** True when the value may depend on settings of the session (TimeZone, DateStyle, search_path, ...) or on now(). */
export function readsSettings(e: Expr): boolean {
  return nodeReadsSettings(e) || exprChildren(e).some(readsSettings);
}

function nodeReadsSettings(e: Expr): boolean {
  switch (e.k) {
    case 'call':
    case 'anyall':
      return functionVolatility(e.fn) !== 'i';
    case 'cast':
      // Only what is known to be settled counts as such.
      return e.arg.t.oid !== e.t.oid && !(hasSettledText(e.arg.t.oid) && hasSettledText(e.t.oid));
    case 'distinct':
    case 'nullif':
      return functionVolatility(e.eq) !== 'i';
    case 'extreme':
      return functionVolatility(e.lt) !== 'i';
    default:
      return false;
  }
}

function hasSettledText(oid: number): boolean {
  return NUMBERS_WITH_FIXED_TEXT.has(oid) || STRINGS.has(oid);
}

export function isVolatile(e: Expr): boolean {
  return volatilityOf(e) === 'v';
}

/** Names of functions that give a value for every argument. */
const TOTAL = new Set([
  'lower',
  'upper',
  'length',
  'char_length',
  'character_length',
  'octet_length',
  'bit_length',
  'textcat',
  'btrim',
  'ltrim',
  'rtrim',
  'reverse',
  'strpos',
  'position',
  'initcap',
  'md5',
  'starts_with',
  'left',
  'right',
  'concat',
  'concat_ws',
  'quote_literal',
  'quote_ident',
  'quote_nullable',
  'split_part',
  'ascii',
  'isfinite',
  'now',
  'like',
  'textlike',
  'textnlike',
  'bpcharlike',
  'array_length',
  'cardinality',
  'array_position',
  'jsonb_typeof',
  'json_typeof',
  'pi',
  'sign',
  'jsonb_object_field',
  'jsonb_object_field_text',
  'jsonb_array_element',
  'jsonb_array_element_text',
  'jsonb_exists',
  'json_object_field_text',
  'json_object_field',
  'hashtext',
]);
/** Conversions that cannot fail, by signature. */
const TOTAL_SIGNATURES = new Set([
  'int4(int2)',
  'int8(int2)',
  'int8(int4)',
  'numeric(int2)',
  'numeric(int4)',
  'numeric(int8)',
  'numeric(float8)',
  'numeric(float4)',
  'float8(int2)',
  'float8(int4)',
  'float8(int8)',
  'float8(float4)',
  'float4(int2)',
  'float4(int4)',
  'float4(int8)',
  'text(bpchar)',
  'text(bool)',
  'text(name)',
  'timestamp(date)',
  'timestamptz(date)',
  'date(timestamp)',
  'bpchar(bpchar,int4,bool)',
  'bpchar(name)',
  'float8abs(float8)',
  'ceil(float8)',
  'floor(float8)',
  'numeric_abs(numeric)',
  'abs(float8)',
  'abs(numeric)',
  'ceil(numeric)',
  'floor(numeric)',
  'round(numeric)',
]);

/** True unless evaluating the expression can never raise an error. */
export function canFail(e: Expr): boolean {
  return nodeCanFail(e) || exprChildren(e).some(canFail);
}

function nodeCanFail(e: Expr): boolean {
  switch (e.k) {
    case 'call':
      return !TOTAL_SIGNATURES.has(e.fn) && !TOTAL.has(e.fn.slice(0, e.fn.indexOf('('))) && comparisonOf(e.fn) === null;
    case 'cast':
      return !(STRINGS.has(e.t.oid) && e.t.typmod === -1);
    case 'anyall':
      return comparisonOf(e.fn) === null;
    case 'param':
    case 'array':
      return e.k === 'array';
    default:
      return false;
  }
}

/** `e` as type `oid` by an implicit coercion; null when there is none. */
export function convert(e: Expr, oid: number): Expr | null {
  if (e.t.oid === oid) return e;
  const t = { oid, typmod: -1 };
  const c = findCoercion(e.t.oid, oid, 'implicit');
  if (c === null) return null;
  if (c.method === 'function' && c.argCount === 1) return { k: 'call', fn: c.fn, args: [e], t, strict: c.strict };
  if (c.method === 'none' || c.method === 'io') return { k: 'cast', arg: e, t, explicit: false };
  return null;
}

/** The type to which both sides of an equality are brought so that equal values hash alike; null when there is none. */
export function commonKeyType(left: number, right: number): number | null {
  if (left === right) return left;
  if (convertible(left, right)) return right;
  return convertible(right, left) ? left : null;
}

function convertible(from: number, to: number): boolean {
  // Numbers that lose digits as floats would compare differently, but PostgreSQL compares them as floats too.
  return findCoercion(from, to, 'implicit') !== null;
}
