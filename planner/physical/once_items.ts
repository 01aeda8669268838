/**
 * Items of WITH that are worked out once (`once`), in a statement of several parts: each part is planned by itself, so an item that several refer to is read
 * before the first of them, and stands in their plans as its rows.
 */
import type { Datum } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { Logical, OnceItem } from '../logical/plan.ts';
import { replaced } from './parameters.ts';

/** Those that a part refers to, others that they refer to before them. `part`: plain data with plans in it. */
export function onceItems(part: unknown): OnceItem[] {
  const found = new Map<number, OnceItem>();
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array || seen.has(value)) return;
    seen.add(value);
    if (!Array.isArray(value) && (value as { k?: unknown }).k === 'const') return;
    for (const inner of Object.values(value)) visit(inner);
    const { op, item } = value as { op?: unknown; item: OnceItem };
    if (op === 'once') found.set(item.id, item);
  };
  visit(part);
  return [...found.values()];
}

/** Ids of those that more than one part refers to. */
export function itemsOfSeveral(parts: unknown[]): Set<number> {
  const seen = new Set<number>();
  const several = new Set<number>();
  for (const { id } of parts.flatMap(onceItems)) (seen.has(id) ? several : seen).add(id);
  return several;
}

/** A copy of `plan` with the rows of the items that were read, by their ids. */
export function bindItems<T>(plan: T, rows: ReadonlyMap<number, Datum[][]>): T {
  return replaced(plan, (fields) => {
    if (fields.op !== 'once') return null;
    const { item, columns, cols } = fields as Logical & { op: 'once' };
    const constants = rows
      .get(item.id)
      ?.map((row) => columns.map((c, i): Expr => ({ k: 'const', v: row[c], t: cols[i].type })));
    return constants === undefined ? null : { op: 'values', rows: constants, cols };
  });
}
