/**
 * The binder: names, types and overloads of a parsed statement are resolved against the catalog and the statement becomes a
 * logical plan. Follows the analysis phase of PostgreSQL, whose errors (SQLSTATE, text, position) it gives.
 */
export { checkSqlFunction } from './check_function.ts';
export { indexColumnName } from './column_name.ts';
export type {
  BindEnv,
  BoundConflict,
  BoundDelete,
  BoundInsert,
  BoundMerge,
  BoundModification,
  BoundReturning,
  BoundUpdate,
} from './env.ts';
export { externalFunction } from './external_call.ts';
export { bindDelete, bindInsert, bindMerge, bindModifyingSelect, bindUpdate } from './modify.ts';
export { syntaxKey } from './node.ts';
export { bindQuery } from './query.ts';
export { regclassPath } from './reg_literal.ts';
export { bindScalar } from './scalar.ts';
export { signatureText } from './sql_function.ts';
