/** ALTER FUNCTION, and functions as statements name them. */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import { declaredOid } from '../../operators/types.ts';
import { signatureText } from '../../planner/bind/index.ts';
import type { FunctionName, Statement } from '../../planner/parse/ast.ts';
import { namespaceName, procsByName } from '../../planner/types/catalog.ts';
import { formatType } from '../../planner/types/type_name.ts';
import type { FunctionObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkCreate, checkOwner } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkNowhereCalled, checkReplaceable } from './function_users.ts';
import { settleNeeded, settleUsers } from './settle_at_once.ts';
import { columnType } from './type_users.ts';

type AlterFunction = Extract<Statement, { k: 'alter_function' }>;

export function alterFunction(engine: TidemarkEngine, statement: AlterFunction, session: SessionContext): void {
  const { catalog } = engine;
  const { action, text } = statement;
  // Done again, it may come before the function got the name that it says.
  const again = engine.replay === null ? undefined : catalog.get(engine.replay.altered);
  const object = again?.kind === 'function' ? again : functionNamed(engine, statement, session);
  checkOwner(engine, object, session);
  switch (action.k) {
    case 'rename':
      checkNowhereCalled(engine, object);
      catalog.rename(object, action.to);
      break;
    case 'set_schema':
      if (action.schema === object.schema) break;
      if (!catalog.seesSchema(action.schema, session.searchPath))
        throw new SqlError('3F000', `schema "${action.schema}" does not exist`);
      if (isTemporary(action.schema))
        throw new SqlError('0A000', 'cannot move objects into or out of temporary schemas');
      if (['pg_catalog', 'information_schema', 'tidemark'].includes(action.schema))
        throw new SqlError('42501', `permission denied for schema ${action.schema}`);
      checkCreate(engine, action.schema, session);
      checkNowhereCalled(engine, object);
      settleNeeded(engine, [object.oid, catalog.schemaOid(action.schema, session.searchPath)], session);
      catalog.move(object, action.schema);
      break;
    case 'attributes': {
      const { k: _, volatility, strict, ...others } = action;
      if (others.rows !== undefined && !object.proc.retset)
        throw new SqlError('22023', 'ROWS is not applicable when function does not return a set');
      const proc = {
        ...object.proc,
        volatility: volatility ?? object.proc.volatility,
        strict: strict ?? object.proc.strict,
      };
      const now = { ...object, ...others, proc };
      checkReplaceable(engine, object, now, session);
      settleUsers(engine, object, session);
      Object.assign(object, now);
      catalog.version++;
      break;
    }
  }
  engine.defined({ sql: text, made: object.oid, dropped: [], altered: object.oid }, session, [object.oid]);
}

/** The function of a user; 42883 when there is none, 42725 when there are several and no arguments were said. */
export function functionNamed(
  engine: TidemarkEngine,
  { schema, name, args }: FunctionName,
  session: SessionContext,
): FunctionObject {
  const found = engine.catalog.findFunctions(schema, name, session.searchPath);
  const path = schema === undefined ? name : `${schema}.${name}`;
  const types = args?.map((node) => declaredOid(columnType(engine, node, session))) ?? null;
  const builtIn = procsByName(name).filter(
    (p) =>
      (schema === undefined || namespaceName(p.namespace) === schema) &&
      (types === null || types.join() === p.args.join()),
  );
  const fitting = types === null ? found : found.filter(({ proc }) => proc.args.join() === types.join());
  if (fitting.length > 0 && (types !== null || fitting.length === 1)) return fitting[0];
  if (fitting.length > 1) {
    throw new SqlError('42725', `function name "${path}" is not unique`, {
      hint: 'Specify the argument list to select the function unambiguously.',
    });
  }
  if (builtIn.length > 0) {
    throw new SqlError('2BP01', `function ${signatureText(builtIn[0])} is required by the database system`);
  }
  const shown = types === null ? null : `${path}(${types.map((t) => formatType(t)).join(', ')})`;
  throw new SqlError(
    '42883',
    shown === null ? `could not find a function named "${path}"` : `function ${shown} does not exist`,
  );
}
