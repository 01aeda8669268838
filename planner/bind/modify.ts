/**
 * Statements that change tables.
 */
export { bindInsert } from './insert.ts';
export { bindDelete, bindUpdate } from './update.ts';
