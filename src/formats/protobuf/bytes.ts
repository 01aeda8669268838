/**
 * The bytes of one message, or of a part of it: [at, end). Every read is checked against the end; what is malformed throws SqlError 22P03.
 *
 *   field   tag varint: number << 3 | wire type, then   0 varint   1 eight bytes   2 a length and so many bytes   3 fields up to a tag with 4   5 four bytes
 *
 * Hostile input: how deep messages nest is bounded, as in other readers of Protobuf, and so are characters that are the schema's, not the message's (names of
 * fields, labels), of which a few bytes could call up any number.
 */
import { SqlError } from '../../../operators/errors.ts';
import { defaultContext, withoutClock } from '../../../operators/expr/context.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH = 2;
export const GROUP = 3;
const GROUP_END = 4;
export const FIXED32 = 5;

const MOST_DEPTH = 100;
/** Characters of the schema in what a message becomes: so many, and so many more for each byte. */
const MOST_GIVEN = 1 << 24;
const MOST_GIVEN_A_BYTE = 16;

export class ProtobufBytes {
  bytes: Buffer = Buffer.alloc(0);
  /** What the text input of types may ask for. */
  context: EvalContext = withoutClock(defaultContext());
  at = 0;
  end = 0;
  /** What readVarint() and readFixed64() have read. */
  lo = 0;
  hi = 0;
  /** What nextTag() has read. */
  number = 0;
  wire = 0;
  /** Characters of the schema that are left. */
  #given = MOST_GIVEN;
  #depth = 0;

  begin(bytes: Buffer, at: number, end: number, context: EvalContext): void {
    this.bytes = bytes;
    this.context = context;
    this.at = at;
    this.end = end;
    this.#given = MOST_GIVEN + (end - at) * MOST_GIVEN_A_BYTE;
    this.#depth = 0;
  }

  /** What `read` gives of other bytes than these, which are those of a value in this message. */
  within<T>(bytes: Buffer, at: number, end: number, read: () => T): T {
    const { bytes: outer, at: outerAt, end: outerEnd } = this;
    if (++this.#depth > MOST_DEPTH) throw malformed(`it nests more than ${MOST_DEPTH} levels deep`);
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    const value = read();
    this.bytes = outer;
    this.at = outerAt;
    this.end = outerEnd;
    this.#depth--;
    return value;
  }

  /** So many characters come of the schema. */
  give(length: number): void {
    this.#given -= length;
    if (this.#given < 0) throw malformed('its text would be too long');
  }

  /** Skips `length` bytes and gives where they begin. */
  take(length: number): number {
    const from = this.at;
    if (length > this.end - from) throw malformed(`it ends within a value of ${length} bytes`);
    this.at = from + length;
    return from;
  }

  /** Bits beyond the 64th do not count. */
  readVarint(): void {
    const { bytes, end } = this;
    let { at } = this;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; ; shift += 7) {
      if (at === end) throw malformed('it ends within a number');
      if (shift > 63) throw malformed('a number has more than ten bytes');
      const byte = bytes[at++];
      const bits = byte & 127;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else hi |= bits << (shift - 32);
      if (byte < 128) break;
    }
    this.at = at;
    this.lo = lo;
    this.hi = hi;
  }

  readFixed32(): number {
    return this.bytes.readInt32LE(this.take(4));
  }

  readFixed64(): void {
    const at = this.take(8);
    this.lo = this.bytes.readInt32LE(at);
    this.hi = this.bytes.readInt32LE(at + 4);
  }

  /** The value of lo and hi. */
  signed(): bigint {
    const { lo, hi } = this;
    if (hi >= -0x20_0000 && hi < 0x20_0000) return BigInt(hi * 0x1_0000_0000 + (lo >>> 0));
    return (BigInt(hi) << 32n) | BigInt(lo >>> 0);
  }

  readLength(): number {
    this.readVarint();
    const { lo, hi } = this;
    const length = (hi >>> 0) * 0x1_0000_0000 + (lo >>> 0);
    if (length > this.end - this.at) throw malformed(`it ends within a value of ${length} bytes`);
    return length;
  }

  /** Into number and wire. */
  nextTag(): void {
    this.readVarint();
    const { lo, hi } = this;
    if (hi !== 0) throw malformed('the number of a field has more than 32 bits');
    this.number = lo >>> 3;
    this.wire = lo & 7;
    if (this.number === 0) throw malformed('it has a field 0');
    if (this.wire > FIXED32) throw malformed(`there is no wire type ${this.wire}`);
    if (this.wire === GROUP_END) throw malformed(`a group ends that has not begun: field ${this.number}`);
  }

  /** Over the value of the tag just read. Gives where its content ends, which is not where it ends for a group; it begins at `contentAt`. */
  skip(): number {
    switch (this.wire) {
      case VARINT:
        this.contentAt = this.at;
        this.readVarint();
        return this.at;
      case FIXED64:
        this.contentAt = this.take(8);
        return this.at;
      case LENGTH:
        this.contentAt = this.take(this.readLength());
        return this.at;
      case FIXED32:
        this.contentAt = this.take(4);
        return this.at;
      default:
        return this.#skipGroup();
    }
  }

  contentAt = 0;

  #skipGroup(): number {
    const begin = this.at;
    const open = [this.number];
    for (;;) {
      const { at } = this;
      this.readVarint();
      const { lo, hi } = this;
      if (hi === 0 && (lo & 7) === GROUP_END) {
        if (lo >>> 3 !== open.pop()) throw malformed('a group ends as another one');
        if (open.length === 0) {
          this.contentAt = begin;
          return at;
        }
        continue;
      }
      this.at = at;
      this.nextTag();
      if (this.wire !== GROUP) this.skip();
      else if (open.push(this.number) > MOST_DEPTH) throw malformed(`it nests more than ${MOST_DEPTH} levels deep`);
    }
  }
}

export function malformed(why: string): SqlError {
  return new SqlError('22P03', `malformed Protobuf message: ${why}`);
}
