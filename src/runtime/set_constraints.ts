/** SET CONSTRAINTS: which foreign keys the transaction looks at at its end alone. */
import { SqlError } from '../../operators/errors.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { type RunnableStatement, runnable } from './prepared.ts';

type SetConstraints = Extract<Statement, { k: 'set_constraints' }>;

export function prepareSetConstraints(engine: TidemarkEngine, statement: SetConstraints): RunnableStatement {
  return runnable(statement, engine.catalogVersion, null, async (_params, session) => {
    const some = statement.names?.flatMap((name) => named(engine, name, session)) ?? null;
    engine.transactionOf(session).setConstraints(some, statement.deferred);
    return { kind: 'command', tag: 'SET CONSTRAINTS' };
  });
}

/** All of this name in the first schema that has one. */
function named(
  { catalog }: TidemarkEngine,
  { schema, name }: { schema?: string; name: string },
  { searchPath }: SessionContext,
): { table: number; number: number }[] {
  for (const path of schema === undefined ? searchPath : [schema]) {
    const found = catalog.objects().flatMap((object) => {
      if (object.kind !== 'table' || object.schema !== path) return [];
      return object.foreignKeys.filter((key) => key.name === name).map((key) => ({ table: object.oid, key }));
    });
    if (found.some(({ key }) => !key.deferrable)) {
      throw new SqlError('42809', `constraint "${name}" is not deferrable`);
    }
    if (found.length > 0) return found.map(({ table, key }) => ({ table, number: key.number }));
  }
  throw new SqlError('42704', `constraint "${name}" does not exist`);
}
