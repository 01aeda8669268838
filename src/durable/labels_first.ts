/**
 * The statements of a copy for other versions, with those that give a type labels, or other texts of labels, right behind the type's own.
 *
 *   CREATE TYPE t ... | CREATE TABLE a (t) + all of its rows | ALTER TYPE t ADD VALUE 'x'      rows with x would come before it, and so would a view's texts of them
 */
import { parse } from '../../planner/parse/parse.ts';
import type { KeptDefinition } from '../runtime/kept_definitions.ts';

export function labelsFirst(definitions: KeptDefinition[]): KeptDefinition[] {
  const moved = new Map<number, KeptDefinition[]>();
  const others = definitions.filter((kept) => {
    const { altered, sql } = kept.record;
    if (altered === undefined || !changesLabels(sql)) return true;
    moved.set(altered, [...(moved.get(altered) ?? []), kept]);
    return false;
  });
  return others.flatMap((kept) => {
    const { made } = kept.record;
    const labels = moved.get(made) ?? [];
    moved.delete(made);
    return [kept, ...labels];
  });
}

function changesLabels(sql: string): boolean {
  const [statement] = parse(sql);
  return statement.k === 'alter_enum' && statement.action.k !== 'rename';
}
