/**
 * Explicit casts of bound expressions.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { ColType } from '../../operators/types.ts';
import { formatType } from '../types/type_name.ts';
import { tryCoerce, typeOf } from './coercion.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';

/** An explicit cast; 42846 when there is none. */
export function cast(level: Level, arg: Expr, to: ColType, location: number | undefined): Expr {
  const from = typeOf(level, arg);
  const out = tryCoerce(level, arg, to, 'explicit');
  if (!out) {
    const at = exprLocation(level, arg);
    throw level.error('42846', `cannot cast type ${formatType(from.oid)} to ${formatType(to.oid)}`, location ?? at);
  }
  if (out !== arg && out.k !== 'const' && out.k !== 'param') level.at(out, location);
  return out;
}
