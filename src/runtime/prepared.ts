/** A planned statement that knows how to run itself. One is made by prepare() of each statement family (queries, modifications, DDL, ...). */
import type { Datum } from '../../operators/datum.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import type { PreparedStatement, Result, ResultColumn, SessionContext, TakeRows } from '../engine.ts';
import type { Need } from './access.ts';

export interface RunnableStatement extends PreparedStatement {
  /** What a role that is no superuser must be allowed; undefined: it is checked as it runs. */
  needs?: readonly Need[];
  run(params: Datum[], session: SessionContext, signal: AbortSignal): Promise<Result>;
  /** See Engine.executeNow(). */
  runNow?(params: Datum[], session: SessionContext, take: TakeRows): Result | 'taken' | null;
}

export function runnable(
  statement: Statement,
  catalogVersion: number,
  columns: ResultColumn[] | null,
  run: RunnableStatement['run'],
  paramTypes: number[] = [],
): RunnableStatement {
  return { statement, catalogVersion, columns, run, paramTypes };
}

/** A result column that comes from no relation. */
export function resultColumn(name: string, oid: number): ResultColumn {
  return { name, type: { oid, typmod: -1 }, relation: 0, attnum: 0 };
}

/** Whether a statement that has failed has done nothing that anybody saw. */
export function isRepeatable({ statement }: PreparedStatement): boolean {
  return ['select', 'modifying_select', 'insert', 'update', 'delete', 'merge', 'create_view'].includes(statement.k);
}
