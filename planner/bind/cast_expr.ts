/**
 * Explicit casts of bound expressions.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, colType } from '../../operators/types.ts';
import { typeWords } from '../types/type_name.ts';
import { tryCoerce, typeOf } from './coercion.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';

/** An explicit cast that cuts nothing off: the value is brought to the type's length as in an assignment. */
export function castWhole(level: Level, arg: Expr, to: ColType, location: number): Expr {
  const unlimited = cast(level, arg, colType(to.oid), location);
  return to.typmod === -1 && to.domain === undefined ? unlimited : cast(level, unlimited, to, location, 'assignment');
}

/** A cast; 42846 when there is none. */
export function cast(
  level: Level,
  arg: Expr,
  to: ColType,
  location: number | undefined,
  context: 'explicit' | 'assignment' = 'explicit',
): Expr {
  const from = typeOf(level, arg);
  const out = tryCoerce(level, arg, to, context);
  if (!out) {
    const at = exprLocation(level, arg);
    throw level.error('42846', `cannot cast type ${typeWords(from)} to ${typeWords(to)}`, location ?? at);
  }
  if (out !== arg && out.k !== 'const' && out.k !== 'param') level.at(out, location);
  return out;
}
