/**
 * The bytes of one message, read from the front. Every read is checked against the end; what is malformed throws SqlError 22P03.
 *
 *   long    zigzag varint into lo and hi, the two halves of the 64 bits
 *   blocks  of arrays and maps: a count of items; a negative one is followed by the block's length in bytes
 *
 * Hostile input: an item may have no bytes at all (null, an empty record), so a few bytes could claim any number of them. Items, entries, nulls and nested records
 * are counted, and a message may have no more of them than bytes, plus SPARE_ITEMS. So are characters that are the schema's, not the message's: names of fields, labels, digits
 * behind the point. How deep values nest is bounded, too.
 */
import { SqlError } from '../../../operators/errors.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';

const SPARE_ITEMS = 65_536;
const MOST_DEPTH = 500;
/** Beside those of the message. */
const MOST_GIVEN = 1 << 26;

export class AvroBytes {
  bytes!: Buffer;
  /** What the text input of types may ask for. */
  context!: EvalContext;
  at = 0;
  end = 0;
  /** What readLong() has read. */
  lo = 0;
  hi = 0;
  #items = 0;
  #given = 0;
  #depth = 0;

  begin(bytes: Buffer, at: number, end: number, context: EvalContext): void {
    this.bytes = bytes;
    this.context = context;
    this.at = at;
    this.end = end;
    this.#items = end - at + SPARE_ITEMS;
    this.#given = 0;
    this.#depth = 0;
  }

  /** Skips `length` bytes and gives where they begin. */
  take(length: number): number {
    const from = this.at;
    if (length > this.end - from) throw malformed(`it ends within a value of ${length} bytes`);
    this.at = from + length;
    return from;
  }

  readByte(): number {
    if (this.at === this.end) throw malformed('it ends within a value');
    return this.bytes[this.at++];
  }

  readBoolean(): boolean {
    const byte = this.readByte();
    if (byte > 1) throw malformed(`${byte} is no boolean`);
    return byte === 1;
  }

  readLong(): void {
    const { bytes, end } = this;
    let { at } = this;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; ; shift += 7) {
      if (at === end) throw malformed('it ends within a number');
      const byte = bytes[at++];
      const bits = byte & 127;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else if (shift < 63) hi |= bits << (shift - 32);
      else if (byte > 1) throw malformed('a number has more than 64 bits');
      else hi |= bits << 31;
      if (byte < 128) break;
    }
    this.at = at;
    const sign = -(lo & 1);
    this.lo = ((lo >>> 1) | (hi << 31)) ^ sign;
    this.hi = (hi >>> 1) ^ sign;
  }

  readInt(): number {
    this.readLong();
    if (this.hi !== this.lo >> 31) throw malformed('an int has more than 32 bits');
    return this.lo;
  }

  readBigInt(): bigint {
    this.readLong();
    const { lo, hi } = this;
    if (hi >= -0x20_0000 && hi < 0x20_0000) return BigInt(hi * 0x1_0000_0000 + (lo >>> 0));
    return (BigInt(hi) << 32n) | BigInt(lo >>> 0);
  }

  /** A length or an index: below 2^53, not negative. */
  readLength(): number {
    this.readLong();
    const { lo, hi } = this;
    if (hi < 0 || hi >= 0x20_0000) throw malformed('a length is out of range');
    return hi * 0x1_0000_0000 + (lo >>> 0);
  }

  readFloat(): number {
    return one(this.bytes.readFloatLE(this.take(4)));
  }

  readDouble(): number {
    return one(this.bytes.readDoubleLE(this.take(8)));
  }

  /** Which of `count` branches or symbols. */
  readIndex(count: number): number {
    const index = this.readLength();
    if (index >= count) throw malformed(`there is no choice ${index}`);
    return index;
  }

  /** Calls back for each item of an array or map. */
  blocks(item: () => void): void {
    this.enter();
    for (;;) {
      let count = this.#readCount();
      if (count === 0) break;
      let end = -1;
      if (count < 0) {
        count = -count;
        const length = this.readLength();
        end = this.take(length) + length;
        this.at -= length;
      }
      for (let i = 0; i < count; i++) {
        this.count();
        item();
      }
      if (end >= 0 && this.at !== end) throw malformed('a block is not as long as it says');
    }
    this.leave();
  }

  /** More than there can be of anything does not matter exactly. */
  #readCount(): number {
    this.readLong();
    return this.hi * 0x1_0000_0000 + (this.lo >>> 0);
  }

  /** One item more of whatever may have no bytes. */
  count(): void {
    if (--this.#items < 0) throw malformed('it claims more items than it can have');
  }

  /** So many characters come of the schema. */
  give(length: number): void {
    this.#given += length;
    if (this.#given > MOST_GIVEN) throw malformed('its text would be too long');
  }

  /** Into a record, an array or a map. */
  enter(): void {
    if (++this.#depth > MOST_DEPTH) throw malformed(`it nests more than ${MOST_DEPTH} levels deep`);
    this.count();
  }

  leave(): void {
    this.#depth--;
  }
}

/** One NaN for all: slots are compared as bytes. */
function one(x: number): number {
  return Number.isNaN(x) ? Number.NaN : x;
}

export function malformed(why: string): SqlError {
  return new SqlError('22P03', `malformed Avro message: ${why}`);
}
