/**
 * INSERT ... ON CONFLICT: a row whose key is there, in the table or by this statement, is left out, or changes the row that has it.
 */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { bindExpr } from '../../operators/expr/interpret.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { BoundConflict } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { completeRow } from './complete_row.ts';
import type { Changes, ModifyContext } from './modify.ts';
import { type InsertReturning, positional } from './returned_rows.ts';
import { keyText, type RowChange, rowsByKey } from './unique_keys.ts';

export function upsertRows(
  relation: Relation,
  rows: Datum[][],
  onConflict: BoundConflict,
  returning: InsertReturning | null,
  at: ModifyContext,
  before: RowChange[],
): Changes {
  const target = onConflict.target;
  const keys = target === null ? at.uniqueKeys : at.uniqueKeys.filter(({ name }) => target.includes(name));
  if (keys.length === 0 && target !== null) {
    throw new SqlError('42P10', 'there is no unique or exclusion constraint matching the ON CONFLICT specification');
  }
  const stored = keys.map((key) => rowsByKey(relation, key, rows, at));
  // Of the keys: what this command has changed.
  const own = keys.map(() => new Set<string>());
  const textsOf = (row: Datum[]) => keys.map((key) => keyText(relation, key, row));
  const write = (row: Datum[], texts: (string | null)[]) =>
    texts.forEach((text, i) => {
      if (text === null) return;
      stored[i].set(text, row);
      own[i].add(text);
    });
  const erase = (row: Datum[]) =>
    keys.forEach((key, i) => {
      const text = keyText(relation, key, row);
      if (text !== null) stored[i].delete(text);
    });
  for (const { row, weight } of before) if (weight < 0) erase(row);
  for (const { row, weight } of before) if (weight > 0) write(row, textsOf(row));
  const delta: RowChange[] = [];
  const returned: Datum[][] = [];
  let count = 0;
  const change = onConflict.action === 'update' ? conflictUpdate(onConflict, at.context) : null;
  for (const row of rows) {
    // A row that is left out for one key is not asked for the next, whose expression may fail for it.
    const texts: (string | null)[] = [];
    const hit = keys.findIndex((key, i) => {
      const text = keyText(relation, key, row);
      texts.push(text);
      return text !== null && stored[i].has(text);
    });
    if (hit < 0) {
      delta.push({ row, weight: 1 });
      write(row, texts);
      count++;
      if (returning !== null) returned.push(returning(row, null));
      continue;
    }
    if (change === null) continue;
    const text = texts[hit] as string;
    if (own[hit].has(text)) {
      throw new SqlError('21000', 'ON CONFLICT DO UPDATE command cannot affect row a second time', {
        hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
      });
    }
    const existing = stored[hit].get(text) as Datum[];
    const next = change(existing, row);
    if (next === null) continue;
    completeRow(relation, next, at);
    stored[hit].delete(text);
    write(next, textsOf(next));
    delta.push({ row: existing, weight: -1 }, { row: next, weight: 1, from: existing });
    count++;
    if (returning !== null) returned.push(returning(next, existing));
  }
  return { delta, count, returned: returning === null ? null : returned };
}

/** The new row of DO UPDATE for (stored row, proposed row), or null when its WHERE says no. */
function conflictUpdate(conflict: Extract<BoundConflict, { action: 'update' }>, context: EvalContext) {
  const position = new Map<number, number>();
  conflict.existing.forEach((c, i) => {
    position.set(c.id, i);
  });
  conflict.excluded.forEach((c, i) => {
    position.set(c.id, conflict.existing.length + i);
  });
  const set = conflict.set.map((e) => bindExpr(positional(e, position)));
  const where = conflict.where === null ? null : bindExpr(positional(conflict.where, position));
  return (existing: Datum[], proposed: Datum[]): Datum[] | null => {
    const both = [...existing, ...proposed];
    if (where !== null && where(both, context) !== true) return null;
    return set.map((e) => e(both, context));
  };
}
