/**
 * The unique keys of a table and the rows that a statement writes: which stored rows have their keys, and whether a key would be there twice.
 *
 *   rows with a key afterwards = stored rows - rows taken away + rows added <= 1, for every key that is added more often than it is taken away
 *
 * Keys are equal as their types say (1.0 and 1.00 are); those with a NULL are never, but for NULLS NOT DISTINCT. Of rows that an index is not over none has its key. Cost: a look-up for each key that is new, all of a statement at once.
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
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { oneOf } from '../../operators/state/equal_values.ts';
import { RowTable } from '../../operators/state/row_table.ts';
import type { ColType } from '../../operators/types.ts';
import type { Relation, UniqueKey } from '../../planner/catalog_reader.ts';
import { COMPUTED_CONTEXT } from './computed_index.ts';
import { indexNameOf } from './index_name.ts';
import { isIndexed, type Reader, relationRows, rowsOfKeys } from './reads.ts';
import { evaluatorOf } from './row_expression.ts';

/** A row that comes (1) or goes (-1). */
export interface RowChange {
  row: Datum[];
  weight: number;
  /** The row of an UPDATE whose place it takes; the same object comes as a row that goes. */
  from?: Datum[];
}

/** Which values of a row are a key, and how it is called. */
type KeyParts = Pick<UniqueKey, 'columns' | 'shape' | 'parts'>;

/** The key of a row as PostgreSQL's messages show it. */
export function keyOf(relation: Relation, key: KeyParts, row: Datum[], context: EvalContext): string {
  const names = key.parts ?? columnNames(relation, key.columns);
  const values = (keyValues(key, row) as Datum[]).map((value, i) =>
    value === null ? 'null' : outputText(value, typeOfKey(relation, key, i).oid, context),
  );
  return `(${names.join(', ')})=(${values.join(', ')})`;
}

export function duplicateKey(relation: Relation, key: UniqueKey, row: Datum[], context: EvalContext): SqlError {
  return new SqlError('23505', `duplicate key value violates unique constraint "${key.name}"`, {
    detail: `Key ${keyOf(relation, inWords(relation, key), row, context)} already exists.`,
    schema: relation.schema,
    table: relation.name,
    constraint: key.name,
  });
}

/** Messages of unique keys quote names, those of foreign keys do not. */
export function inWords(relation: Relation, key: KeyParts): KeyParts {
  return { ...key, parts: key.parts ?? columnNames(relation, key.columns).map(quoteIdent) };
}

function columnNames({ columns: all }: Relation, columns: number[]): string[] {
  return columns.map((c) => all[c].name);
}

/** In the same place as the value of keyValues(). */
function typeOfKey(relation: Relation, { columns, shape }: KeyParts, i: number): ColType {
  return shape?.keys[i].t ?? relation.columns[columns[i]].type;
}

function keyTypes(relation: Relation, key: KeyParts): ColType[] {
  return (key.shape?.keys ?? key.columns).map((_, i) => typeOfKey(relation, key, i));
}

/** What a row has in the key's index; null: it is not in that. */
function keyValues({ columns, shape }: KeyParts, row: Datum[]): Datum[] | null {
  if (shape === undefined) return columns.map((c) => row[c]);
  if (shape.where !== null && evaluatorOf(shape.where)(row, COMPUTED_CONTEXT) !== true) return null;
  return shape.keys.map((e) => evaluatorOf(e)(row, COMPUTED_CONTEXT));
}

/** The same; null also where it is equal to none. */
function comparedValues(key: UniqueKey, row: Datum[]): Datum[] | null {
  const values = keyValues(key, row);
  return values?.includes(null) === true && key.nullsEqual !== true ? null : values;
}

