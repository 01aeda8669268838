/**
 * Arrays, records and ranges as bytes of a varlen slot: a small tagged encoding, little endian. One value has one encoding; values that are equal but look different, for numeric
 * items keep their scale, have several (state/equal_values.ts).
 *
 *   range       tag | type and flags: 1 byte | lower bound, unless there is none | upper bound, likewise       an int4range or daterange: 12 bytes at most, all of them in the slot
 *   multirange  tag | type: 1 byte | how many | each without its tag
 */
import {
  type Datum,
  decimal,
  interval,
  type PgArray,
  type PgMultirange,
  type PgRange,
  type PgRecord,
} from '../datum.ts';
import { RANGE_TYPES } from '../expr/range_types.ts';
import * as tags from '../kernels/composite_layout.ts';
import { BYTES } from './memory.ts';

/** Flags of a range; its place in RANGE_TYPES is above them. */
const EMPTY = 1;
const LOWER = 2;
const UPPER = 4;
const LOWER_INC = 8;
const UPPER_INC = 16;
const TYPE_SHIFT = 5;

const typeBits = (sub: number) => RANGE_TYPES.findIndex((type) => type.sub === sub) << TYPE_SHIFT;

class Writer {
  #buffer = Buffer.allocUnsafe(256);
  #at = 0;

  #room(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#buffer.length) {
      const bigger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, at + bytes));
      this.#buffer.copy(bigger, 0, 0, at);
      this.#buffer = bigger;
    }
    this.#at = at + bytes;
    return at;
  }

  byte(value: number): void {
    const at = this.#room(1);
    this.#buffer[at] = value;
  }

  int(value: number): void {
    const at = this.#room(4);
    this.#buffer.writeInt32LE(value | 0, at);
  }

  big(value: bigint): void {
    const at = this.#room(8);
    this.#buffer.writeBigInt64LE(value, at);
  }

  float(value: number): void {
    const at = this.#room(8);
    this.#buffer.writeDoubleLE(value, at);
  }

  bytes(value: Uint8Array): void {
    this.int(value.length);
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
  }

  done(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  datum(value: Datum): void {
    if (value === null) this.byte(tags.TAG_NULL);
    else if (typeof value === 'boolean') this.byte(value ? tags.TAG_TRUE : tags.TAG_FALSE);
    else if (typeof value === 'number') {
      if (Number.isInteger(value) && value >= -2147483648 && value <= 2147483647 && !Object.is(value, -0)) {
        this.byte(tags.TAG_INT);
        this.int(value);
      } else {
        this.byte(tags.TAG_FLOAT);
        this.float(value);
      }
    } else if (typeof value === 'bigint') {
      this.byte(tags.TAG_BIGINT);
      this.big(value);
    } else if (typeof value === 'string') {
      this.byte(tags.TAG_TEXT);
      this.bytes(Buffer.from(value, 'utf8'));
    } else if (value instanceof Uint8Array) {
      this.byte(tags.TAG_BYTES);
      this.bytes(value);
    } else if (value.k === 'dec') {
      this.byte(tags.TAG_NUMERIC);
      this.int(value.s);
      this.bytes(Buffer.from(value.special ?? value.m.toString(), 'latin1'));
    } else if (value.k === 'interval') {
      this.byte(tags.TAG_INTERVAL);
      this.int(value.months);
      this.int(value.days);
      this.big(value.micros);
    } else if (value.k === 'array') {
      this.byte(tags.TAG_ARRAY);
      this.int(value.elem);
      this.int(value.dims.length);
      for (const dim of value.dims) this.int(dim);
      for (const lower of value.lower) this.int(lower);
      for (const item of value.items) this.datum(item);
    } else if (value.k === 'record') {
      this.byte(tags.TAG_RECORD);
      this.int(value.values.length);
      for (let i = 0; i < value.values.length; i++) {
        this.int(value.types[i]);
        this.datum(value.values[i]);
      }
    } else if (value.k === 'range') {
      this.byte(tags.TAG_RANGE);
      this.#range(value);
    } else {
      this.byte(tags.TAG_MULTIRANGE);
      this.byte(typeBits(value.sub));
      this.int(value.ranges.length);
      for (const range of value.ranges) this.#range(range);
    }
  }

  #range({ sub, empty, lower, upper, lowerInc, upperInc }: PgRange): void {
    const bounds = (lower === null ? 0 : LOWER) | (upper === null ? 0 : UPPER);
    this.byte(typeBits(sub) | (empty ? EMPTY : 0) | bounds | (lowerInc ? LOWER_INC : 0) | (upperInc ? UPPER_INC : 0));
    if (lower !== null) this.datum(lower);
    if (upper !== null) this.datum(upper);
  }
}

