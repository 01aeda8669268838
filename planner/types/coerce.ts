/**
 * Coercion of expressions: the IR nodes that turn an expression of one type into another, and calls of resolved functions and
 * operators on coerced arguments.
 *
 *   pg_cast function        call f(x)                          relabelling, I/O       cast
 *   then, if the target has a typmod that x lacks: a cast to the same type with the typmod (length coercion)
 *   untyped literal         const of the target, read now      untyped parameter      param of the target
 *
 * A record literal ROW(...) is coerced field by field where its target is an anonymous record only, i.e. never: named
 * composite types do not exist in Tidemark.
 */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { DOMAIN_CHECK } from '../../operators/expr/domain_types.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { type Coercion, type CoercionContext, findCoercion, lengthCoercion } from './cast.ts';
import { typeWords } from './format_type.ts';
import type { ResolvedFunction } from './function.ts';
import type { ResolvedOperator } from './operator.ts';

export { commonType } from './common_type.ts';

/** What coercion asks of its caller. */
export interface CoerceHost {
  /** Reads a literal as a type's input function would (typmod applied); throws 22P02 and the like. `literal`: where it is one of the statement. */
  inputLiteral(text: string, type: ColType, literal?: Expr): Datum;
  /** Told when an untyped parameter gets its type; gives the type it has. Throws 42P08 on a conflict. Absent: parameters are typed. */
  paramType?(n: number, type: ColType): ColType;
  /** Binds the default of a user's function. Absent: there are none of these. */
  defaultOf?(written: { node: PgNode; text: string }): Expr;
}

/** Converts `expr` to type `to`; null when no coercion exists in this context. An untyped literal becomes a const of `to`. */
export function coerceExpr(expr: Expr, to: ColType, context: CoercionContext, host: CoerceHost): Expr | null {
  if (to.oid === OID.any) return expr;
  if (to.domain !== undefined) return to.domain === expr.t.domain ? expr : toDomain(expr, to, context, host);
  if (expr.t.oid === OID.unknown && to.oid !== OID.unknown) {
    const typed = typeUntyped(expr, to, context, host);
    if (typed) return typed;
  }
  const coercion = findCoercion(expr.t.oid, to.oid, context);
  if (coercion === null) return null;
  return fitLength(convert(expr, coercion, to, context), to, context);
}

/** As what lies under the domain first, and then checked, as the elements of an array of a domain are. */
function toDomain(expr: Expr, to: ColType, context: CoercionContext, host: CoerceHost): Expr | null {
  const value = coerceExpr(expr, colType(to.oid, to.typmod), context, host);
  return value && { k: 'call', fn: DOMAIN_CHECK, args: [value], t: to, strict: false };
}

/** An untyped literal or parameter takes the type asked for. Null: the expression is neither, so its text is converted. */
function typeUntyped(expr: Expr, to: ColType, context: CoercionContext, host: CoerceHost): Expr | null {
  if (expr.k === 'const') {
    if (expr.v === null) return { k: 'const', v: null, t: to };
    if (typeof expr.v !== 'string') throw new Error('an untyped literal is a string');
    return readLiteral(expr, expr.v, to, context, host);
  }
  if (expr.k === 'param' && host.paramType) {
    const param: Expr = { k: 'param', n: expr.n, t: host.paramType(expr.n, colType(to.oid)) };
    return param.t.oid === to.oid ? fitLength(param, to, context) : coerceExpr(param, to, context, host);
  }
  return null;
}

/**
 * A literal of type interval is read with its typmod (fields decide what '1' means); of another type it is read without and then
 * fitted as a value would be, which for an explicit cast truncates silently.
 */
function readLiteral(literal: Expr, text: string, to: ColType, context: CoercionContext, host: CoerceHost): Expr {
  const readWith = to.oid === OID.interval ? to : colType(to.oid);
  const value = host.inputLiteral(text, readWith, literal);
  return fitLength({ k: 'const', v: value, t: readWith }, to, context);
}

