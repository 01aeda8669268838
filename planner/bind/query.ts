import type { BoundQuery } from '../logical/plan.ts';
import type { SelectNode } from '../parse/ast.ts';
import type { BindEnv } from './env.ts';

/** Binds a query. Throws SqlError with PostgreSQL's SQLSTATE, text and position. */
export declare function bindQuery(node: SelectNode, env: BindEnv): BoundQuery;
