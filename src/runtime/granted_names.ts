/** What GRANT and REVOKE name. */
import { SqlError } from '../../operators/errors.ts';
import type { GrantedKind } from '../../planner/parse/role_statements.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { notFound } from './names.ts';
import { databaseSecurable, objectSecurable, type Securable, schemaSecurable } from './securables.ts';
import { typeNamed } from './user_types.ts';

/** Throws when there is no such thing, or it has no privileges. */
export function securableNamed(
  engine: TidemarkEngine,
  kind: GrantedKind,
  { schema, name }: { schema?: string; name: string },
  session: SessionContext,
): Securable {
  const { catalog } = engine;
  switch (kind) {
    case 'database':
      if (name !== session.evalContext.database && engine.replay === null)
        throw new SqlError('3D000', `database "${name}" does not exist`);
      return databaseSecurable(engine, name, session.searchPath);
    case 'schema':
      if (!catalog.seesSchema(name, session.searchPath)) throw new SqlError('3F000', `schema "${name}" does not exist`);
      return schemaSecurable(engine, name, session.searchPath);
    case 'type':
      return objectSecurable(engine, typeNamed(engine, schema, name, session), session.searchPath);
    case 'table':
    case 'sequence': {
      const object = catalog.find(schema, name, session.searchPath);
      if (object === undefined) {
        if (catalog.relation(schema, name, session.searchPath) === null) throw notFound(name);
        throw new SqlError('0A000', `privileges of the system relation "${name}" cannot be changed`);
      }
      if (object.kind === 'index' || object.kind === 'sink')
        throw new SqlError('42809', `"${name}" is ${object.kind === 'index' ? 'an index' : 'a sink'}`);
      if (kind === 'sequence' && object.kind !== 'sequence') throw new SqlError('42809', `"${name}" is not a sequence`);
      return objectSecurable(engine, object, session.searchPath);
    }
  }
}
