/** The schema of a new object. */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary, OWN_TEMPORARY, temporaryIn } from '../../operators/expr/search_path.ts';
import { TEMPORARY } from '../catalog/privileges.ts';
import type { SessionContext } from '../engine.ts';
import { checkCreate, checkDatabase } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkNotOthers } from './open_objects.ts';
import { temporarySchema } from './temporary.ts';

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
  if (said === own || said === OWN_TEMPORARY) {
    checkDatabase(engine, TEMPORARY, session);
    return temporarySchema(engine, session);
  }
  if (isTemporary(said) && engine.replay === null)
    throw new SqlError('42P16', 'cannot create relations in temporary schemas of other sessions');
  if (temporary && isTemporaryAllowed)
    throw new SqlError('42P16', 'cannot create temporary relation in non-temporary schema');
  if (engine.catalog.hasSchema(said) && !engine.catalog.seesSchema(said, session.searchPath))
    throw new SqlError('3F000', `schema "${said}" does not exist`);
  if (!engine.catalog.hasSchema(said)) return said;
  checkNotOthers(engine, `schema "${said}"`, engine.catalog.schemaOid(said, session.searchPath), session);
  checkCreate(engine, said, session);
  return said;
}

function firstSchema({ catalog }: TidemarkEngine, { searchPath }: SessionContext): string {
  const path = searchPath.length > 0 && isTemporary(searchPath[0]) ? searchPath.slice(1) : searchPath;
  const schema = path.find((s) => s === OWN_TEMPORARY || (s !== 'pg_catalog' && catalog.seesSchema(s, searchPath)));
  if (schema === undefined) throw new SqlError('3F000', 'no schema has been selected to create in');
  return schema;
}
