/** Statements that do something to the server, or, as there are no roles and no statistics, nothing at all. */
import { unsupported } from '../../operators/errors.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import type { TidemarkEngine } from './engine.ts';
import { type RunnableStatement, runnable } from './prepared.ts';

export function prepareUtility(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'utility' }>,
): RunnableStatement {
  const { tag, node } = statement;
  return runnable(statement, engine.catalogVersion, null, async () => {
    // Everything is its user's.
    if (tag.startsWith('ALTER') && !('AlterOwnerStmt' in node)) throw unsupported(tag);
    if (tag === 'FLUSH') await engine.flush();
    if (tag === 'CHECKPOINT') await engine.checkpoints?.take();
    return { kind: 'command', tag };
  });
}
