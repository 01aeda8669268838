/**
 * Constants, parameters, casts and the SQL-standard functions written without parentheses (current_date, ...).
 */
import { SqlError } from '../../operators/errors.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { elementTypeOf } from '../types/catalog.ts';
import { callFunction } from '../types/coerce.ts';
import { resolveFunction } from '../types/function.ts';
import { typeOfOid } from '../types/type_name.ts';
import { argumentAt } from './argument.ts';
import { bindArray } from './array_expr.ts';
import { cast } from './cast_expr.ts';
import { BOOL, coerceHost, INT4, INT8, UNKNOWN } from './coercion.ts';
import type { Level } from './level.ts';
import { locationOf } from './node.ts';

/** A literal. Numbers get the smallest of int4, int8, numeric; strings stay untyped (OID.unknown). */
export function bindConstant(level: Level, c: PgNode): Expr {
  const expr = constantExpr(level, c);
  if (c.sval && level.shared.env.onLiteral) level.shared.literals.set(expr, c);
  return level.at(expr, locationOf(c));
}

function constantExpr(level: Level, c: PgNode): Expr {
  if (c.isnull) return { k: 'const', v: null, t: UNKNOWN };
  if (c.ival) return { k: 'const', v: c.ival.ival ?? 0, t: INT4 };
  if (c.boolval) return { k: 'const', v: c.boolval.boolval ?? false, t: BOOL };
  if (c.sval) return { k: 'const', v: c.sval.sval ?? '', t: UNKNOWN };
  if (c.fval) return numberConstant(level, c.fval.fval ?? '');
  const bits: string = c.bsval?.bsval ?? '';
  if (bits.startsWith('x')) throw level.unsupported('a bit string in hexadecimal', locationOf(c));
  return {
    k: 'const',
    v: inputText(bits.slice(1), colType(OID.bit), level.shared.env.evalContext),
    t: colType(OID.bit),
  };
}

function numberConstant(level: Level, text: string): Expr {
  const digits = text.replaceAll('_', '');
  // A minus sign before a literal is part of it in PostgreSQL's grammar.
  const [sign, magnitude] = digits.startsWith('-') ? [-1n, digits.slice(1)] : [1n, digits];
  if (/^(\d+|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(magnitude)) {
    const n = sign * BigInt(magnitude);
    if (BigInt.asIntN(32, n) === n) return { k: 'const', v: Number(n), t: INT4 };
    if (BigInt.asIntN(64, n) === n) return { k: 'const', v: n, t: INT8 };
  }
  const t = colType(OID.numeric);
  return { k: 'const', v: inputText(text, t, level.shared.env.evalContext), t };
}

/** $n, with the type known so far. */
export function bindParam(level: Level, c: PgNode): Expr {
  const n: number = c.number ?? 0;
  const { env } = level.shared;
  const argument = argumentAt(level, n - 1);
  if (argument) return argument;
  if (env.allowParams === false || n < 1 || level.callee !== null) {
    throw level.error('42P02', `there is no parameter $${n}`, locationOf(c));
  }
  while (env.paramTypes.length < n) env.paramTypes.push(0);
  const known = env.paramTypes[n - 1];
  return level.at({ k: 'param', n, t: known === 0 ? UNKNOWN : typeOfOid(known) }, locationOf(c));
}

/** CAST(x AS type), x::type, type 'literal'. */
export function bindTypeCast(level: Level, c: PgNode): Expr {
  const location = c.location === -1 ? locationOf(c.typeName) : locationOf(c);
  const to = level.typeNamed(c.typeName, locationOf(c.typeName));
  if (c.arg.A_ArrayExpr) {
    // The element type is passed down, so that '{}' and untyped elements take it.
    const element = elementTypeOf(to.oid);
    if (element !== 0) {
      return cast(level, bindArray(level, c.arg.A_ArrayExpr, colType(to.oid)), to, location);
    }
  }
  return cast(level, level.bind(c.arg), to, location);
}

/** A function of no arguments, by name. */
function niladic(level: Level, name: string, location: number): Expr {
  const f = resolveFunction({ name, args: [] });
  return level.at(callFunction(f, [], coerceHost(level)), location);
}

const FROM_NOW: Record<string, number> = {
  SVFOP_CURRENT_DATE: OID.date,
  SVFOP_CURRENT_TIME: OID.timetz,
  SVFOP_CURRENT_TIME_N: OID.timetz,
  SVFOP_CURRENT_TIMESTAMP: OID.timestamptz,
  SVFOP_CURRENT_TIMESTAMP_N: OID.timestamptz,
  SVFOP_LOCALTIME: OID.time,
  SVFOP_LOCALTIME_N: OID.time,
  SVFOP_LOCALTIMESTAMP: OID.timestamp,
  SVFOP_LOCALTIMESTAMP_N: OID.timestamp,
};

const SESSION_VALUE: Record<string, string> = {
  SVFOP_CURRENT_ROLE: 'current_user',
  SVFOP_CURRENT_USER: 'current_user',
  SVFOP_USER: 'current_user',
  SVFOP_SESSION_USER: 'session_user',
  SVFOP_CURRENT_CATALOG: 'current_database',
  SVFOP_CURRENT_SCHEMA: 'current_schema',
};

/** current_date, localtimestamp(3), current_user, ...: all times are casts of now(). */
export function bindSqlValue(level: Level, c: PgNode): Expr {
  const at = locationOf(c);
  const type = FROM_NOW[c.op];
  if (type === undefined) {
    const name = SESSION_VALUE[c.op ?? 'SVFOP_CURRENT_DATE'];
    if (name === undefined) throw new SqlError('0A000', `${c.op} is not supported`);
    return niladic(level, name, at);
  }
  const typmod = c.op.endsWith('_N') ? (c.typmod ?? 0) : -1;
  return cast(level, niladic(level, 'now', at), colType(type, typmod), at);
}
