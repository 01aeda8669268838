/** Names of new objects: where they go, and whether they are free. */
import { SqlError } from '../../operators/errors.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

/** True (with a notice) when the name is taken and IF NOT EXISTS was said; 42P07 when it is taken otherwise. */
export function nameTaken(
  engine: TidemarkEngine,
  schema: string | undefined,
  name: string,
  ifNotExists: boolean,
  session: SessionContext,
): boolean {
  const target = schema ?? creationSchema(engine, session);
  if (engine.catalog.find(target, name) === undefined) return false;
  if (!ifNotExists) throw new SqlError('42P07', `relation "${name}" already exists`);
  session.notice('NOTICE', '42P07', `relation "${name}" already exists, skipping`);
  return true;
}

/** The first schema of the search path that exists: where unqualified CREATE puts things. */
export function creationSchema(engine: TidemarkEngine, session: SessionContext): string {
  const schema = session.searchPath.find((s) => s !== 'pg_catalog' && engine.catalog.hasSchema(s));
  if (schema === undefined) throw new SqlError('3F000', 'no schema has been selected to create in');
  return schema;
}
