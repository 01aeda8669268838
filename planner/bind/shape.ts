/**
 * The fields of record expressions.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { Level, Shape } from './level.ts';

/** Names and types of the fields of a record expression; null when they are not known. */
export function rowShape(level: Level, e: Expr): Shape | null {
  const known = level.shared.shapes.get(e);
  if (known) return known;
  if (e.k === 'col') return level.shared.columns.get(e.id)?.shape ?? null;
  if (e.k === 'row') return { names: e.names ?? e.items.map((_, i) => `f${i + 1}`), types: e.items.map((i) => i.t) };
  return null;
}

/** Field `index` of a record expression. */
export function fieldOf(level: Level, e: Expr, index: number, shape: Shape): Expr {
  if (e.k === 'row') return e.items[index];
  const field: Expr = { k: 'field', arg: e, index, t: shape.types[index] };
  return level.at(field, level.shared.locations.get(e));
}
