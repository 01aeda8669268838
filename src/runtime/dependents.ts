/** What needs an object that is to go: named as PostgreSQL names it, in the error where CASCADE was not said, in a notice where it was. */
import { SqlError } from '../../operators/errors.ts';
import type { RelationObject, SequenceObject } from '../catalog/objects.ts';
import type { Reference } from '../catalog/parts_of_tables.ts';
import type { SessionContext } from '../engine.ts';
import { usersOf } from './default_value.ts';
import type { TidemarkEngine } from './engine.ts';

/** What needs something, and what that is. */
export interface Dependent {
  text: string;
  on: string;
}

export function stillDependent(what: string, dependents: Dependent[]): SqlError {
  return new SqlError('2BP01', `cannot drop ${what} because other objects depend on it`, {
    detail: dependents.map(({ text, on }) => `${text} depends on ${on}`).join('\n'),
    hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
  });
}

export function tellCascade(dependents: Dependent[], session: SessionContext): void {
  const lines = dependents.map(({ text }) => `drop cascades to ${text}`);
  if (lines.length === 1) session.notice('NOTICE', '00000', lines[0]);
  if (lines.length < 2) return;
  session.notice('NOTICE', '00000', `drop cascades to ${lines.length} other objects`, { detail: lines.join('\n') });
}

export function foreignKeysOn(on: string, references: Reference[]): Dependent[] {
  return references.map(({ table, key }) => ({ text: `constraint ${key.name} on table ${table.name}`, on }));
}

/** Defaults that need a sequence; `stays`: of columns that do not go with it. */
export function defaultsOn(
  engine: TidemarkEngine,
  { oid, name }: SequenceObject,
  stays: (table: RelationObject, column: number) => boolean,
): Dependent[] {
  return usersOf(engine, oid)
    .filter(({ table, column }) => stays(table, column))
    .map(({ table, column }) => ({
      text: `default value for column ${table.relation.columns[column].name} of table ${table.name}`,
      on: `sequence ${name}`,
    }));
}
