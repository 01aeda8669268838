/**
 * Puts what is known when a statement runs into its plan: the values of $1, $2, ... (every `param` expression becomes a constant) and the
 * rows that modifying items of WITH have returned. Subplans that were shared stay shared.
 */
import type { Datum } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { Col } from '../logical/plan.ts';

/** A copy of `plan` (any plan or expression made of plain data) with constants for parameters. */
export function bindParameters<T>(plan: T, values: Datum[]): T {
  return replaced(plan, (fields) =>
    fields.k === 'param' ? { k: 'const', v: values[(fields.n as number) - 1] ?? null, t: fields.t } : null,
  );
}

/** A copy of `plan` with the rows of the items that have run, by their places. */
export function bindReturned<T>(plan: T, rows: Datum[][][]): T {
  return replaced(plan, (fields) => {
    if (fields.op !== 'values' || fields.returned === undefined) return null;
    const cols = fields.cols as Col[];
    const constants = rows[fields.returned as number].map((row) =>
      row.map((v, i): Expr => ({ k: 'const', v, t: cols[i].type })),
    );
    return { op: 'values', rows: constants, cols };
  });
}

/** A copy of plain data in which `by` gives what stands for an object; null: its copy. */
export function replaced<T>(plan: T, by: (fields: Record<string, unknown>) => object | null): T {
  const done = new Map<object, unknown>();
  const visit = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    const known = done.get(value);
    if (known !== undefined) return known;
    if (Array.isArray(value)) {
      const copy: unknown[] = [];
      done.set(value, copy);
      for (const item of value) copy.push(visit(item));
      return copy;
    }
    const fields = value as Record<string, unknown>;
    if (fields.k === 'const') return value;
    const other = by(fields);
    if (other !== null) {
      done.set(value, other);
      return other;
    }
    const copy: Record<string, unknown> = {};
    done.set(value, copy);
    for (const key of Object.keys(fields)) copy[key] = visit(fields[key]);
    return copy;
  };
  return visit(plan) as T;
}
