/**
 * One JSON object from bytes to slots. Keys are guessed: after a key comes most often the key that came after it last time, so that a key costs
 * one comparison; else it is found by hash. Undeclared keys are remembered too, to be guessed and skipped.
 *
 * read() gives ODD for anything out of the common way; nothing is decided then, and the slow path reads the message afresh.
 */
import { BYTES, U8 } from '../../../operators/batch/memory.ts';
import { type Allocator, writeSlot } from '../../../operators/batch/slots.ts';
import { SqlError } from '../../../operators/errors.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { parseJson } from '../../../operators/expr/json/parse.ts';
import { physOf } from '../../../operators/types.ts';
import { type Columns, clear, FORM } from './columns.ts';
import { readBool, readFloat64, readInt32, readInt64, readNumeric } from './read_number.ts';
import { readRaw, readText } from './read_text.ts';
import { readDate, readTimestamp } from './read_time.ts';
import { isNull, ODD, scan, skipSpace, skipValue, WORDS } from './scan.ts';
import { datumOfJson } from './value.ts';

const MAX_KEYS = 4096;
const LONGEST_KEY = 255;

interface KnownKey {
  /** UTF-8 of the name and the closing quote. */
  bytes: Uint8Array;
  /** The same, four bytes at a time, little endian; `mask` has the bytes of the last word that count. */
  words: Int32Array;
  mask: number;
  hash: number;
  /** Column, or -1 for an undeclared key. */
  column: number;
}

export class FastRow {
  readonly #columns: Columns;
  readonly #keys: KnownKey[] = [];
  readonly #byHash = new Map<number, number>();
  /** Key that followed key k last time; the last element is for the first key of an object. */
  readonly #next = new Int32Array(MAX_KEYS + 1).fill(-1);
  readonly #seen: Float64Array;
  #generation = 0;

  /** Reads the columns of `fields` (positions) and skips all other keys. */
  constructor(columns: Columns, fields: number[]) {
    this.#columns = columns;
    this.#seen = new Float64Array(columns.all.length);
    for (const column of fields) {
      const { origin } = columns.all[column];
      if (origin.k === 'field') this.#addKey(Buffer.from(`${origin.name}"`, 'utf8'), column);
    }
  }

  #addKey(bytes: Uint8Array, column: number): number {
    let hash = 0;
    for (let i = 0; i < bytes.length - 1; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
    const index = this.#keys.length;
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    const words = new Int32Array(padded.buffer);
    const mask = -1 >>> ((padded.length - bytes.length) * 8);
    this.#keys.push({ bytes: Uint8Array.from(bytes), words, mask: mask | 0, hash, column });
    if (!this.#byHash.has(hash)) this.#byHash.set(hash, index);
    return index;
  }

  /** True when the object read last had this column. */
  has(column: number): boolean {
    return this.#seen[column] === this.#generation;
  }

  /** Reads the object at `p` into row `row`; the address behind it, or ODD. */
  read(p: number, row: number, allocator: Allocator, ctx: EvalContext): number {
    this.#generation++;
    if (U8[p] !== 123) return ODD;
    p = skipSpace(p + 1);
    if (U8[p] === 125) return p + 1;
    let previous = MAX_KEYS;
    for (;;) {
      if (U8[p] !== 34) return ODD;
      const guess = this.#next[previous];
      let end = guess < 0 ? ODD : this.#match(p + 1, guess);
      let key = guess;
      if (end === ODD) {
        key = this.#find(p + 1);
        if (key < 0) return ODD;
        end = p + 1 + this.#keys[key].bytes.length;
        this.#next[previous] = key;
      }
      p = U8[end] === 58 ? end : skipSpace(end);
      if (U8[p] !== 58) return ODD;
      p++;
      if (U8[p] <= 32) p = skipSpace(p);
      const column = this.#keys[key].column;
      p = column < 0 ? skipValue(p) : this.readColumn(column, p, row, allocator, ctx);
      if (p === ODD) return ODD;
      if (U8[p] <= 32) p = skipSpace(p);
      const c = U8[p++];
      if (c === 125) return p;
      if (c !== 44) return ODD;
      if (U8[p] <= 32) p = skipSpace(p);
      previous = key;
    }
  }

  /** Behind the closing quote when the key at p is key `index`. */
  #match(p: number, index: number): number {
    const { words, mask, bytes } = this.#keys[index];
    const last = words.length - 1;
    for (let i = 0; i < last; i++) if (WORDS.getInt32(p + i * 4, true) !== words[i]) return ODD;
    return (WORDS.getInt32(p + last * 4, true) & mask) === words[last] ? p + bytes.length : ODD;
  }

  /** The key at p; a new one is remembered. -1 for escaped, overlong or too many keys. */
  #find(p: number): number {
    let hash = 0;
    let end = p;
    for (let c = U8[end]; c !== 34; c = U8[++end]) {
      if (c === 92 || c < 32 || end - p > LONGEST_KEY) return -1;
      if (c > 127) scan.high = true;
      hash = Math.imul(hash ^ c, 0x01000193);
    }
    const known = this.#byHash.get(hash);
    if (known !== undefined && this.#match(p, known) !== ODD) return known;
    for (let i = 0; known !== undefined && i < this.#keys.length; i++) {
      if (this.#keys[i].hash === hash && this.#match(p, i) !== ODD) return i;
    }
    if (this.#keys.length === MAX_KEYS) return -1;
    return this.#addKey(U8.subarray(p, end + 1), -1);
  }

  /** Reads one value into the column's slot of this row. */
  readColumn(column: number, p: number, row: number, allocator: Allocator, ctx: EvalContext): number {
    const columns = this.#columns;
    const slot = columns.data[column] + row * columns.step[column];
    const valid = columns.valid[column] + row * columns.validStep[column];
    this.#seen[column] = this.#generation;
    if (U8[p] === 110) {
      if (!isNull(p) || columns.all[column].notNull) return ODD;
      clear(slot, columns.width[column]);
      U8[valid] = 0;
      return p + 4;
    }
    U8[valid] = 1;
    switch (columns.form[column]) {
      case FORM.bool:
        return readBool(p, slot);
      case FORM.int2:
        return readInt32(p, slot, -32768, 32767);
      case FORM.int4:
        return readInt32(p, slot, -2147483648, 2147483647);
      case FORM.int8:
        return readInt64(p, slot);
      case FORM.float8:
        return readFloat64(p, slot);
      case FORM.numeric:
        return readNumeric(p, slot, columns.precision[column], columns.scale[column]);
      case FORM.text:
        return readText(p, slot);
      case FORM.json:
        return readRaw(p, slot);
      case FORM.date:
        return readDate(p, slot);
      case FORM.timestamp:
        return readTimestamp(p, slot, false);
      case FORM.timestamptz:
        return readTimestamp(p, slot, true);
      default:
        return this.#readOther(column, p, slot, allocator, ctx);
    }
  }

  #readOther(column: number, p: number, slot: number, allocator: Allocator, ctx: EvalContext): number {
    const end = skipValue(p);
    if (end === ODD) return ODD;
    const text = BYTES.utf8Slice(p, end);
    const { type } = this.#columns.all[column];
    try {
      clear(slot, this.#columns.width[column]);
      writeSlot(physOf(type.oid), type.oid, slot, datumOfJson(parseJson(text), text, type, ctx), allocator);
    } catch (error) {
      if (error instanceof SqlError) return ODD;
      throw error;
    }
    return end;
  }
}
