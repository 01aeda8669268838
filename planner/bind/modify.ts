import type { PgNode } from '../parse/ast.ts';
import type { BindEnv, BoundDelete, BoundInsert, BoundUpdate } from './env.ts';

/** Binds INSERT; `stmt` is the node { InsertStmt } or its content. */
export declare function bindInsert(stmt: PgNode, text: string, env: BindEnv): BoundInsert;
export declare function bindUpdate(stmt: PgNode, text: string, env: BindEnv): BoundUpdate;
export declare function bindDelete(stmt: PgNode, text: string, env: BindEnv): BoundDelete;
