/**
 * Coercion at a query level: planner/types knows how a type becomes another; this adds reading of literals, types of untyped
 * parameters and error positions.
 */
import { SqlError, unsupported } from '../../operators/errors.ts';
import { conditionsOf, DOMAIN_CHECK } from '../../operators/expr/domain_types.ts';
import { hasIo, inputText } from '../../operators/expr/io/index.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { withoutPartLimits } from '../../operators/expr/part_limits.ts';
import { type ColType, colType, OID, typeObjectOid } from '../../operators/types.ts';
import { volatilityOf } from '../analyse/functions.ts';
import type { CoercionContext } from '../types/cast.ts';
import { elementTypeOf } from '../types/catalog.ts';
import { type CoerceHost, callOperator, coerceExpr } from '../types/coerce.ts';
import { chosenType } from '../types/common_type.ts';
import { type ResolvedOperator, resolveOperator } from '../types/operator.ts';
import { formatType, typeWords } from '../types/type_name.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { regLiteral } from './reg_literal.ts';

export const BOOL = colType(OID.bool);
export const INT4 = colType(OID.int4);
export const INT8 = colType(OID.int8);
export const TEXT = colType(OID.text);
export const UNKNOWN = colType(OID.unknown);
export const RECORD = colType(OID.record);

/** The host through which planner/types reads literals and types parameters for this level. */
export function coerceHost(level: Level): CoerceHost {
  const { env, literals } = level.shared;
  return {
    inputLiteral: (text, type, literal) => {
      if (!hasIo(type.oid)) throw unsupported(`a value of type ${formatType(type.oid)}`);
      const node = literal && literals.get(literal);
      if (node) env.onLiteral?.(node, type);
      const read = () =>
        regLiteral(env, text, type.oid) ?? inputText(text, type, env.literalContext ?? env.evalContext);
      return env.again ? withoutPartLimits(read) : read();
    },
    paramType: (n, type) => {
      const known = env.paramTypes[n - 1];
      if (known && known !== OID.unknown) {
        if (known === type.oid) return type;
        throw new SqlError('42P08', `inconsistent types deduced for parameter $${n}`, {
          detail: `${formatType(known)} versus ${formatType(type.oid)}`,
        });
      }
      env.paramTypes[n - 1] = type.oid;
      return colType(type.oid);
    },
    defaultOf: ({ node, text }) => level.withText(text).bindIn('default', node),
  };
}

/** An expression with its type as it is now known: an untyped parameter may have got its type elsewhere. */
export function typeOf(level: Level, e: Expr): ColType {
  if (e.k === 'param' && e.t.oid === OID.unknown) {
    const known = level.shared.env.paramTypes[e.n - 1];
    if (known) return colType(known);
  }
  return e.t;
}

function keepNotes(level: Level, from: Expr, to: Expr): Expr {
  if (from === to) return to;
  const { locations, shapes } = level.shared;
  const at = locations.get(from);
  if (at !== undefined && (to.k === 'const' || to.k === 'param') && !locations.has(to)) locations.set(to, at);
  const shape = shapes.get(from);
  if (shape && to.t.oid === from.t.oid) shapes.set(to, shape);
  return to;
}

/** In what is kept up to date: texts that are no label now may be one when their rows go, which would be others then. */
export function refuseEnumInView(level: Level, { oid }: ColType): void {
  if (level.shared.env.mode !== 'view' || typeObjectOid(oid) === 0) return;
  throw new SqlError('0A000', `a view cannot read values of type ${formatType(oid)} from texts`, {
    detail: 'ALTER TYPE ... ADD VALUE would change what rows of before mean.',
    hint: 'Give the column of the table or the stream that type, or compare texts.',
  });
}

/** Where values are made of JSON and not cast: nobody would check them. */
export function refuseDomain(level: Level, type: ColType, location: number | undefined): void {
  if (type.domain !== undefined) throw level.unsupported(`a value of domain ${typeWords(type)} here`, location);
}

/** As refuseEnumInView() for what a domain checks with the clock, settings or chance. */
export function refuseDomainInView(level: Level, to: ColType): void {
  if (level.shared.env.mode !== 'view' || conditionsOf(to).every((expr) => volatilityOf(expr) === 'i')) return;
  throw new SqlError('0A000', `a view cannot make values of domain ${typeWords(to)}`, {
    detail: 'A constraint of it is not immutable: it could be broken when a row goes that fitted when it came.',
  });
}

