/**
 * Rows as a Parquet file: gathered to row groups, each written when it is full (hyparquet-writer), its bytes given on.
 *
 *   bool · int2, int4 · int8 · float4 · float8     as they are           numeric(p, s), p up to 38   DECIMAL(p, s)
 *   date · time · timestamp · timestamptz          DATE, microseconds; isAdjustedToUTC for timestamptz alone
 *   uuid · bytea · json, jsonb                     UUID, bytes, JSON     arrays of these             LIST
 *   any other, numeric without a precision among them                    STRING: its text
 *
 * What a type has and Parquet's has not (infinity, NaN of a numeric(p, s), arrays of more dimensions) is an error that names the column and the row.
 */
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import {
  DATE_INFINITY,
  DATE_NEG_INFINITY,
  type Datum,
  type Decimal,
  type PgArray,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEG_INFINITY,
} from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { elementType, isArrayType } from '../../operators/expr/array_types.ts';
import { EPOCH_DIFF_DAYS, EPOCH_DIFF_MICROS } from '../../operators/expr/datetime/calendar.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';

/** Of a row group, whatever comes first. */
const GROUP_ROWS = 122_880;
const GROUP_BYTES = 64 << 20;
const MOST_DIGITS = 38;
/** Digits that fit in 64 bits. */
const SHORT_DIGITS = 18;

/** What a type is in the file, and its values there. */
interface Form {
  element: Omit<SchemaElement, 'name'>;
  /** Throws SqlError 22003 for what does not fit. */
  value(datum: Exclude<Datum, null>): unknown;
  /** About, for the size of a group. */
  bytes(value: unknown): number;
}

export interface WrittenColumn {
  name: string;
  type: ColType;
}

export class ParquetRows {
  readonly #columns: WrittenColumn[];
  readonly #forms: Form[];
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;
  #values: unknown[][];
  #size = 0;
  /** Rows that were added. */
  #rows = 0;

  constructor(columns: WrittenColumn[], context: EvalContext) {
    if (columns.length === 0) throw new SqlError('0A000', 'a Parquet file needs a column');
    const twice = columns.find(({ name }, i) => columns.findIndex((other) => other.name === name) < i);
    if (twice !== undefined) {
      throw new SqlError('42701', `column "${twice.name}" is there more than once`, {
        hint: 'Columns of a Parquet file are known by their names. Give it another one with AS.',
      });
    }
    this.#columns = columns;
    this.#forms = columns.map(({ type }) => formOf(type, context));
    this.#values = columns.map(() => []);
    const schema = columns.flatMap(({ name, type }, i) => elementsOf(name, type, this.#forms[i]));
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: [{ name: 'schema', num_children: columns.length }, ...schema],
      createdBy: 'tidemark',
    });
  }

  /** Throws SqlError for what the file cannot have. */
  add(row: Datum[]): void {
    this.#rows++;
    this.#forms.forEach((form, i) => {
      const datum = row[i];
      let value: unknown = null;
      try {
        if (datum !== null)
          value = isArrayType(this.#columns[i].type.oid) ? itemsOf(datum as PgArray, form) : form.value(datum);
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        throw new SqlError(error.sqlstate, `column "${this.#columns[i].name}", row ${this.#rows}: ${error.message}`);
      }
      this.#values[i].push(value);
      this.#size += sizeOf(value, form);
    });
    if (this.#values[0].length >= GROUP_ROWS || this.#size >= GROUP_BYTES) this.#endGroup();
  }

  #endGroup(): void {
    const rows = this.#values[0].length;
    if (rows === 0) return;
    const columnData = this.#columns.map(({ name }, i) => ({ name, data: this.#values[i] as never }));
    void this.#writer.write({ columnData, rowGroupSize: rows });
    this.#values = this.#columns.map(() => []);
    this.#size = 0;
  }

  /** The bytes of groups that are written; null: none since the last call. Good until the next add(). */
  take(): Uint8Array | null {
    if (this.#bytes.index === 0) return null;
    const bytes = this.#bytes.getBytes();
    this.#bytes.index = 0;
    return bytes;
  }

  /** The rest: the last group and the footer. */
  end(): void {
    this.#endGroup();
    void this.#writer.finish();
  }
}

function sizeOf(value: unknown, form: Form): number {
  if (value === null) return 1;
  return Array.isArray(value) ? value.reduce((sum: number, item) => sum + sizeOf(item, form), 8) : form.bytes(value);
}

function itemsOf(array: PgArray, form: Form): unknown[] {
  if (array.dims.length > 1) throw new SqlError('0A000', `an array of ${array.dims.length} dimensions is no list`);
  return array.items.map((item) => (item === null ? null : form.value(item)));
}

