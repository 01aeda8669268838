/**
 * Columns of Arrow from PostgreSQL's texts, a batch at a time: each keeps its values and which are there, and becomes Arrow's buffers with finish().
 *
 *   smallint, integer, bigint     Int16, Int32, Int64          date                        Date32
 *   oid                           Uint32                       time                        Time64, microseconds
 *   real, double precision        Float32, Float64             timestamp                   Timestamp, microseconds, no zone
 *   numeric(p,s), p up to 38      Decimal128(p, s)             timestamp with time zone    Timestamp, microseconds, UTC
 *   boolean                       Bool                         bytea                       Binary
 *   arrays                        List of these                all other                   Utf8, as PostgreSQL shows it
 *
 * A value that the column's type has no place for (an infinite date, NaN in a numeric(p,s), an array of several dimensions) is an error.
 */
import type * as Arrow from 'apache-arrow';
import { parse as parseArray } from 'postgres-array';
import type { Column } from '../type_names.ts';
import { dateDays, noPlace, timeMicros, timestampMicros } from './arrow_time.ts';

type Library = typeof Arrow;

/** The values of one column, until finish(). */
export interface ColumnBuilder {
  readonly type: Arrow.DataType;
  add(text: string | null): void;
  finish(): Arrow.Data;
}

class Validity {
  readonly #bits: number[] = [];
  length = 0;
  nulls = 0;

  add(there: boolean): void {
    if (this.length % 8 === 0) this.#bits.push(0);
    if (there) this.#bits[this.length >> 3] |= 1 << (this.length & 7);
    else this.nulls++;
    this.length++;
  }

  finish(): { length: number; nullCount: number; nullBitmap: Uint8Array } {
    const made = { length: this.length, nullCount: this.nulls, nullBitmap: Uint8Array.from(this.#bits) };
    this.#bits.length = 0;
    this.length = 0;
    this.nulls = 0;
    return made;
  }
}

type Values = Int16Array | Int32Array | Uint32Array | Float32Array | Float64Array | BigInt64Array;

/** Values of one width. */
class FixedColumn<N extends number | bigint> implements ColumnBuilder {
  readonly type: Arrow.DataType;
  readonly #library: Library;
  readonly #read: (text: string) => N;
  readonly #pack: (values: N[]) => Values;
  readonly #zero: N;
  readonly #there = new Validity();
  #values: N[] = [];

  constructor(
    library: Library,
    type: Arrow.DataType,
    zero: N,
    read: (text: string) => N,
    pack: (values: N[]) => Values,
  ) {
    this.type = type;
    this.#library = library;
    this.#zero = zero;
    this.#read = read;
    this.#pack = pack;
  }

  add(text: string | null): void {
    this.#values.push(text === null ? this.#zero : this.#read(text));
    this.#there.add(text !== null);
  }

  finish(): Arrow.Data {
    const data = this.#pack(this.#values);
    this.#values = [];
    return this.#library.makeData({
      type: this.type as Arrow.Int32,
      ...this.#there.finish(),
      data: data as Int32Array,
    });
  }
}

class BoolColumn implements ColumnBuilder {
  readonly type: Arrow.Bool;
  readonly #library: Library;
  readonly #there = new Validity();
  readonly #true = new Validity();

  constructor(library: Library) {
    this.#library = library;
    this.type = new library.Bool();
  }

  add(text: string | null): void {
    this.#there.add(text !== null);
    this.#true.add(text === 't');
  }

  finish(): Arrow.Data {
    const { nullBitmap: data } = this.#true.finish();
    return this.#library.makeData({ type: this.type, ...this.#there.finish(), data });
  }
}

/** Bytes of any length. */
class BytesColumn implements ColumnBuilder {
  readonly type: Arrow.Utf8 | Arrow.Binary;
  readonly #library: Library;
  readonly #read: (text: string) => Buffer;
  readonly #there = new Validity();
  #parts: Buffer[] = [];
  #ends = [0];

  constructor(library: Library, type: Arrow.Utf8 | Arrow.Binary, read: (text: string) => Buffer) {
    this.type = type;
    this.#library = library;
    this.#read = read;
  }

  add(text: string | null): void {
    this.#there.add(text !== null);
    const bytes = text === null ? null : this.#read(text);
    if (bytes !== null) this.#parts.push(bytes);
    this.#ends.push(this.#ends[this.#ends.length - 1] + (bytes?.length ?? 0));
  }

