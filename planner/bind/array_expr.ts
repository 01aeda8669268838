/**
 * ARRAY[...]: elements of one common type; nested ARRAY[] make further dimensions.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { arrayTypeOf, elementTypeOf } from '../types/catalog.ts';
import { formatType, typeWords } from '../types/type_name.ts';
import { commonTypeOf, isUnknown, TEXT, toCommon, tryCoerce, typeOf } from './coercion.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { locationOf } from './node.ts';

/** Binds A_ArrayExpr. `target`: array type of an enclosing cast, whose element type the elements take. */
export function bindArray(level: Level, c: PgNode, target: ColType | null): Expr {
  const at = locationOf(c);
  const nodes: PgNode[] = c.elements ?? [];
  const items = nodes.map((n) => (n.A_ArrayExpr ? bindArray(level, n.A_ArrayExpr, target) : level.bind(n)));
  const nested = nodes.length > 0 && nodes.every((n) => n.A_ArrayExpr);
  if (target) {
    const element = colType(elementTypeOf(target.oid));
    const each = nested || items.some((i) => elementTypeOf(i.t.oid) !== 0) ? target : element;
    const out = items.map((i) => castElement(level, i, each));
    // Elements of a domain are checked when all of them are there.
    return level.at({ k: 'array', items: out, t: colType(target.oid, target.typmod) }, at);
  }
  if (items.length === 0) {
    throw level.error('42P18', 'cannot determine type of empty array', at, {
      hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].',
    });
  }
  const common = items.every((i) => isUnknown(level, i)) ? TEXT : commonTypeOf(level, items, 'ARRAY');
  const isDimension = elementTypeOf(common.oid) !== 0;
  const arrayType = isDimension ? common.oid : arrayTypeOf(common.oid);
  if (arrayType === 0) {
    throw level.error('42704', `could not find array type for data type ${formatType(common.oid)}`, at);
  }
  const out = items.map((i) => toCommon(level, i, common, 'ARRAY'));
  return level.at({ k: 'array', items: out, t: arrayOfType(common, arrayType) }, at);
}

/** Of elements of one domain an array of it. */
function arrayOfType({ oid, typmod, domain }: ColType, array: number): ColType {
  if (domain !== undefined && elementTypeOf(oid) === 0) return { oid: array, typmod, domain: arrayTypeOf(domain) };
  return colType(array, oid === OID.unknown ? -1 : typmod);
}

function castElement(level: Level, item: Expr, to: ColType): Expr {
  const out = tryCoerce(level, item, to, 'explicit');
  if (out) return out;
  const from = typeWords(typeOf(level, item));
  throw level.error('42846', `cannot cast type ${from} to ${formatType(to.oid)}`, exprLocation(level, item));
}
