/**
 * ALTER TABLE in a transaction, of a table that was there before it, as far as no row gets another form: what is another with it. It is the transaction's alone until COMMIT (pending.ts).
 *
 *   BEGIN; ALTER TABLE t ALTER a SET DEFAULT 1, ALTER a SET NOT NULL; ALTER TABLE t DROP CONSTRAINT c      this session inserts 1, and no NULL, and c is nothing to it; all others go on as before
 */
import type { Relation } from '../../planner/catalog_reader.ts';
import { inOrderOfNames } from './constraint_order.ts';
import type { CheckConstraint, ColumnDefault, ForeignKey, RelationObject } from './objects.ts';

export interface TableChange {
  k: 'table';
  /** By positions of columns. */
  defaults: [column: number, value: ColumnDefault | null][];
  notNull: [column: number, notNull: boolean][];
  checks: CheckConstraint[];
  /** Numbers of CHECKs and foreign keys that go. */
  dropped: number[];
  /** The tick whose rows, with those of the transaction, were looked at. */
  looked: bigint;
}

/** What an ALTER has made of a copy of the table. */
export function tableChange(before: RelationObject, after: RelationObject, looked: bigint): TableChange {
  const notNull = (column: number) => after.relation.columns[column].notNull;
  const left = new Set<CheckConstraint | ForeignKey>([...after.checks, ...after.foreignKeys]);
  return {
    k: 'table',
    defaults: after.defaults.flatMap((value, i): TableChange['defaults'] => {
      return value === before.defaults[i] ? [] : [[i, value]];
    }),
    notNull: before.relation.columns.flatMap((column, i): TableChange['notNull'] => {
      return column.notNull === notNull(i) ? [] : [[i, notNull(i)]];
    }),
    checks: after.checks.filter((check) => !before.checks.includes(check)),
    dropped: [...before.checks, ...before.foreignKeys].flatMap((one) => (left.has(one) ? [] : [one.number])),
    looked,
  };
}

export function isNothing({ defaults, notNull, checks, dropped }: TableChange): boolean {
  return defaults.length + notNull.length + checks.length + dropped.length === 0;
}

/** A copy of the table which setTable() and an ALTER may change. */
export function tableCopy(table: RelationObject): RelationObject {
  const { relation, defaults, comments } = table;
  return {
    ...table,
    relation: { ...relation, columns: relation.columns.map((column) => ({ ...column })) },
    defaults: [...defaults],
    ...(comments === undefined ? {} : { comments: { ...comments } }),
  };
}

export function setTable(table: RelationObject, { defaults, notNull, checks, dropped }: TableChange): void {
  const { relation, comments = {} } = table;
  const isThere = (column: number) => relation.columns[column].dropped !== true;
  for (const [column, value] of defaults) if (isThere(column)) table.defaults[column] = value;
  for (const [column, is] of notNull) {
    if (!isThere(column)) continue;
    relation.columns[column].notNull = is;
    if (!is) delete comments[`not null ${column}`];
  }
  const stays = ({ number }: { number: number }) => !dropped.includes(number);
  table.foreignKeys = table.foreignKeys.filter(stays);
  table.checks = inOrderOfNames([...table.checks.filter(stays), ...checks]);
  // A constraint that has gone may have had the number of one that comes.
  for (const number of [...dropped, ...checks.map((check) => check.number)]) delete comments[`constraint ${number}`];
}

/** The relation as its readers may count on it: what is NOT NULL for the transaction alone, others may write NULL into. */
export function readRelation(relation: Relation, changes: TableChange[]): Relation {
  if (changes.length === 0) return relation;
  const nullable = new Set(changes.flatMap(({ notNull }) => notNull.flatMap(([column, is]) => (is ? [] : [column]))));
  if (nullable.size === 0) return relation;
  const columns = relation.columns.map((column, i) => (nullable.has(i) ? { ...column, notNull: false } : column));
  return { ...relation, columns };
}
