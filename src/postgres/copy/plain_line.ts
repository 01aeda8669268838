/**
 * Lines of COPY text whose fields are what most are, read without a JavaScript value of each:
 *
 *   17 \t -4 \t some text \t \N      bytes of the line -> slots of the batch
 *
 * Whole numbers of up to 15 digits, texts without a backslash, NULL as \N; fields of other types go through their type's input. Any other line is left to text_decoder.ts, and so is
 * every error: which of several comes first depends on what lies behind. Cost: some nanoseconds a byte; values, and the garbage that they are, cost ten times as much.
 */
import { isUtf8 } from 'node:buffer';
import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import { BYTES, I32, U8 } from '../../../operators/batch/memory.ts';
import { pointVarlen } from '../../../operators/batch/slots.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { OID } from '../../../operators/types.ts';
import type { CopyOptions, ResultColumn } from '../../engine.ts';

const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const BACKSLASH = 92;
const CAPITAL_N = 78;
/** So many digits are a number of JavaScript without loss. */
const MOST_DIGITS = 15;
/** No field. */
const ODD = -1;

type Input = (field: string, column: ResultColumn) => Datum;

type Kind = 'small' | 'bigint' | 'text' | 'other';

export class PlainLine {
  readonly #columns: ResultColumn[];
  readonly #kinds: Kind[];
  /** Largest value of whole numbers of up to 32 bits. */
  readonly #most: number[];
  readonly #delimiter: number;
  readonly #input: Input;
  /** The number that was read last. */
  #number = 0;

  /** Null where no line is plain. `input`: the value of a field, or an error. */
  static of(
    columns: ResultColumn[],
    { format, null: nullText, delimiter }: CopyOptions,
    input: Input,
  ): PlainLine | null {
    if (format !== 'text' || nullText !== '\\N' || columns.length === 0) return null;
    // A minus would be a sign.
    return delimiter === '-' ? null : new PlainLine(columns, delimiter.charCodeAt(0), input);
  }

  private constructor(columns: ResultColumn[], delimiter: number, input: Input) {
    this.#columns = columns;
    this.#delimiter = delimiter;
    this.#input = input;
    this.#kinds = columns.map(({ type: { oid, typmod } }) => {
      if (oid === OID.int2 || oid === OID.int4) return 'small';
      if (oid === OID.int8) return 'bigint';
      return oid === OID.text || (oid === OID.varchar && typmod === -1) ? 'text' : 'other';
    });
    this.#most = columns.map(({ type }) => (type.oid === OID.int2 ? 0x7fff : 0x7fffffff));
  }

  /** Adds the row of the line that lies from `start` to `end`; false, and there is none, where it is not plain. */
  read(data: Buffer, start: number, end: number, rows: BatchBuilder): boolean {
    const row = rows.addRow(1);
    let at = start;
    for (let c = 0; c < this.#kinds.length && at !== ODD; c++) {
      if (c > 0 && (at >= end || data[at++] !== this.#delimiter)) at = ODD;
      else if (data[at] === BACKSLASH && at < end) at = this.#null(data, at, end, rows, c, row);
      else at = this.#field(data, at, end, rows, c, row);
    }
    if (at === end) return true;
    rows.dropRow();
    return false;
  }

  #null(data: Buffer, at: number, end: number, rows: BatchBuilder, column: number, row: number): number {
    if (at + 2 > end || data[at + 1] !== CAPITAL_N) return ODD;
    rows.setNull(column, row);
    return at + 2;
  }

  /** Gives where the field ends, which the delimiter or the end of the line must follow; ODD: somebody else is to look at it. */
  #field(data: Buffer, at: number, end: number, rows: BatchBuilder, c: number, row: number): number {
    const column = rows.columns[c];
    switch (this.#kinds[c]) {
      case 'small': {
        const after = this.#whole(data, at, end);
        if (after === ODD || this.#number > this.#most[c] || this.#number < -this.#most[c] - 1) return ODD;
        I32[(column.data >>> 2) + row] = this.#number;
        U8[column.valid + row] = 1;
        return after;
      }
      case 'bigint': {
        const after = this.#whole(data, at, end);
        if (after === ODD) return ODD;
        const high = Math.floor(this.#number / 0x100000000);
        const word = (column.data >>> 2) + row * 2;
        I32[word] = this.#number - high * 0x100000000;
        I32[word + 1] = high;
        U8[column.valid + row] = 1;
        return after;
      }
      case 'text': {
        const after = this.#textEnd(data, at, end);
        if (after === ODD) return ODD;
        const length = after - at;
        const address = rows.arena.alloc(length);
        if (length <= 16) for (let i = 0; i < length; i++) U8[address + i] = data[at + i];
        else data.copy(BYTES, address, at, after);
        pointVarlen(column.data + row * 16, address, length);
        // Short ones lie in their slots.
        if (length <= 12) rows.arena.trim(address, length, 0);
        U8[column.valid + row] = 1;
        return after;
      }
      case 'other': {
        const after = this.#asciiEnd(data, at, end);
        return after !== ODD && this.#other(data.latin1Slice(at, after), rows, c, row) ? after : ODD;
      }
    }
  }

  #other(field: string, rows: BatchBuilder, c: number, row: number): boolean {
    try {
      rows.setDatum(c, row, this.#input(field, this.#columns[c]));
      return true;
    } catch (cause) {
      if (cause instanceof SqlError) return false;
      throw cause;
    }
  }

  /** Where the digits end. */
  #whole(data: Buffer, start: number, end: number): number {
    const first = data[start] === MINUS ? start + 1 : start;
    let at = first;
    let n = 0;
    for (; at < end; at++) {
      const byte = data[at];
      if (byte < ZERO || byte > NINE) break;
      n = n * 10 + byte - ZERO;
    }
    if (at === first || at - first > MOST_DIGITS) return ODD;
    this.#number = first === start ? n : -n;
    return at;
  }

  #textEnd(data: Buffer, start: number, end: number): number {
    const delimiter = this.#delimiter;
    let seen = 0;
    let at = start;
    for (; at < end; at++) {
      const byte = data[at];
      if (byte === delimiter) break;
      if (byte === BACKSLASH || byte === 0) return ODD;
      seen |= byte;
    }
    return seen < 0x80 || isUtf8(data.subarray(start, at)) ? at : ODD;
  }

  #asciiEnd(data: Buffer, start: number, end: number): number {
    const delimiter = this.#delimiter;
    let at = start;
    for (; at < end; at++) {
      const byte = data[at];
      if (byte === delimiter) break;
      if (byte === BACKSLASH || byte === 0 || byte > 0x7f) return ODD;
    }
    return at;
  }
}
