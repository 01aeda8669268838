/** Names: what they mean, and of new objects where they go, and whether they are free. */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary, OWN_TEMPORARY, temporaryIn } from '../../operators/expr/search_path.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { temporarySchema } from './temporary.ts';

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

/** True (with a notice) when the name is taken and IF NOT EXISTS was said; 42P07 when it is taken otherwise. */
export function nameTaken(
  engine: TidemarkEngine,
  schema: string,
  name: string,
  ifNotExists: boolean,
  session: SessionContext,
): boolean {
  if (isFree(engine, schema, name)) return false;
  if (!ifNotExists) throw new SqlError('42P07', `relation "${name}" already exists`);
  session.notice('NOTICE', '42P07', `relation "${name}" already exists, skipping`);
  return true;
}

/** Where CREATE puts what it makes: what is temporary in the session's own schema, else in that which was said, or in the first of the search path that exists. */
export function targetSchema(
  engine: TidemarkEngine,
  { schema, temporary = false }: { schema?: string; temporary?: boolean },
  session: SessionContext,
): string {
  const own = temporaryIn(session.searchPath);
  // In logs of before TEMP did nothing.
  const isTemporaryAllowed = engine.replay === null || own !== undefined;
  const said = schema ?? (temporary && isTemporaryAllowed ? OWN_TEMPORARY : firstSchema(engine, session));
  if (said === own || said === OWN_TEMPORARY) return temporarySchema(engine, session);
  if (isTemporary(said) && engine.replay === null)
    throw new SqlError('42P16', 'cannot create relations in temporary schemas of other sessions');
  if (temporary && isTemporaryAllowed)
    throw new SqlError('42P16', 'cannot create temporary relation in non-temporary schema');
  return said;
}

function firstSchema({ catalog }: TidemarkEngine, { searchPath }: SessionContext): string {
  const path = searchPath.length > 0 && isTemporary(searchPath[0]) ? searchPath.slice(1) : searchPath;
  const schema = path.find((s) => s === OWN_TEMPORARY || (s !== 'pg_catalog' && catalog.hasSchema(s)));
  if (schema === undefined) throw new SqlError('3F000', 'no schema has been selected to create in');
  return schema;
}

export function isFree(engine: TidemarkEngine, schema: string, name: string): boolean {
  return engine.catalog.in(schema, name) === undefined;
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