class Reader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }

  int(): number {
    const value = this.#buffer.readInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  #big(): bigint {
    const value = this.#buffer.readBigInt64LE(this.#at);
    this.#at += 8;
    return value;
  }

  /** Passes over bytes with their length before them; gives where they begin. */
  #bytes(): number {
    const length = this.int();
    const start = this.#at;
    this.#at += length;
    return start;
  }

  /** The head of a record; gives how many fields it has. */
  record(): number {
    if (this.#buffer[this.#at++] !== tags.TAG_RECORD) throw new Error(`no record at ${this.#at - 1}`);
    return this.int();
  }

  datum(): Datum {
    switch (this.#buffer[this.#at++]) {
      case tags.TAG_NULL:
        return null;
      case tags.TAG_FALSE:
        return false;
      case tags.TAG_TRUE:
        return true;
      case tags.TAG_INT:
        return this.int();
      case tags.TAG_BIGINT:
        return this.#big();
      case tags.TAG_FLOAT: {
        const value = this.#buffer.readDoubleLE(this.#at);
        this.#at += 8;
        return value;
      }
      case tags.TAG_TEXT:
        return this.#buffer.utf8Slice(this.#bytes(), this.#at);
      case tags.TAG_BYTES:
        return new Uint8Array(this.#buffer.subarray(this.#bytes(), this.#at));
      case tags.TAG_NUMERIC: {
        const scale = this.int();
        const text = this.#buffer.latin1Slice(this.#bytes(), this.#at);
        if (text === 'NaN' || text === 'Infinity' || text === '-Infinity')
          return { k: 'dec', m: 0n, s: 0, special: text };
        return decimal(BigInt(text), scale);
      }
      case tags.TAG_INTERVAL: {
        const months = this.int();
        const days = this.int();
        return interval(months, days, this.#big());
      }
      case tags.TAG_ARRAY:
        return this.#array();
      case tags.TAG_RECORD:
        return this.#record();
      case tags.TAG_RANGE:
        return this.#range();
      case tags.TAG_MULTIRANGE:
        return this.#multirange();
      default:
        throw new Error(`damaged composite value: tag ${this.#buffer[this.#at - 1]} at ${this.#at - 1}`);
    }
  }

  #array(): PgArray {
    const elem = this.int();
    const depth = this.int();
    const dims: number[] = [];
    const lower: number[] = [];
    for (let i = 0; i < depth; i++) dims.push(this.int());
    for (let i = 0; i < depth; i++) lower.push(this.int());
    let count = depth === 0 ? 0 : 1;
    for (const dim of dims) count *= dim;
    const items: Datum[] = [];
    for (let i = 0; i < count; i++) items.push(this.datum());
    return { k: 'array', elem, dims, lower, items };
  }

  #record(): PgRecord {
    const count = this.int();
    const types: number[] = [];
    const values: Datum[] = [];
    for (let i = 0; i < count; i++) {
      types.push(this.int());
      values.push(this.datum());
    }
    return { k: 'record', types, values };
  }

  #range(): PgRange {
    const flags = this.#buffer[this.#at++];
    return {
      k: 'range',
      sub: RANGE_TYPES[flags >> TYPE_SHIFT].sub,
      empty: (flags & EMPTY) !== 0,
      lower: (flags & LOWER) === 0 ? null : this.datum(),
      upper: (flags & UPPER) === 0 ? null : this.datum(),
      lowerInc: (flags & LOWER_INC) !== 0,
      upperInc: (flags & UPPER_INC) !== 0,
    };
  }

  #multirange(): PgMultirange {
    const { sub } = RANGE_TYPES[this.#buffer[this.#at++] >> TYPE_SHIFT];
    const count = this.int();
    const ranges: PgRange[] = [];
    for (let i = 0; i < count; i++) ranges.push(this.#range());
    return { k: 'multirange', sub, ranges };
  }
}

/** Bytes of an array, record or range (any datum works). */
export function encodeComposite(value: Datum): Uint8Array {
  const writer = new Writer();
  writer.datum(value);
  return writer.done();
}

/** The value whose bytes lie at an address. */
export function decodeCompositeAt(address: number): Datum {
  return new Reader(BYTES, address).datum();
}

/**
 * The order of the records at two addresses, field by field and no further than the first that differs; null where they are not of like fields. A NULL comes after what is
 * none.
 */
export function compareRecordsAt(
  a: number,
  b: number,
  compare: (x: Datum, y: Datum, oid: number) => number,
): number | null {
  const [left, right] = [new Reader(BYTES, a), new Reader(BYTES, b)];
  const fields = left.record();
  if (fields !== right.record()) return null;
  for (let i = 0; i < fields; i++) {
    const type = left.int();
    if (type !== right.int()) return null;
    const x = left.datum();
    const y = right.datum();
    const order = x === null || y === null ? Number(x === null) - Number(y === null) : compare(x, y, type);
    if (order !== 0) return order;
  }
  return 0;
}