  finish(): Arrow.Data {
    const data = new Uint8Array(Buffer.concat(this.#parts));
    const valueOffsets = Int32Array.from(this.#ends);
    this.#parts = [];
    this.#ends = [0];
    return this.#library.makeData({ type: this.type as Arrow.Utf8, ...this.#there.finish(), valueOffsets, data });
  }
}

class ListColumn implements ColumnBuilder {
  readonly type: Arrow.List;
  readonly #library: Library;
  readonly #element: ColumnBuilder;
  readonly #name: string;
  readonly #there = new Validity();
  #ends = [0];

  constructor(library: Library, element: ColumnBuilder, name: string) {
    this.#library = library;
    this.#element = element;
    this.#name = name;
    this.type = new library.List(new library.Field('item', element.type, true));
  }

  add(text: string | null): void {
    const items = text === null ? [] : parseArray(text);
    for (const item of items) if (Array.isArray(item)) throw noPlace(text as string, this.#name);
    for (const item of items) this.#element.add(item as string | null);
    this.#there.add(text !== null);
    this.#ends.push(this.#ends[this.#ends.length - 1] + items.length);
  }

  finish(): Arrow.Data {
    const valueOffsets = Int32Array.from(this.#ends);
    this.#ends = [0];
    const child = this.#element.finish();
    return this.#library.makeData({ type: this.type, ...this.#there.finish(), valueOffsets, child });
  }
}

const MOST_DIGITS = 38;

/** Four words of 32 bits a value, the lowest first. */
function decimalWords(values: bigint[]): Uint32Array {
  const words = new Uint32Array(values.length * 4);
  values.forEach((value, i) => {
    for (let word = 0; word < 4; word++) words[i * 4 + word] = Number(BigInt.asUintN(32, value >> BigInt(32 * word)));
  });
  return words;
}

/** `-12.30` in units of its last place; all values of a column have as many. */
function decimalUnits(text: string): bigint {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw noPlace(text, 'numeric');
  return BigInt(text.replace('.', ''));
}

const bigints = (values: bigint[]) => BigInt64Array.from(values);

export function columnBuilder(library: Library, { base, type }: Pick<Column, 'base' | 'type'>): ColumnBuilder {
  if (base.endsWith('[]')) {
    const element = { base: base.slice(0, -2), type: type.slice(0, -2) };
    return new ListColumn(library, columnBuilder(library, element), base);
  }
  switch (base) {
    case 'smallint':
      return new FixedColumn(library, new library.Int16(), 0, Number, (values) => Int16Array.from(values));
    case 'integer':
      return new FixedColumn(library, new library.Int32(), 0, Number, (values) => Int32Array.from(values));
    case 'oid':
      return new FixedColumn(library, new library.Uint32(), 0, Number, (values) => Uint32Array.from(values));
    case 'bigint':
      return new FixedColumn(library, new library.Int64(), 0n, BigInt, bigints);
    case 'real':
      return new FixedColumn(library, new library.Float32(), 0, Number, (values) => Float32Array.from(values));
    case 'double precision':
      return new FixedColumn(library, new library.Float64(), 0, Number, (values) => Float64Array.from(values));
    case 'boolean':
      return new BoolColumn(library);
    case 'date':
      return new FixedColumn(library, new library.DateDay(), 0, dateDays, (values) => Int32Array.from(values));
    case 'time without time zone':
      return new FixedColumn(library, new library.TimeMicrosecond(), 0n, timeMicros, bigints);
    case 'timestamp without time zone':
      return new FixedColumn(library, new library.TimestampMicrosecond(), 0n, timestampMicros, bigints);
    case 'timestamp with time zone':
      return new FixedColumn(library, new library.TimestampMicrosecond('UTC'), 0n, timestampMicros, bigints);
    case 'bytea':
      return new BytesColumn(library, new library.Binary(), (text) => Buffer.from(text.slice(2), 'hex'));
    case 'numeric': {
      const declared = /^numeric\((\d+),(\d+)\)$/.exec(type);
      const [precision, scale] = declared === null ? [0, 0] : [Number(declared[1]), Number(declared[2])];
      if (declared === null || precision > MOST_DIGITS || scale > precision) break;
      return new FixedColumn(library, new library.Decimal(scale, precision, 128), 0n, decimalUnits, decimalWords);
    }
  }
  return new BytesColumn(library, new library.Utf8(), (text) => Buffer.from(text));
}
