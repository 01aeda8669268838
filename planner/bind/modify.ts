/**
 * Statements that change tables.
 */
import type { PgNode } from '../parse/ast.ts';
import type { BindEnv, BoundDelete, BoundInsert, BoundUpdate } from './env.ts';
import { insertStatement } from './insert.ts';
import { guarded } from './start.ts';
import { deleteStatement, updateStatement } from './update.ts';

/** Binds INSERT; `stmt` is the node { InsertStmt } or its content, `text` what its positions point into. */
export function bindInsert(stmt: PgNode, text: string, env: BindEnv): BoundInsert {
  return guarded(() => insertStatement(stmt, text, env));
}

/** Binds UPDATE; `stmt` is the node { UpdateStmt } or its content. */
export function bindUpdate(stmt: PgNode, text: string, env: BindEnv): BoundUpdate {
  return guarded(() => updateStatement(stmt, text, env));
}

/** Binds DELETE; `stmt` is the node { DeleteStmt } or its content. */
export function bindDelete(stmt: PgNode, text: string, env: BindEnv): BoundDelete {
  return guarded(() => deleteStatement(stmt, text, env));
}
