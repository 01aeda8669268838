/**
 * Text and binary of ranges and multiranges, and their orders.
 *
 *   range       flags (1 byte: 1 empty, 2 and 4 lower and upper bound inclusive, 8 and 16 without one), then each bound there is: length, its binary form
 *   multirange  how many ranges, then each: length, the range
 */
import type { Datum, PgMultirange, PgRange } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { colType } from '../../types.ts';
import { registerCompare } from '../compare.ts';
import type { EvalContext } from '../ir.ts';
import { compareMultiranges, makeMultirange } from '../range/multirange.ts';
import { multirangeText, parseMultirange, parseRange, rangeText } from '../range/text.ts';
import { compareRanges, emptyRange, makeRange } from '../range/value.ts';
import { RANGE_TYPES } from '../range_types.ts';
import { inputBinary, inputText, outputBinary, outputText, registerIo } from './registry.ts';

const EMPTY = 1;
const LOWER_INC = 2;
const UPPER_INC = 4;
const NO_LOWER = 8;
const NO_UPPER = 16;
/** Flags that PostgreSQL had, and takes for no bound. */
const NULL_LOWER = 32;
const NULL_UPPER = 64;

/** Values one behind the other, each with its length before it. */
class Parts {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  take(n: number): number {
    if (n < 0 || n > this.#bytes.length - this.#at) {
      throw new SqlError('08P01', 'insufficient data left in message');
    }
    this.#at += n;
    return this.#at - n;
  }

  byte(): number {
    return this.#view.getUint8(this.take(1));
  }

  int(): number {
    return this.#view.getInt32(this.take(4));
  }

  part(): Uint8Array {
    const length = this.int();
    const from = this.take(length);
    return this.#bytes.subarray(from, from + length);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new SqlError('22P03', 'incorrect binary data format');
  }
}

function withLengths(head: Uint8Array, parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + 4 + part.length, head.length));
  const view = new DataView(out.buffer);
  out.set(head);
  let at = head.length;
  for (const part of parts) {
    view.setInt32(at, part.length);
    out.set(part, at + 4);
    at += 4 + part.length;
  }
  return out;
}

function receiveRange(bytes: Uint8Array, sub: number): PgRange {
  const parts = new Parts(bytes);
  const flags = parts.byte();
  const bound = (absent: number): Datum => ((flags & (EMPTY | absent)) !== 0 ? null : inputBinary(parts.part(), sub));
  const lower = bound(NO_LOWER | NULL_LOWER);
  const upper = bound(NO_UPPER | NULL_UPPER);
  parts.end();
  if ((flags & EMPTY) !== 0) return emptyRange(sub);
  return makeRange(
    sub,
    { value: lower, inclusive: (flags & LOWER_INC) !== 0, lower: true },
    { value: upper, inclusive: (flags & UPPER_INC) !== 0, lower: false },
  );
}

function sendRange(r: PgRange): Uint8Array {
  if (r.empty) return Uint8Array.of(EMPTY);
  const flags =
    (r.lower === null ? NO_LOWER : r.lowerInc ? LOWER_INC : 0) |
    (r.upper === null ? NO_UPPER : r.upperInc ? UPPER_INC : 0);
  const bounds = [r.lower, r.upper].filter((bound) => bound !== null);
  return withLengths(
    Uint8Array.of(flags),
    bounds.map((bound) => outputBinary(bound, r.sub)),
  );
}

function receiveMultirange(bytes: Uint8Array, sub: number): PgMultirange {
  const parts = new Parts(bytes);
  const ranges: PgRange[] = [];
  for (let left = parts.int() >>> 0; left > 0; left--) ranges.push(receiveRange(parts.part(), sub));
  parts.end();
  return makeMultirange(sub, ranges);
}

function sendMultirange({ ranges }: PgMultirange): Uint8Array {
  const count = new Uint8Array(4);
  new DataView(count.buffer).setInt32(0, ranges.length);
  return withLengths(count, ranges.map(sendRange));
}

for (const { oid, multirange, sub } of RANGE_TYPES) {
  const read = (ctx: EvalContext) => (text: string) => inputText(text, colType(sub), ctx);
  const write = (ctx: EvalContext) => (bound: Datum) => outputText(bound, sub, ctx);
  registerIo(oid, {
    in: (text, ctx) => parseRange(text, sub, read(ctx)),
    out: (r: PgRange, ctx) => rangeText(r, write(ctx)),
    recv: (bytes) => receiveRange(bytes, sub),
    send: sendRange,
  });
  registerIo(multirange, {
    in: (text, ctx) => parseMultirange(text, sub, read(ctx)),
    out: (m: PgMultirange, ctx) => multirangeText(m, write(ctx)),
    recv: (bytes) => receiveMultirange(bytes, sub),
    send: sendMultirange,
  });
  registerCompare(oid, compareRanges);
  registerCompare(multirange, compareMultiranges);
}
