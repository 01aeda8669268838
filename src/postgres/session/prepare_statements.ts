/**
 * SQL's PREPARE, EXECUTE and DEALLOCATE. Arguments of EXECUTE are expressions: they are planned as a SELECT of casts to the
 * parameter types, so they convert as they do anywhere else.
 */

import { readDatum } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { declaredOid, typeObjectOid } from '../../../operators/types.ts';
import type { PgNode, Statement } from '../../../planner/parse/ast.ts';
import { typeByOid } from '../../../planner/types/catalog.ts';
import { resolveTypeName } from '../../../planner/types/type_name.ts';
import { userTypeOf } from '../../../planner/types/user_types.ts';
import type { Cancellation } from './cancellation.ts';
import type { StatementResult } from './portals.ts';
import { checkReadOnly, runPlan } from './run_plan.ts';
import type { Session } from './session.ts';

type Prepare = Extract<Statement, { k: 'prepare' }>;
type Execute = Extract<Statement, { k: 'execute' }>;

export function prepareStatement(session: Session, statement: Prepare): void {
  session.statements.checkFree(statement.name);
  const { engine } = session.options;
  const path = session.context.searchPath;
  const types = statement.types.map((node) => {
    const name = (node.TypeName ?? node) as PgNode;
    return declaredOid(resolveTypeName(name, (schema, type) => engine.typeNamed(schema, type, path)));
  });
  session.statements.add(session.planner.prepare(statement.name, statement.text, statement.inner, types, true));
}

export function deallocate(session: Session, name: string | null): void {
  if (name === null) session.statements.dropNamed();
  else {
    session.statements.get(name);
    session.statements.drop(name);
  }
}

export async function executePrepared(
  session: Session,
  statement: Execute,
  cancellation: Cancellation,
  alone: boolean,
): Promise<StatementResult> {
  const prepared = session.statements.get(statement.name);
  const wanted = prepared.paramTypes.length;
  if (statement.args.length !== wanted) {
    throw new SqlError('42601', `wrong number of parameters for prepared statement "${statement.name}"`, {
      detail: `Expected ${wanted} parameters but got ${statement.args.length}.`,
    });
  }
  if (prepared.statement === null) return { kind: 'empty' };
  checkReadOnly(session, prepared.statement);
  const params = wanted === 0 ? [] : await argumentValues(session, statement, prepared.paramTypes, cancellation);
  session.planner.refresh(prepared);
  session.lostClient.runs(prepared.statement);
  return runPlan(session, prepared, params, cancellation, alone);
}

async function argumentValues(
  session: Session,
  statement: Execute,
  types: number[],
  cancellation: Cancellation,
): Promise<Datum[]> {
  const select = {
    targetList: statement.args.map((arg, i) => ({
      ResTarget: { val: { TypeCast: { arg, typeName: typeName(types[i]), location: -1 } } },
    })),
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  };
  const { text, offset } = statement;
  const query: Statement = { k: 'select', query: { select, text }, text, offset };
  const result = await runPlan(session, session.planner.prepare('', text, query, []), [], cancellation);
  if (result.kind !== 'rows') throw new Error('arguments of EXECUTE gave no row');
  try {
    const chunk = await cancellation.wait(result.rows.next(1));
    if (chunk === null) throw new Error('arguments of EXECUTE gave no row');
    return chunk.batch.columns.map((column) => readDatum(column, chunk.from));
  } finally {
    result.rows.close();
  }
}

/** The syntax of a type's name. */
function typeName(oid: number): PgNode {
  const type = typeByOid(oid);
  if (type === undefined) throw new SqlError('42704', `type ${oid} does not exist`);
  const user = typeObjectOid(oid) === 0 ? undefined : userTypeOf(oid);
  return {
    names: [user?.schema ?? 'pg_catalog', type.name].map((sval) => ({ String: { sval } })),
    typemod: -1,
    location: -1,
  };
}
