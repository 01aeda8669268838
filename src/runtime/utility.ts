/** Statements that do something to the server, or, as there are no statistics, nothing at all. */
import { unsupported } from '../../operators/errors.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { checkSuperuser } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { type RunnableStatement, runnable } from './prepared.ts';

export function prepareUtility(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'utility' }>,
): RunnableStatement {
  const { tag } = statement;
  return runnable(statement, engine.catalogVersion, null, async (_params, session) => {
    if (tag.startsWith('ALTER')) throw unsupported(tag);
    if (tag === 'FLUSH') await engine.flush();
    if (tag === 'CHECKPOINT') checkSuperuser(engine, tag, session, 'pg_checkpoint');
    if (tag === 'CHECKPOINT') await engine.checkpoints?.take();
    return { kind: 'command', tag };
  });
}
