/** Names: what they mean, and of new objects whether they are free. */
import { SqlError } from '../../operators/errors.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkNotOthers } from './open_objects.ts';

export function notFound(name: string): SqlError {
  return new SqlError('42P01', `relation "${name}" does not exist`);
}

/** The relation of this name; 42P01 when there is none. */
export function relationNamed(
  { catalog }: TidemarkEngine,
  { schema, name }: { schema?: string; name: string },
  { searchPath }: SessionContext,
): Relation {
  const relation = catalog.relation(schema, name, searchPath);
  if (relation === null) throw notFound(name);
  return relation;
}

/** What an ALTER names; null, with a notice, when there is none and IF EXISTS was said. */
export function objectNamed(
  { catalog }: TidemarkEngine,
  { schema, name, ifExists }: { schema?: string; name: string; ifExists: boolean },
  session: SessionContext,
): CatalogObject | null {
  const object = catalog.find(schema, name, session.searchPath);
  if (object !== undefined) return object;
  const error = notFound(name);
  if (!ifExists) throw error;
  session.notice('NOTICE', '00000', `${error.message}, skipping`);
  return null;
}

/** Position of a relation's column; 42703 when there is none. */
export function columnNamed({ name, columns }: Pick<Relation, 'name' | 'columns'>, column: string): number {
  const position = columns.findIndex((other) => other.name === column);
  if (position >= 0) return position;
  throw new SqlError('42703', `column "${column}" of relation "${name}" does not exist`);
}

/** 55P03 when another transaction, which has not ended, makes a type of this name: 42710 would say that it is there. */
export function checkTypeNotOthers(
  engine: TidemarkEngine,
  schema: string,
  name: string,
  session: SessionContext,
): void {
  const other =
    engine.catalog.typeIn(schema, name, session.searchPath) ?? engine.catalog.in(schema, name, session.searchPath);
  if (other !== undefined) checkNotOthers(engine, `type "${name}"`, other.oid, session);
}

/** True (with a notice) when the name is taken and IF NOT EXISTS was said; 42P07 when it is taken otherwise. */
export function nameTaken(
  engine: TidemarkEngine,
  schema: string,
  name: string,
  ifNotExists: boolean,
  session: SessionContext,
): boolean {
  const other = engine.catalog.in(schema, name, session.searchPath);
  if (other === undefined) return false;
  checkNotOthers(engine, `relation "${name}"`, other.oid, session);
  if (!ifNotExists) throw new SqlError('42P07', `relation "${name}" already exists`);
  session.notice('NOTICE', '42P07', `relation "${name}" already exists, skipping`);
  return true;
}

export function isFree(engine: TidemarkEngine, schema: string, name: string, searchPath: string[]): boolean {
  return engine.catalog.in(schema, name, searchPath) === undefined;
}

/** By which the names of a relation's indexes and sequences are looked for: they are everybody's if the relation is, and then so are the names that the transaction has given up. */
export function pathOfParts({ catalog }: TidemarkEngine, relation: number, session: SessionContext): string[] {
  return catalog.get(relation) === undefined || catalog.open.has(relation) ? session.searchPath : [];
}

/** The name, with a number behind it when it is taken. */
export function freeName(wanted: string, isFree: (name: string) => boolean): string {
  for (let i = 0; ; i++) {
    const name = i === 0 ? wanted : `${wanted}${i}`;
    if (isFree(name)) return name;
  }
}

/** Bytes of a name. */
const LONGEST = 63;

/** table_column_label as PostgreSQL makes it: when that is too long, the longer of table and column is cut. */
export function objectName(table: string, column: string, label: string): string {
  const parts = [table, column].map((name) => Buffer.from(name, 'utf8'));
  const room = LONGEST - label.length - 2;
  let [first, second] = parts.map(({ length }) => length);
  while (first + second > room) {
    if (first > second) first--;
    else second--;
  }
  return [...[first, second].map((length, i) => cut(parts[i], length)), label].join('_');
}

/** The first bytes of a text, without a part of a character. */
function cut(text: Buffer, length: number): string {
  let end = length;
  while (end > 0 && end < text.length && (text[end] & 0xc0) === 0x80) end--;
  return text.subarray(0, end).toString('utf8');
}
