/** INSERT, UPDATE, DELETE as statements: binding, what may be written to, the command tag. */
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import { bindDelete, bindInsert, bindUpdate } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { bindParameters } from '../../planner/physical/parameters.ts';
import type { ResultColumn, SessionContext } from '../engine.ts';
import { checksOf } from './check_constraint.ts';
import type { TidemarkEngine } from './engine.ts';
import { generatedOf } from './generated_column.ts';
import { type BoundModification, type ModifyContext, modify } from './modify.ts';
import { type RunnableStatement, runnable } from './prepared.ts';
import { rowsOf } from './row_streams.ts';
import { readerAsOf } from './time_travel.ts';

type ModifyStatement = Extract<Statement, { k: 'insert' | 'update' | 'delete' }>;

/** Only tables and local streams take rows, and streams are never changed afterwards. */
export function checkWritable(
  engine: TidemarkEngine,
  relation: Relation,
  action: 'insert' | 'update' | 'delete',
): void {
  const object = engine.catalog.get(relation.oid);
  const refused = (what: string) =>
    new SqlError(
      '42809',
      `cannot ${action === 'insert' ? 'insert into' : action === 'update' ? 'update' : 'delete from'} ${what} "${relation.name}"`,
    );
  if (object === undefined) throw new SqlError('42501', `permission denied for table ${relation.name}`);
  if (object.kind !== 'table' && object.kind !== 'stream') throw refused(object.kind.replace('_', ' '));
  if (object.source !== null) {
    throw new SqlError('42809', `"${relation.name}" reads from its connector and takes no ${action.toUpperCase()}`);
  }
  if (object.kind === 'stream' && action !== 'insert') throw refused('stream');
}

export function modifyContext(engine: TidemarkEngine, relation: Relation, session: SessionContext): ModifyContext {
  const transaction = engine.transactionOf(session);
  transaction.noteSeen();
  const reader = { loop: engine.loop, sources: engine.readSources, transaction, context: engine.contextOf(session) };
  return {
    ...reader,
    uniqueKeys: engine.catalog.uniqueKeys(relation),
    checks: checksOf(engine, relation.oid),
    generated: generatedOf(engine, relation.oid),
    checkThere: () => {
      if (engine.catalog.get(relation.oid) !== undefined) return;
      throw new SqlError('42P01', `relation "${relation.name}" does not exist`);
    },
    asOf: (plan, moment) => readerAsOf(engine, reader, plan, moment),
  };
}

export function prepareModification(
  engine: TidemarkEngine,
  statement: ModifyStatement,
  paramTypes: number[],
  session: SessionContext,
): RunnableStatement {
  const env = { ...engine.bindEnv(session, [...paramTypes], 'read'), allowAsOf: statement.k === 'insert' };
  const bound: BoundModification =
    statement.k === 'insert'
      ? bindInsert(statement.node, statement.text, env)
      : statement.k === 'update'
        ? bindUpdate(statement.node, statement.text, env)
        : bindDelete(statement.node, statement.text, env);
  checkWritable(engine, bound.relation, statement.k);
  const columns: ResultColumn[] | null =
    bound.returning?.items.map((item) => ({
      name: item.name,
      type: item.type,
      relation: item.origin?.relation ?? 0,
      attnum: item.origin?.attnum ?? 0,
    })) ?? null;
  const run: RunnableStatement['run'] = async (params, current) => {
    const narrow = statement.k === 'delete' ? budget.widen(pages.usedBytes) : null;
    const done = await modify(bindParameters(bound, params), modifyContext(engine, bound.relation, current)).finally(
      () => narrow?.(),
    );
    const tag = statement.k === 'insert' ? `INSERT 0 ${done.count}` : `${statement.k.toUpperCase()} ${done.count}`;
    if (columns === null || done.returned === null) return { kind: 'command', tag };
    return {
      kind: 'rows',
      columns,
      rows: rowsOf(
        columns.map((c) => c.type),
        done.returned,
      ),
      tag: () => tag,
    };
  };
  return runnable(statement, engine.catalogVersion, columns, run, bound.parameters);
}
