/**
 * The unique keys of a table and the rows that a statement writes: which stored rows have their keys, and whether a key would be there twice.
 *
 *   rows with a key afterwards = stored rows - rows taken away + rows added <= 1, for every key that is added more often than it is taken away
 *
 * Keys are equal as their types say (1.0 and 1.00 are); those with a NULL are never. Cost: a look-up for each key that is new, all of a statement at once.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { encodeComposite } from '../../operators/batch/composite.ts';
import { F64 } from '../../operators/batch/memory.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { oneOf } from '../../operators/state/equal_values.ts';
import { RowTable } from '../../operators/state/row_table.ts';
import type { Relation, UniqueKey } from '../../planner/catalog_reader.ts';
import { isIndexed, type Reader, relationRows, rowsOfKeys } from './reads.ts';

/** A row that comes (1) or goes (-1). */
export interface RowChange {
  row: Datum[];
  weight: number;
  /** The row of an UPDATE whose place it takes; the same object comes as a row that goes. */
  from?: Datum[];
}

/** The key of a row as PostgreSQL's messages show it; no column of it is NULL. */
export function keyOf(relation: Relation, columns: number[], row: Datum[], context: EvalContext): string {
  const names = columns.map((c) => relation.columns[c].name).join(', ');
  const values = columns.map((c) => outputText(row[c] as Exclude<Datum, null>, relation.columns[c].type.oid, context));
  return `(${names})=(${values.join(', ')})`;
}

export function duplicateKey(relation: Relation, key: UniqueKey, row: Datum[], context: EvalContext): SqlError {
  return new SqlError('23505', `duplicate key value violates unique constraint "${key.name}"`, {
    detail: `Key ${keyOf(relation, key.columns, row, context)} already exists.`,
    schema: relation.schema,
    table: relation.name,
    constraint: key.name,
  });
}

/** A text that rows have in common whose values in these columns are equal. */
export function valuesText({ columns: of }: Relation, columns: number[], row: Datum[]): string {
  const bytes = columns.map((c) => encodeComposite(row[c] === null ? null : oneOf(row[c], of[c].type.oid)));
  return Buffer.concat(bytes).toString('latin1');
}

/** A text that rows with an equal key have in common, null where a column of it is NULL. */
export function keyText(relation: Relation, { columns }: UniqueKey, row: Datum[]): string | null {
  return columns.some((c) => row[c] === null) ? null : valuesText(relation, columns, row);
}

/** The rows with the keys of these rows, as the reader sees them, by keyText(). */
export function rowsByKey(relation: Relation, key: UniqueKey, rows: Datum[][], reader: Reader): Map<string, Datum[]> {
  const arena = new Arena();
  try {
    const found = new Map<string, Datum[]>();
    const whole = rows.filter((row) => key.columns.every((c) => row[c] !== null));
    const stored = storedWith(relation, key, whole, reader, arena);
    for (let i = 0; i < stored.n; i++) {
      const row = readRow(stored, i);
      const text = keyText(relation, key, row);
      if (text !== null) found.set(text, row);
    }
    return found;
  } finally {
    arena.release();
  }
}

/** At least the rows that have a key of these rows. */
function storedWith(relation: Relation, key: UniqueKey, rows: Datum[][], reader: Reader, arena: Arena): Batch {
  if (!isIndexed(relation.oid, key.columns, reader)) return relationRows(reader, arena)(relation.oid);
  return rowsOfKeys(relation.oid, key.columns, keysOf(relation, key, rows, arena), reader, arena);
}

function keysOf(relation: Relation, { columns }: UniqueKey, rows: Datum[][], arena: Arena): Batch {
  const types = columns.map((c) => relation.columns[c].type);
  return batchFromRows(
    types,
    rows.map((row) => columns.map((c) => row[c])),
    arena,
  );
}

/** Throws when a unique key of the table would be there twice after the changes. */
export function checkUnique(relation: Relation, keys: UniqueKey[], changes: RowChange[], reader: Reader): void {
  for (const key of keys) {
    const whole = changes.filter(({ row }) => key.columns.every((c) => row[c] !== null));
    const repeated = repeatedRow(relation, key, whole, reader);
    if (repeated !== null) throw duplicateKey(relation, key, repeated, reader.context);
  }
}

/** The first row that comes though its key is there, null when there is none. */
function repeatedRow(relation: Relation, key: UniqueKey, changes: RowChange[], reader: Reader): Datum[] | null {
  const arena = new Arena();
  // A key's payload: how many rows more have it afterwards; with the stored ones added, how many rows have it.
  const table = new RowTable(
    key.columns.map((c) => relation.columns[c].type),
    8,
    'sql',
  );
  try {
    const count = (slot: number, n: number) => {
      F64[(slot + table.payloadOffset) / 8] += n;
    };
    const rows = changes.map(({ row }) => row);
    table.bind(keysOf(relation, key, rows, arena).columns);
    const slots = changes.map(({ weight }, i) => {
      const slot = table.findOrInsert(i);
      count(slot, weight);
      return slot;
    });
    const of = (i: number) => F64[(slots[i] + table.payloadOffset) / 8];
    const more = rows.filter((_, i) => changes[i].weight > 0 && of(i) > 0);
    if (more.length === 0) return null;
    const stored = storedWith(relation, key, more, reader, arena);
    table.bind(key.columns.map((c) => stored.columns[c]));
    for (let i = 0; i < stored.n; i++) {
      const slot = table.find(i);
      if (slot !== 0) count(slot, weightOf(stored, i));
    }
    const first = changes.findIndex(({ weight }, i) => weight > 0 && of(i) > 1);
    return first < 0 ? null : rows[first];
  } finally {
    table.release();
    arena.release();
  }
}
