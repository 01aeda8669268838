/** SET CONSTRAINTS: which foreign keys the transaction looks at at its end alone. Constraints of other kinds are never deferred. */
import { SqlError } from '../../operators/errors.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ForeignKey, RelationObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { type RunnableStatement, runnable } from './prepared.ts';

type SetConstraints = Extract<Statement, { k: 'set_constraints' }>;

export function prepareSetConstraints(engine: TidemarkEngine, statement: SetConstraints): RunnableStatement {
  return runnable(statement, engine.catalogVersion, null, async (_params, session) => {
    const some = statement.names?.flatMap((name) => named(engine, name, statement.deferred, session)) ?? null;
    engine.transactionOf(session).setConstraints(some, statement.deferred);
    return { kind: 'command', tag: 'SET CONSTRAINTS' };
  });
}

/** All of this name in the first schema that has one. Those that are not deferrable, as all but foreign keys are, are IMMEDIATE as they are. */
function named(
  { catalog }: TidemarkEngine,
  { schema, name }: { schema?: string; name: string },
  deferred: boolean,
  { searchPath }: SessionContext,
): { table: number; number: number }[] {
  if (schema !== undefined && !catalog.seesSchema(schema, searchPath))
    throw new SqlError('3F000', `schema "${schema}" does not exist`);
  for (const path of schema === undefined ? searchPath : [schema]) {
    const tables = catalog.seen(searchPath).filter((object) => object.kind === 'table' && object.schema === path);
    const found = tables.flatMap((table) => constraintsNamed(name, table as RelationObject, catalog));
    if (deferred && found.some(({ key }) => key?.deferrable !== true)) {
      throw new SqlError('42809', `constraint "${name}" is not deferrable`);
    }
    if (found.length > 0) {
      return found.flatMap(({ table, key }) => (key?.deferrable === true ? [{ table, number: key.number }] : []));
    }
  }
  throw new SqlError('42704', `constraint "${name}" does not exist`);
}

/** `key`: of a foreign key, else null. */
function constraintsNamed(
  name: string,
  { oid: table, relation, checks, foreignKeys }: RelationObject,
  catalog: Catalog,
): { table: number; key: ForeignKey | null }[] {
  const others = [
    ...checks.map((check) => check.name),
    ...catalog.uniqueKeys(relation).flatMap((key) => (key.isConstraint ? [key.name] : [])),
    ...relation.columns.flatMap((column) => (column.notNull ? [`${relation.name}_${column.name}_not_null`] : [])),
  ];
  return [
    ...foreignKeys.filter((key) => key.name === name).map((key) => ({ table, key })),
    ...others.filter((other) => other === name).map(() => ({ table, key: null })),
  ];
}