function convert(expr: Expr, c: Coercion, to: ColType, context: CoercionContext): Expr {
  const explicit = context === 'explicit';
  switch (c.method) {
    case 'none':
      if (expr.t.oid === to.oid) return explicit ? withoutDomain(expr) : expr;
      return { k: 'cast', arg: expr, t: to, explicit };
    case 'io':
      return { k: 'cast', arg: expr, t: to, explicit };
    case 'arrayElement': {
      const cast: Expr = { k: 'cast', arg: expr, t: to, explicit };
      return c.element.method === 'function' ? { ...cast, element: c.element.fn } : cast;
    }
    case 'function':
      return castCall(expr, c, to, explicit);
  }
}

/** `x::int` of a domain over int is an int. */
function withoutDomain(expr: Expr): Expr {
  const { oid, typmod, domain } = expr.t;
  if (domain === undefined) return expr;
  const t = colType(oid, typmod);
  // The check says by its type what is checked.
  return expr.k === 'call' ? { k: 'cast', arg: expr, t, explicit: true } : { ...expr, t };
}

/** The call of a cast function; one that takes a typmod (int4 to bit) fits the length itself. */
function castCall(expr: Expr, c: Coercion & { method: 'function' }, to: ColType, explicit: boolean): Expr {
  const args: Expr[] = [expr];
  if (c.argCount > 1) args.push({ k: 'const', v: to.typmod, t: colType(OID.int4) });
  if (c.argCount > 2) args.push({ k: 'const', v: explicit, t: colType(OID.bool) });
  return { k: 'call', fn: c.fn, args, t: c.argCount > 1 ? to : colType(to.oid), strict: c.strict };
}

/** Fits a value to the typmod of its own type, when the target has one that the value is not known to have. */
function fitLength(expr: Expr, to: ColType, context: CoercionContext): Expr {
  const fits = to.typmod < 0 || expr.t.typmod === to.typmod || lengthCoercion(to.oid) === null;
  return fits ? expr : { k: 'cast', arg: expr, t: to, explicit: context === 'explicit' };
}

/** As coerceExpr in assignment context, with INSERT's error 42804 naming the column. */
export function coerceAssignment(expr: Expr, to: ColType, column: string, host: CoerceHost): Expr {
  const out = coerceExpr(expr, to, 'assignment', host);
  if (out) return out;
  throw new SqlError(
    '42804',
    `column "${column}" is of type ${typeWords(to)} but expression is of type ${typeWords(expr.t)}`,
    { hint: 'You will need to rewrite or cast the expression.' },
  );
}

function coerceArgument(expr: Expr, to: ColType, host: CoerceHost): Expr {
  const out = coerceExpr(expr, to, 'implicit', host);
  if (out) return out;
  throw new SqlError('42846', `cannot cast type ${typeWords(expr.t)} to ${typeWords(to)}`);
}

/** The call of a resolved function on its written arguments: coerced, defaults filled in, variadic ones gathered. */
export function callFunction(f: ResolvedFunction, args: Expr[], host: CoerceHost): Expr & { k: 'call' } {
  const coerced = f.sources.map((source, i): Expr => {
    if ('from' in source) return coerceArgument(args[source.from], f.argTypes[i], host);
    if ('written' in source) return coerceArgument(host.defaultOf!(source.written), f.argTypes[i], host);
    const v = source.default === null ? null : host.inputLiteral(source.default, f.argTypes[i]);
    return { k: 'const', v, t: f.argTypes[i] };
  });
  if (f.variadicFrom !== null && f.variadicArray !== null) {
    const items = coerced.splice(f.variadicFrom);
    coerced.push({ k: 'array', items, t: f.variadicArray });
  }
  const call: Expr & { k: 'call' } = { k: 'call', fn: f.fn, args: coerced, t: f.resultType, strict: f.strict };
  if (f.variadicAny) call.variadic = true;
  return call;
}

/** The call of a resolved operator; one argument for a prefix operator. */
export function callOperator(o: ResolvedOperator, args: Expr[], host: CoerceHost): Expr & { k: 'call' } {
  const coerced = args.map((arg, i) => coerceArgument(arg, o.argTypes[i], host));
  return { k: 'call', fn: o.fn, args: coerced, t: o.resultType, strict: o.strict };
}
