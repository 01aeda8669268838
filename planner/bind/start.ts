/**
 * The state a statement's binding starts with.
 */
import type { PgNode } from '../parse/ast.ts';
import { tooDeep } from '../parse/pg_parser.ts';
import type { BindEnv, BoundModification } from './env.ts';
import { bindExpression } from './expression.ts';
import { insertStatement } from './insert.ts';
import { type Level, Shared } from './level.ts';
import { mergeStatement } from './merge.ts';
import { bindSelect } from './select.ts';
import { deleteStatement, updateStatement } from './update.ts';

/** Runs a statement's binding; a nesting too deep for the stack is PostgreSQL's error 54001. */
export function guarded<T>(body: () => T): T {
  try {
    return body();
  } catch (e) {
    if (e instanceof RangeError && e.message.includes('call stack')) {
      throw tooDeep();
    }
    throw e;
  }
}

export function newShared(env: BindEnv): Shared {
  return new Shared(env, { expression: bindExpression, select: bindSelect, modification: bindModification });
}

function bindModification(level: Level, stmt: PgNode): BoundModification {
  if (stmt.InsertStmt) return insertStatement(level, stmt.InsertStmt);
  if (stmt.UpdateStmt) return updateStatement(level, stmt.UpdateStmt);
  if (stmt.DeleteStmt) return deleteStatement(level, stmt.DeleteStmt);
  if (stmt.MergeStmt) return mergeStatement(level, stmt.MergeStmt);
  throw new Error(`${Object.keys(stmt)[0]} in WITH`);
}
