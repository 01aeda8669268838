/** ALTER ... RENAME COLUMN. Plans know columns by position and go on; views that were written with the old name go on seeing it (seen_columns.ts). */
import { SqlError } from '../../operators/errors.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { boundFunctions } from './function_users.ts';
import { changeOwnTexts, renameOwnRow } from './own_texts.ts';
import { keepSeen, showSeen } from './seen_columns.ts';
import { viewText } from './view_text.ts';
import { withRenamed } from './written_expression.ts';

/** Columns that every table of PostgreSQL's has. */
const SYSTEM_COLUMNS = ['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid'];

export function renameColumn(
  engine: TidemarkEngine,
  object: CatalogObject,
  column: string,
  to: string,
  session: SessionContext,
): void {
  if (!('relation' in object)) throw new SqlError('42809', `cannot rename columns of relation "${object.name}"`);
  const { relation } = object;
  const position = relation.columns.findIndex(({ name }) => name === column);
  if (position < 0) throw new SqlError('42703', `column "${column}" does not exist`);
  checkColumnName(object, to);
  const checkFunctions = boundFunctions(engine, session);
  relation.columns[position].name = to;
  try {
    checkFunctions();
  } finally {
    relation.columns[position].name = column;
  }
  keepSeen(engine, object);
  // Afterwards the name alone is the column.
  if (to === object.name) renameOwnRow(engine, object, to, to);
  relation.columns[position].name = to;
  changeOwnTexts(engine, object, (kept) => withRenamed(kept, column, to));
  engine.catalog.version++;
  if (object.kind === 'materialized_view') object.physical.columns[position].name = to;
  if (object.kind === 'view' || object.kind === 'materialized_view') object.sql = viewText(engine, object, session);
  showSeen(engine, object, session);
}

export function isSystemColumn(name: string): boolean {
  return SYSTEM_COLUMNS.includes(name);
}

export function checkNotSystem(name: string): void {
  if (isSystemColumn(name)) throw new SqlError('42701', `column name "${name}" conflicts with a system column name`);
}

/** Throws 42701 when a relation cannot have one more column of this name. */
export function checkColumnName({ relation }: Extract<CatalogObject, { relation: unknown }>, name: string): void {
  checkNotSystem(name);
  if (relation.columns.every((other) => other.name !== name)) return;
  throw new SqlError('42701', `column "${name}" of relation "${relation.name}" already exists`);
}
