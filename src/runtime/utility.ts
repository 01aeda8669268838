/** Statements that do something to the server, or, as there are no statistics, nothing at all: but what they name has to be there. */
import { SqlError, unsupported } from '../../operators/errors.ts';
import type { PgNode, Statement } from '../../planner/parse/ast.ts';
import { rangeVarName } from '../../planner/parse/node_fields.ts';
import type { SessionContext } from '../engine.ts';
import { checkSuperuser } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { notFound } from './names.ts';
import { type RunnableStatement, runnable } from './prepared.ts';

export function prepareUtility(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'utility' }>,
): RunnableStatement {
  const { tag, node } = statement;
  return runnable(statement, engine.catalogVersion, null, async (_params, session) => {
    if (tag.startsWith('ALTER')) throw unsupported(tag);
    checkNamed(engine, node, session);
    if (tag === 'FLUSH') await engine.flush();
    if (tag === 'CHECKPOINT') checkSuperuser(engine, tag, session, 'pg_checkpoint');
    if (tag === 'CHECKPOINT') await engine.checkpoints?.takeAsked();
    return { kind: 'command', tag };
  });
}

/** 42P01 for a relation that is not there, 42809 for a REFRESH of anything but a materialized view. */
function checkNamed({ catalog }: TidemarkEngine, node: PgNode, { searchPath }: SessionContext): void {
  const { LockStmt, VacuumStmt, ClusterStmt, ReindexStmt, RefreshMatViewStmt } = node;
  const refreshed = RefreshMatViewStmt?.relation;
  const named: PgNode[] = [
    ...(LockStmt?.relations ?? []).map((item: PgNode) => item.RangeVar),
    ...(VacuumStmt?.rels ?? []).map((item: PgNode) => item.VacuumRelation.relation),
    ClusterStmt?.relation,
    ReindexStmt?.relation,
    refreshed,
  ];
  for (const relation of named) {
    if (relation === undefined) continue;
    const { schema, name } = rangeVarName(relation);
    const object = catalog.find(schema, name, searchPath);
    if (object === undefined && catalog.relation(schema, name, searchPath) === null) throw notFound(name);
    if (relation === refreshed && object?.kind !== 'materialized_view')
      throw new SqlError('42809', `"${name}" is not a materialized view`);
  }
}
