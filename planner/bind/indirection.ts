/**
 * What follows a value: subscripts a[1], slices a[1:2], fields (r).f.
 */
import { MAX_DIMS, tooManyDims } from '../../operators/expr/array/value.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { arrayTypeOf, elementTypeOf } from '../types/catalog.ts';
import { elementOf, formatType, typeWords } from '../types/type_name.ts';
import { cast } from './cast_expr.ts';
import { INT4, operand, operatorCall, TEXT, tryCoerce, typeOf } from './coercion.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { kindOf, stringOf } from './node.ts';
import { fieldOf, rowShape } from './shape.ts';

export function bindIndirection(level: Level, c: PgNode): Expr {
  let base = level.bind(c.arg);
  let subscripts: PgNode[] = [];
  const flush = (): void => {
    if (subscripts.length > 0) base = subscript(level, base, subscripts);
    subscripts = [];
  };
  for (const part of c.indirection as PgNode[]) {
    const kind = kindOf(part);
    if (kind === 'A_Indices') {
      subscripts.push(part.A_Indices);
      continue;
    }
    flush();
    if (kind === 'A_Star') {
      throw level.error('0A000', 'row expansion via "*" is not supported here', exprLocation(level, base));
    }
    base = selectField(level, base, stringOf(part));
  }
  flush();
  return base;
}

function selectField(level: Level, base: Expr, name: string): Expr {
  const at = exprLocation(level, base);
  const shape = rowShape(level, base);
  if (shape) {
    const index = shape.names.indexOf(name);
    if (index >= 0) return fieldOf(level, base, index, shape);
    if (shape.table !== undefined) throw level.error('42703', `column ${shape.table}.${name} does not exist`, at);
    throw level.error('42703', `could not identify column "${name}" in record data type`, at);
  }
  const type = typeOf(level, base);
  if (type.oid === OID.record) {
    throw level.error('42703', `could not identify column "${name}" in record data type`, at);
  }
  throw level.error(
    '42809',
    `column notation .${name} applied to type ${typeWords(type)}, which is not a composite type`,
    at,
  );
}

function subscript(level: Level, base: Expr, parts: PgNode[]): Expr {
  const type = typeOf(level, base);
  if (type.oid === OID.jsonb) return subscriptJsonb(level, base, parts);
  if (type.oid === OID.name && parts.length === 1 && !parts[0].is_slice) return subscriptName(level, base, parts[0]);
  const element = elementTypeOf(type.oid);
  if (element === 0 && type.oid !== OID.int2vector && type.oid !== OID.oidvector) {
    throw level.error(
      '42804',
      `cannot subscript type ${typeWords(type)} because it does not support subscripting`,
      exprLocation(level, base),
    );
  }
  if (parts.length > MAX_DIMS && !level.shared.env.again) throw tooManyDims(parts.length);
  const slice = parts.some((p) => p.is_slice);
  const indexes = parts.map((p) => {
    const upper = p.uidx ? index(level, p.uidx) : null;
    if (!slice) return { lower: upper, upper: null, slice: false };
    const one: Expr = { k: 'const', v: 1, t: INT4 };
    return { lower: p.is_slice ? (p.lidx ? index(level, p.lidx) : null) : one, upper, slice: true };
  });
  const elementType = type.oid === OID.int2vector ? OID.int2 : type.oid === OID.oidvector ? OID.oid : element;
  const whole = colType(arrayTypeOf(elementType), type.typmod);
  const t = slice ? whole : { ...elementOf(type), oid: elementType };
  return { k: 'subscript', arg: base, indexes, t };
}

function index(level: Level, node: PgNode): Expr {
  const e = level.bind(node);
  const out = tryCoerce(level, e, INT4, 'assignment');
  if (out) return out;
  throw level.error('42804', 'array subscript must have type integer', exprLocation(level, e));
}

/** name[i], from 0, is the character there as "char". */
function subscriptName(level: Level, base: Expr, part: PgNode): Expr {
  const first: Expr = { k: 'const', v: 1, t: INT4 };
  const position = operatorCall(level, '+', index(level, part.uidx), first, undefined);
  const args = [operand(level, base, TEXT), position, first];
  const substr: Expr = { k: 'call', fn: 'substr(text,int4,int4)', args, t: TEXT, strict: true };
  return cast(level, substr, colType(OID.char), undefined);
}

/** j['a'][0] reads like j #> '{a,0}'. */
function subscriptJsonb(level: Level, base: Expr, parts: PgNode[]): Expr {
  const items = parts.map((p) => {
    if (p.is_slice) throw level.error('0A000', 'jsonb subscript does not support slices', exprLocation(level, base));
    const e = level.bind(p.uidx);
    const from = typeOf(level, e);
    const ok = [OID.unknown, OID.text, OID.int4, OID.int2, OID.int8].some((o) => o === from.oid);
    const out = ok ? tryCoerce(level, e, TEXT, 'explicit') : null;
    if (out) return out;
    throw level.error('42804', `subscript type ${formatType(from.oid)} is not supported`, exprLocation(level, e), {
      hint: 'jsonb subscript must be coercible to either integer or text.',
    });
  });
  const path: Expr = { k: 'array', items, t: colType(OID._text) };
  return operatorCall(level, '#>', base, path, undefined);
}
