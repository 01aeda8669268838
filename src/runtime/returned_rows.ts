/** The rows of RETURNING: its expressions over a row of the modification's source, whose columns they name by id. */
import type { Datum } from '../../operators/datum.ts';
import { bindExpr } from '../../operators/expr/interpret.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { BoundInsert, BoundReturning } from '../../planner/bind/index.ts';

/** `position`: where the source's columns are in its rows. */
export function returningOf(
  returning: BoundReturning | null,
  position: Map<number, number>,
  context: EvalContext,
): ((row: Datum[]) => Datum[]) | null {
  if (returning === null) return null;
  const items = returning.items.map((item) => bindExpr(positional(item.expr, position)));
  return (row) => items.map((item) => item(row, context));
}

/** Column ids become positions of the row. */
export function positional<T>(value: T, position: Map<number, number>): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((item) => positional(item, position)) as T;
  const fields = value as Record<string, unknown>;
  if (fields.k === 'const') return value;
  if (fields.k === 'col') return { ...fields, id: position.get(fields.id as number) } as T;
  return Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, positional(v, position)])) as T;
}

/** RETURNING of an INSERT for a row in table order, and the one whose place it took. */
export type InsertReturning = (row: Datum[], old: Datum[] | null) => Datum[];

export function returningOfInsert(
  bound: BoundInsert,
  position: Map<number, number>,
  context: EvalContext,
): InsertReturning | null {
  const old = bound.onConflict?.action === 'update' ? bound.onConflict.existing : [];
  const places = [...bound.columns, ...old].map(({ id }) => position.get(id) ?? position.size);
  const all = new Map(position);
  old.forEach(({ id }, i) => {
    places[bound.columns.length + i] = position.size + i;
    all.set(id, position.size + i);
  });
  const returning = returningOf(bound.returning, all, context);
  if (returning === null) return null;
  return (row, before) => {
    const source: Datum[] = [];
    const both = [...row, ...(before ?? old.map(() => null))];
    places.forEach((place, i) => {
      source[place] = both[i];
    });
    return returning(source);
  };
}
