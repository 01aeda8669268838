/** Rows of one kind of message: which field goes to which column, found once. Fields that no column has are skipped, columns without a field have their DEFAULT. */
import type { Datum } from '../../../operators/datum.ts';
import type { Defaults } from '../defaults.ts';
import type { SourceColumn } from '../format.ts';
import { checked, guarded, missing, RowError } from '../row_error.ts';
import type { ProtobufBytes } from './bytes.ts';
import { JsonTexts } from './json_text.ts';
import { type Found, Scan } from './scan.ts';
import type { Field, Message } from './schema.ts';
import { type ValueReader, valueReader } from './value.ts';

export type RowReader = (from: ProtobufBytes, values: Datum[], defaults: Defaults) => void;

/** `fields`: positions of the columns that the message has. */
export function rowReader(message: Message, columns: SourceColumn[], fields: number[]): RowReader {
  const byName = new Map(message.fields.map((field) => [field.name, field]));
  const wanted: Field[] = [];
  const texts = new JsonTexts();
  const steps = fields.map((column) => {
    const field = byName.get(fieldName(columns[column]));
    if (field === undefined) return { column, place: -1, read: null };
    wanted.push(field);
    return { column, place: wanted.length - 1, read: valueReader(field, columns[column].type, texts) };
  });
  const scan = new Scan(message, wanted);
  return (from, values, defaults) => {
    const found = scan.scan(from);
    for (const { column, place, read } of steps) {
      const to = columns[column];
      const value = read === null ? undefined : columnValue(read, from, found[place], to);
      values[column] = value === undefined ? missing(column, to, defaults) : value;
    }
  };
}

/** Undefined: it is not there. */
export function columnValue(
  read: ValueReader,
  from: ProtobufBytes,
  found: Found,
  column: SourceColumn,
): Datum | undefined {
  try {
    const value = guarded(column.name, () => read(from, found));
    return value === undefined ? undefined : checked(column, value);
  } catch (error) {
    // What says nothing of columns was found in this one.
    if (error instanceof RowError && error.column === null) {
      throw new RowError(error.sqlstate, error.message, column.name);
    }
    throw error;
  }
}

export function fieldName({ name, origin }: SourceColumn): string {
  if (origin.k !== 'field') throw new Error(`column ${name} is no field`);
  return origin.name;
}