function elementsOf(name: string, { oid }: ColType, { element }: Form): SchemaElement[] {
  if (!isArrayType(oid)) return [{ name, repetition_type: 'OPTIONAL', ...element }];
  return [
    { name, repetition_type: 'OPTIONAL', converted_type: 'LIST', logical_type: { type: 'LIST' }, num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', ...element },
  ];
}

function fixed(bytes: number): Form['bytes'] {
  return () => bytes;
}

const long: Form['bytes'] = (value) => (value as Uint8Array | string).length + 8;

function formOf(type: ColType, context: EvalContext): Form {
  if (isArrayType(type.oid)) return formOf(colType(elementType(type.oid), type.typmod), context);
  const { oid } = type;
  switch (oid) {
    case OID.bool:
      return { element: { type: 'BOOLEAN' }, value: (datum) => datum, bytes: fixed(1) };
    case OID.int2:
      return { element: { type: 'INT32', converted_type: 'INT_16' }, value: Number, bytes: fixed(4) };
    case OID.int4:
      return { element: { type: 'INT32' }, value: (datum) => datum, bytes: fixed(4) };
    case OID.int8:
      return { element: { type: 'INT64' }, value: (datum) => datum, bytes: fixed(8) };
    case OID.float4:
      return { element: { type: 'FLOAT' }, value: (datum) => datum, bytes: fixed(4) };
    case OID.float8:
      return { element: { type: 'DOUBLE' }, value: (datum) => datum, bytes: fixed(8) };
    case OID.date: {
      const element: Form['element'] = { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } };
      return { element, value: (datum) => finite(datum as number) + EPOCH_DIFF_DAYS, bytes: fixed(4) };
    }
    case OID.time: {
      const logical = { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' } as const;
      return { element: { type: 'INT64', logical_type: logical }, value: (datum) => datum, bytes: fixed(8) };
    }
    case OID.timestamp:
    case OID.timestamptz: {
      const logical = { type: 'TIMESTAMP', isAdjustedToUTC: oid === OID.timestamptz, unit: 'MICROS' } as const;
      const value = (datum: Datum) => finite(datum as bigint) + EPOCH_DIFF_MICROS;
      return { element: { type: 'INT64', logical_type: logical }, value, bytes: fixed(8) };
    }
    case OID.bytea:
      return { element: { type: 'BYTE_ARRAY' }, value: (datum) => datum, bytes: long };
    case OID.uuid: {
      const element: Form['element'] = {
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: 16,
        logical_type: { type: 'UUID' },
      };
      return { element, value: (datum) => outputText(datum, oid, context), bytes: fixed(16) };
    }
    case OID.json:
    case OID.jsonb: {
      const value = (datum: Datum) => Buffer.from(outputText(datum as Exclude<Datum, null>, oid, context));
      return { element: { type: 'BYTE_ARRAY', logical_type: { type: 'JSON' } }, value, bytes: long };
    }
    case OID.numeric:
      return decimalForm(type.typmod) ?? textForm(oid, context);
    default:
      return textForm(oid, context);
  }
}

function textForm(oid: number, context: EvalContext): Form {
  const element: Form['element'] = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
  return { element, value: (datum) => outputText(datum, oid, context), bytes: long };
}

/** Null where the type says no digits, or more than Parquet's readers take. */
function decimalForm(typmod: number): Form | null {
  if (typmod < 0) return null;
  const precision = ((typmod - 4) >> 16) & 0xffff;
  const scale = (((typmod - 4) & 0x7ff) ^ 1024) - 1024;
  if (precision > MOST_DIGITS || scale < 0 || scale > precision) return null;
  const short = precision <= SHORT_DIGITS;
  return {
    element: {
      ...(short ? { type: 'INT64' } : { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16 }),
      converted_type: 'DECIMAL',
      logical_type: { type: 'DECIMAL', precision, scale },
      precision,
      scale,
    },
    value(datum) {
      const { m, s, special } = datum as Decimal;
      if (special !== undefined) throw new SqlError('22003', `${special} is no decimal number of a Parquet file`);
      if (s > scale)
        throw new SqlError('22003', `a number has ${s} digits behind the point, and its type has ${scale}`);
      return m * 10n ** BigInt(scale - s);
    },
    bytes: fixed(short ? 8 : 16),
  };
}

function finite<T extends number | bigint>(value: T): T {
  if (
    value !== TIMESTAMP_INFINITY &&
    value !== DATE_INFINITY &&
    value !== TIMESTAMP_NEG_INFINITY &&
    value !== DATE_NEG_INFINITY
  )
    return value;
  throw new SqlError('22008', `${value < 0 ? '-' : ''}infinity is no time of a Parquet file`);
}
