/**
 * Rows of messages that one writer's schema describes: which field goes to which column, found once a schema.
 *
 *   record's fields in the writer's order -> columns of the same names; others are skipped; columns without a field have their DEFAULT
 *
 * A union of records is read by the record that is there.
 */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import type { Defaults } from '../defaults.ts';
import type { SourceColumn } from '../format.ts';
import { checked, guarded, missing, RowError } from '../row_error.ts';
import { type AvroBytes, malformed } from './bytes.ts';
import type { JsonReader } from './json_text.ts';
import type { AvroRecord, AvroType } from './schema.ts';
import { type Skip, skipOf } from './skip.ts';
import { type ValueReader, valueReader } from './value.ts';

export type RowReader = (from: AvroBytes, values: Datum[], defaults: Defaults) => void;

/** Readers of a schema's records, made once: each may be named in very many places. */
export interface SharedReaders {
  skips: Map<AvroType, Skip>;
  json: Map<AvroType, JsonReader>;
}

/** `fields`: positions of the columns that the message has. `known`: those of records that were made before. */
export function rowReader(
  type: AvroType,
  columns: SourceColumn[],
  fields: number[],
  shared: SharedReaders = { skips: new Map(), json: new Map() },
  known = new Map<AvroType, RowReader>(),
): RowReader {
  switch (type.k) {
    case 'record': {
      const reader = known.get(type) ?? recordReader(type, columns, fields, shared);
      known.set(type, reader);
      return reader;
    }
    case 'union': {
      const branches = type.branches.map((branch) => rowReader(branch, columns, fields, shared, known));
      return (from, values, defaults) => branches[from.readIndex(branches.length)](from, values, defaults);
    }
    default:
      return () => {
        throw new SqlError('22023', `the message is an Avro ${type.k}, not a record`);
      };
  }
}

/** Of a key that one column has: a record with its field, or the value alone. */
export function keyReader(type: AvroType, columns: SourceColumn[], fields: number[]): RowReader {
  if (fields.length > 1 || type.k === 'record' || type.k === 'union') return rowReader(type, columns, fields);
  const [field] = fields;
  const read = valueReader(type, columns[field].type);
  return (from, values) => {
    values[field] = columnValue(read, from, columns[field]);
  };
}

function recordReader(
  record: AvroRecord,
  columns: SourceColumn[],
  fields: number[],
  { skips, json }: SharedReaders,
): RowReader {
  const fieldOf = new Map(fields.map((column) => [nameOf(columns[column]), column]));
  const steps = record.fields.map(({ name, type }) => {
    const column = fieldOf.get(name);
    // Of two fields of a name the last counts.
    return column === undefined
      ? { column: -1, skip: skipOf(type, skips), read: null }
      : { column, skip: null, read: valueReader(type, columns[column].type, json) };
  });
  const there = new Set(record.fields.map(({ name }) => name));
  const absent = fields.filter((column) => !there.has(nameOf(columns[column])));
  return (from, values, defaults) => {
    for (const { column, skip, read } of steps) {
      if (read === null) skip(from);
      else values[column] = columnValue(read, from, columns[column]);
    }
    for (const column of absent) values[column] = missing(column, columns[column], defaults);
  };
}

export function columnValue(read: ValueReader, from: AvroBytes, column: SourceColumn): Datum {
  try {
    return checked(
      column,
      guarded(column.name, () => read(from)),
    );
  } catch (error) {
    // What says nothing of columns was found in this one.
    if (error instanceof RowError && error.column === null) {
      throw new RowError(error.sqlstate, error.message, column.name);
    }
    throw error;
  }
}

function nameOf({ name, origin }: SourceColumn): string {
  if (origin.k !== 'field') throw new Error(`column ${name} is no field`);
  return origin.name;
}

/** The whole message has been read. */
export function checkEnd(from: AvroBytes): void {
  if (from.at !== from.end) throw malformed(`${from.end - from.at} bytes are left behind it`);
}
