/** Puts the values of $1, $2, ... into a plan: every `param` expression becomes a constant. Subplans that were shared stay shared. */
import type { Datum } from '../../operators/datum.ts';

/** A copy of `plan` (any plan or expression made of plain data) with constants for parameters. */
export function bindParameters<T>(plan: T, values: Datum[]): T {
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
    if (fields.k === 'param') return { k: 'const', v: values[(fields.n as number) - 1] ?? null, t: fields.t };
    const copy: Record<string, unknown> = {};
    done.set(value, copy);
    for (const key of Object.keys(fields)) copy[key] = visit(fields[key]);
    return copy;
  };
  return visit(plan) as T;
}
