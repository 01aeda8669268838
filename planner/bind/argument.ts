/** The parameters of a function in its body: by name, where no column has it, or as $n. */
import type { Expr } from '../../operators/expr/ir.ts';
import type { Level } from './level.ts';

export function argumentNamed(level: Level, name: string): Expr | null {
  const at = level.callee?.names.indexOf(name) ?? -1;
  return at < 0 || name === '' ? null : argumentAt(level, at);
}

/** The n-th (from 0) argument of the call that the body is bound for; null: it has none. */
export function argumentAt(level: Level, n: number): Expr | null {
  const value = level.callee?.values[n];
  if (value === undefined) return null;
  level.callee!.uses[n]++;
  // Its place is in the text of the call.
  const { locations, shapes } = level.shared;
  const copy = { ...value };
  level.callee!.taken.add(copy);
  const at = locations.get(value);
  if (at !== undefined) locations.set(copy, at);
  const shape = shapes.get(value);
  if (shape) shapes.set(copy, shape);
  return copy;
}