/** `expr` as type `to`; null when there is no such coercion. */
export function tryCoerce(level: Level, expr: Expr, to: ColType, context: CoercionContext): Expr | null {
  return level.locate(
    () => exprLocation(level, expr),
    () => {
      const out = coerceExpr(expr, to, context, coerceHost(level));
      const checks = out?.k === 'call' && out.fn === DOMAIN_CHECK;
      if (checks && out !== expr) refuseDomainInView(level, to);
      const read = checks ? out.args[0] : out;
      if (read?.k === 'cast' && typeObjectOid(expr.t.oid) === 0) refuseEnumInView(level, read.t);
      return out && keepNotes(level, expr, out);
    },
  );
}

/** Coerces to boolean for WHERE, AND, ...; error 42804 otherwise. */
export function toBoolean(level: Level, expr: Expr, construct: string): Expr {
  return toSpecific(level, expr, BOOL, construct);
}

/** Coerces (assignment context) to the one type a construct takes; `argument of LIMIT must be type bigint, not type text`. */
export function toSpecific(level: Level, expr: Expr, to: ColType, construct: string): Expr {
  const from = typeOf(level, expr);
  const out = from.oid === to.oid ? expr : tryCoerce(level, expr, to, 'assignment');
  if (!out) {
    throw level.error(
      '42804',
      `argument of ${construct} must be type ${formatType(to.oid)}, not type ${typeWords(from)}`,
      exprLocation(level, expr),
    );
  }
  return out;
}

/** Coerces implicitly to a type that commonTypeOf chose; an error of PostgreSQL's coerce_to_common_type otherwise. */
export function toCommon(level: Level, expr: Expr, to: ColType, what: string): Expr {
  const from = typeOf(level, expr);
  if (from.oid === to.oid && (to.typmod === -1 || from.typmod === to.typmod) && expr.k !== 'param') return expr;
  const out = tryCoerce(level, expr, to, 'implicit');
  if (!out) {
    throw level.error(
      '42846',
      `${what} could not convert type ${typeWords(from)} to ${typeWords(to)}`,
      exprLocation(level, expr),
    );
  }
  return out;
}

/** The type that several expressions are brought to (toCommon); on failure the position is that of the first that does not fit. */
export function commonTypeOf(level: Level, exprs: Expr[], what: string): ColType {
  const types = exprs.map((e) => typeOf(level, e));
  try {
    return chosenType(types, what);
  } catch (e) {
    if (!(e instanceof SqlError)) throw e;
    let culprit = exprs[exprs.length - 1];
    for (let n = 2; n <= exprs.length; n++) {
      try {
        chosenType(types.slice(0, n), what);
      } catch {
        culprit = exprs[n - 1];
        break;
      }
    }
    throw level.error(e.sqlstate, e.message, exprLocation(level, culprit), e.fields);
  }
}

/** Resolves an operator on expressions. `left` null: prefix. */
export function operatorFor(
  level: Level,
  name: string,
  left: Expr | null,
  right: Expr,
  location: number | undefined,
  schema?: string,
): ResolvedOperator {
  return level.locate(location, () => resolveOperator(name, left && typeOf(level, left), typeOf(level, right), schema));
}

/** Resolves and calls an operator. */
export function operatorCall(
  level: Level,
  name: string,
  left: Expr | null,
  right: Expr,
  location: number | undefined,
  schema?: string,
): Expr & { k: 'call' } {
  const op = operatorFor(level, name, left, right, location, schema);
  return callResolved(level, op, left ? [left, right] : [right], location);
}

/** Calls a resolved operator; literals that do not read as the operand type give an error at the literal. */
function callResolved(
  level: Level,
  op: ResolvedOperator,
  args: Expr[],
  location: number | undefined,
): Expr & { k: 'call' } {
  const coerced = args.map((a, i) => operand(level, a, op.argTypes[i]));
  return level.at(
    level.locate(location, () => callOperator(op, coerced, coerceHost(level))),
    location,
  );
}

/** An operand of a resolved operator or function. */
export function operand(level: Level, arg: Expr, to: ColType): Expr {
  if (typeOf(level, arg).oid === to.oid && arg.k !== 'param') return arg;
  return tryCoerce(level, arg, to, 'implicit') ?? arg;
}

/** Untyped literals and parameters become text. */
export function resolveUnknown(level: Level, e: Expr): Expr {
  return typeOf(level, e).oid === OID.unknown ? (tryCoerce(level, e, TEXT, 'implicit') ?? e) : e;
}

/** True for an untyped literal or parameter. */
export function isUnknown(level: Level, e: Expr): boolean {
  return typeOf(level, e).oid === OID.unknown;
}

export function isArray(t: ColType): boolean {
  return elementTypeOf(t.oid) !== 0;
}
