/**
 * What a row writer is made from, as plain data: how another thread that sees the same memory makes the same bytes.
 *
 * Types whose text only the catalog knows (regclass and the like, and records, which may hold them) have no form: they are written where
 * the session is.
 */
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { REG_TYPES } from '../../../operators/types.ts';
import { typeByOid } from '../../../planner/types/catalog.ts';
import type { CopyOptions, ResultColumn } from '../../engine.ts';

export type RowForm = {
  columns: ResultColumn[];
  /** The session's settings, without what it can do. */
  context: EvalContext;
} & (
  | {
      k: 'fields';
      formats: number[];
      /** Type of the message: DataRow or CopyData. */
      message: number;
    }
  | { k: 'lines'; options: CopyOptions }
);

const NAMED_BY_CATALOG = new Set(REG_TYPES);

function needsNoCatalog(oid: number): boolean {
  const type = typeByOid(oid);
  // The other thread is told of enum types.
  if (type?.kind === 'e') return true;
  if (type === undefined || type.kind !== 'b' || NAMED_BY_CATALOG.has(oid)) return false;
  return !type.isArray || needsNoCatalog(type.element);
}

/** The context as data, or null when a column needs the session itself. */
export function portableContext(columns: ResultColumn[], context: EvalContext): EvalContext | null {
  return columns.every((column) => needsNoCatalog(column.type.oid)) ? { ...context, session: undefined } : null;
}
