/**
 * Statements that change tables: INSERT, UPDATE, DELETE and MERGE, and SELECT with such a statement in its WITH.
 */
import type { PgNode, SelectNode } from '../parse/ast.ts';
import type { BindEnv, BoundDelete, BoundInsert, BoundMerge, BoundModifyingSelect, BoundUpdate } from './env.ts';
import { insertStatement } from './insert.ts';
import { Level } from './level.ts';
import { mergeStatement } from './merge.ts';
import { queryAt } from './query.ts';
import { guarded, newShared } from './start.ts';
import { deleteStatement, updateStatement } from './update.ts';
import { bindWith } from './with.ts';

function topLevel(text: string, env: BindEnv): Level {
  return new Level(newShared({ ...env, allowModifying: true }), null, text);
}

/** Binds INSERT; `stmt` is the node { InsertStmt } or its content, `text` what its positions point into. */
export function bindInsert(stmt: PgNode, text: string, env: BindEnv): BoundInsert {
  return guarded(() => insertStatement(topLevel(text, env), stmt.InsertStmt ?? stmt));
}

/** Binds UPDATE; `stmt` is the node { UpdateStmt } or its content. */
export function bindUpdate(stmt: PgNode, text: string, env: BindEnv): BoundUpdate {
  return guarded(() => updateStatement(topLevel(text, env), stmt.UpdateStmt ?? stmt));
}

/** Binds DELETE; `stmt` is the node { DeleteStmt } or its content. */
export function bindDelete(stmt: PgNode, text: string, env: BindEnv): BoundDelete {
  return guarded(() => deleteStatement(topLevel(text, env), stmt.DeleteStmt ?? stmt));
}

/** Binds MERGE; `stmt` is the node { MergeStmt } or its content. */
export function bindMerge(stmt: PgNode, text: string, env: BindEnv): BoundMerge {
  return guarded(() => mergeStatement(topLevel(text, env), stmt.MergeStmt ?? stmt));
}

/** Binds a SELECT whose WITH has modifying items. */
export function bindModifyingSelect(node: SelectNode, env: BindEnv): BoundModifyingSelect {
  return guarded(() => {
    const top = topLevel(node.text, env);
    bindWith(top, node.select.withClause);
    const query = queryAt(top, { ...node, select: { ...node.select, withClause: undefined } });
    return { query, items: top.shared.modifying };
  });
}