function valuesUnlessFailed(key: UniqueKey, row: Datum[]): Datum[] | null {
  try {
    return comparedValues(key, row);
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}

/** A text that rows have in common whose values in these columns are equal. */
export function valuesText({ columns: of }: Relation, columns: number[], row: Datum[]): string {
  return textOf(
    columns.map((c) => row[c]),
    (i) => of[columns[i]].type.oid,
  );
}

function textOf(values: Datum[], typeAt: (i: number) => number): string {
  const bytes = values.map((value, i) => encodeComposite(value === null ? null : oneOf(value, typeAt(i))));
  return Buffer.concat(bytes).toString('latin1');
}

/** A text that rows with an equal key have in common, null where there are no such. */
export function keyText(relation: Relation, key: UniqueKey, row: Datum[]): string | null {
  const values = comparedValues(key, row);
  return values === null ? null : textOf(values, (i) => typeOfKey(relation, key, i).oid);
}

/** The rows with the keys of these rows, as the reader sees them, by keyText(). A row whose key fails has none here: keyText() says so to who asks for it. */
export function rowsByKey(relation: Relation, key: UniqueKey, rows: Datum[][], reader: Reader): Map<string, Datum[]> {
  const arena = new Arena();
  try {
    const found = new Map<string, Datum[]>();
    const keys = rows.map((row) => valuesUnlessFailed(key, row)).filter((values) => values !== null);
    const stored = storedWith(relation, key, keys, reader, arena);
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

/** At least the rows that have one of these keys. */
function storedWith(relation: Relation, key: UniqueKey, keys: Datum[][], reader: Reader, arena: Arena): Batch {
  const index = indexNameOf(key);
  if (!isIndexed(relation.oid, index, reader)) return relationRows(reader, arena)(relation.oid);
  return rowsOfKeys(relation.oid, index, batchFromRows(keyTypes(relation, key), keys, arena), reader, arena);
}

/** Throws when a unique key of the table would be there twice after the changes. */
export function checkUnique(relation: Relation, keys: UniqueKey[], changes: RowChange[], reader: Reader): void {
  for (const key of keys) {
    const repeated = repeatedRow(relation, key, keyed(key, changes), reader);
    if (repeated !== null) throw duplicateKey(relation, key, repeated, reader.context);
  }
}

interface KeyedChange extends RowChange {
  /** Of the key. */
  values: Datum[];
}

/** Those of the rows that have the key. */
function keyed(key: UniqueKey, changes: RowChange[]): KeyedChange[] {
  return changes.flatMap(({ row, weight }) => {
    const values = comparedValues(key, row);
    return values === null ? [] : [{ values, row, weight }];
  });
}

function rowsOf(batch: Batch): RowChange[] {
  return Array.from({ length: batch.n }, (_, i) => ({ row: readRow(batch, i), weight: weightOf(batch, i) }));
}

/** The first row that comes though its key is there, null when there is none. */
function repeatedRow(relation: Relation, key: UniqueKey, changes: KeyedChange[], reader: Reader): Datum[] | null {
  const arena = new Arena();
  const types = keyTypes(relation, key);
  // A key's payload: how many rows more have it afterwards; with the stored ones added, how many rows have it.
  const table = new RowTable(types, 8, 'sql');
  try {
    const count = (slot: number, n: number) => {
      F64[(slot + table.payloadOffset) / 8] += n;
    };
    const keys = (of: KeyedChange[]) =>
      batchFromRows(
        types,
        of.map(({ values }) => values),
        arena,
      );
    table.bind(keys(changes).columns);
    const slots = changes.map(({ weight }, i) => {
      const slot = table.findOrInsert(i);
      count(slot, weight);
      return slot;
    });
    const of = (i: number) => F64[(slots[i] + table.payloadOffset) / 8];
    const more = changes.filter(({ weight }, i) => weight > 0 && of(i) > 0);
    if (more.length === 0) return null;
    const values = more.map((change) => change.values);
    const stored = keyed(key, rowsOf(storedWith(relation, key, values, reader, arena)));
    table.bind(keys(stored).columns);
    for (const [i, { weight }] of stored.entries()) {
      const slot = table.find(i);
      if (slot !== 0) count(slot, weight);
    }
    const first = changes.findIndex(({ weight }, i) => weight > 0 && of(i) > 1);
    return first < 0 ? null : changes[first].row;
  } finally {
    table.release();
    arena.release();
  }
}
