/**
 * Reading and writing one slot as a datum. This is the slow, general door between datums and columns: the interpreter, codecs,
 * tests and rare functions use it; generated kernels read the same layouts inline.
 *
 *   varlen   +0 u32 length   length <= 12: bytes at +4..+15    else: +4 first 4 bytes, +8 u32 address, +12 zero
 *   numeric  kind at +10: 0 small: i64 mantissa at +0, u16 scale at +8
 *                         1 wide:  u32 magnitude length +0, u32 sign +4 (1 = negative), u16 scale +8, u32 address +12 (little endian bytes)
 *                         2 NaN, 3 Infinity, 4 -Infinity
 *   interval +0 i64 microseconds, +8 i32 days, +12 i32 months
 *   uuid     16 bytes in text order
 *
 * Unused bytes of a slot are zero, so that slots of equal short values are equal bytes.
 */
import { type Datum, type Decimal, decimal, type Interval, interval } from '../datum.ts';
import { OID, type Phys } from '../types.ts';
import { decodeCompositeAt, encodeComposite } from './composite.ts';
import { BYTES, F64, I32, I64, U8, U16, U32 } from './memory.ts';

/** Where long values of a written slot go. Arena and Heap both are one. */
export interface Allocator {
  alloc(bytes: number): number;
}

export const NUMERIC_SMALL = 0;
export const NUMERIC_WIDE = 1;
const NUMERIC_NAN = 2;
const NUMERIC_INF = 3;
const NUMERIC_NEG_INF = 4;

/** Types whose varlen bytes are raw bytes or an encoding rather than UTF-8 text. */
type VarlenForm = 'text' | 'bytes' | 'composite';

const TEXT_OIDS = new Set<number>([
  OID.text,
  OID.varchar,
  OID.bpchar,
  OID.name,
  OID.char,
  OID.json,
  OID.jsonb,
  OID.unknown,
  OID.cstring,
  OID.xml,
  OID.refcursor,
  OID.pg_node_tree,
  OID.timetz,
  OID.money,
  OID.bit,
  OID.varbit,
  OID.void,
  OID.pg_lsn,
  OID.tid,
]);

const forms = new Map<number, VarlenForm>();

export function varlenForm(oid: number): VarlenForm {
  const known = forms.get(oid);
  if (known !== undefined) return known;
  const form: VarlenForm = oid === OID.bytea ? 'bytes' : TEXT_OIDS.has(oid) ? 'text' : 'composite';
  forms.set(oid, form);
  return form;
}

/** Address of a varlen slot's bytes. */
export function varlenAddress(slot: number): number {
  return U32[slot >>> 2] <= 12 ? slot + 4 : U32[(slot + 8) >>> 2];
}

function readVarlenText(slot: number): string {
  const length = U32[slot >>> 2];
  const address = length <= 12 ? slot + 4 : U32[(slot + 8) >>> 2];
  return BYTES.utf8Slice(address, address + length);
}

export function readVarlenBytes(slot: number): Uint8Array {
  const length = U32[slot >>> 2];
  const address = length <= 12 ? slot + 4 : U32[(slot + 8) >>> 2];
  return new Uint8Array(U8.subarray(address, address + length));
}

/** Makes the slot show `length` bytes that already lie at `address` (not copied when longer than 12). */
export function pointVarlen(slot: number, address: number, length: number): void {
  const word = slot >>> 2;
  U32[word] = length;
  if (length <= 12) {
    U32[word + 1] = 0;
    U32[word + 2] = 0;
    U32[word + 3] = 0;
    for (let i = 0; i < length; i++) U8[slot + 4 + i] = U8[address + i];
  } else {
    U8[slot + 4] = U8[address];
    U8[slot + 5] = U8[address + 1];
    U8[slot + 6] = U8[address + 2];
    U8[slot + 7] = U8[address + 3];
    U32[word + 2] = address;
    U32[word + 3] = 0;
  }
}

export function writeVarlenBytes(slot: number, bytes: Uint8Array, allocator: Allocator): void {
  const length = bytes.length;
  if (length <= 12) {
    const word = slot >>> 2;
    U32[word] = length;
    U32[word + 1] = 0;
    U32[word + 2] = 0;
    U32[word + 3] = 0;
    for (let i = 0; i < length; i++) U8[slot + 4 + i] = bytes[i];
    return;
  }
  const address = allocator.alloc(length);
  U8.set(bytes, address);
  pointVarlen(slot, address, length);
}

const SHORT = Buffer.alloc(64);

function writeVarlenText(slot: number, text: string, allocator: Allocator): void {
  if (text.length <= 20) {
    const length = SHORT.utf8Write(text, 0, 64);
    writeVarlenBytes(slot, SHORT.subarray(0, length), allocator);
    return;
  }
  const length = Buffer.byteLength(text, 'utf8');
  const address = allocator.alloc(length);
  BYTES.utf8Write(text, address, length);
  pointVarlen(slot, address, length);
}

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

function readNumeric(slot: number): Decimal {
  const word = slot >>> 2;
  const scale = U16[(slot + 8) >>> 1];
  switch (U8[slot + 10]) {
    case NUMERIC_SMALL:
      return decimal(I64[slot / 8], scale);
    case NUMERIC_WIDE: {
      const magnitude = readMagnitude(U32[word + 3], U32[word]);
      return decimal(U32[word + 1] === 1 ? -magnitude : magnitude, scale);
    }
    case NUMERIC_NAN:
      return { k: 'dec', m: 0n, s: 0, special: 'NaN' };
    case NUMERIC_INF:
      return { k: 'dec', m: 0n, s: 0, special: 'Infinity' };
    default:
      return { k: 'dec', m: 0n, s: 0, special: '-Infinity' };
  }
}

function writeNumeric(slot: number, value: Decimal, allocator: Allocator): void {
  const word = slot >>> 2;
  U32[word + 2] = 0;
  U32[word + 3] = 0;
  if (value.special !== undefined) {
    U32[word] = 0;
    U32[word + 1] = 0;
    U8[slot + 10] =
      value.special === 'NaN' ? NUMERIC_NAN : value.special === 'Infinity' ? NUMERIC_INF : NUMERIC_NEG_INF;
    return;
  }
  U16[(slot + 8) >>> 1] = value.s;
  if (value.m <= INT64_MAX && value.m >= INT64_MIN) {
    I64[slot / 8] = value.m;
    return;
  }
  const negative = value.m < 0n;
  const bytes = magnitudeBytes(negative ? -value.m : value.m);
  const address = allocator.alloc(bytes.length);
  U8.set(bytes, address);
  U32[word] = bytes.length;
  U32[word + 1] = negative ? 1 : 0;
  U8[slot + 10] = NUMERIC_WIDE;
  U32[word + 3] = address;
}

/** Two words of 64 bits and their bytes: most wide numerics fit. */
const WORDS = new BigUint64Array(2);
const WORD_BYTES = new Uint8Array(WORDS.buffer);

/** The magnitude's bytes, little endian, none of them a leading zero. */
function magnitudeBytes(magnitude: bigint): Uint8Array {
  const high = magnitude >> 64n;
  if (high <= 0xffffffffffffffffn) {
    WORDS[0] = BigInt.asUintN(64, magnitude);
    WORDS[1] = high;
    let length = 16;
    while (length > 1 && WORD_BYTES[length - 1] === 0) length--;
    return WORD_BYTES.subarray(0, length);
  }
  let hex = magnitude.toString(16);
  if (hex.length % 2 === 1) hex = '0' + hex;
  return Buffer.from(hex, 'hex').reverse();
}

function readMagnitude(address: number, length: number): bigint {
  if (length > 16) {
    const hex = BYTES.hexSlice(address, address + length);
    return BigInt('0x' + Buffer.from(hex, 'hex').reverse().toString('hex'));
  }
  for (let i = 0; i < 16; i++) WORD_BYTES[i] = i < length ? U8[address + i] : 0;
  return (WORDS[1] << 64n) | WORDS[0];
}

function readUuid(slot: number): string {
  const hex = BYTES.hexSlice(slot, slot + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The datum in the slot at byte address `slot`; NULL is the caller's business. */
export function readSlot(phys: Phys, oid: number, slot: number): Datum {
  switch (phys) {
    case 'bool':
      return U8[slot] !== 0;
    case 'i32':
      return I32[slot >>> 2];
    case 'u32':
      return U32[slot >>> 2];
    case 'i64':
      return I64[slot / 8];
    case 'f64':
      return F64[slot / 8];
    case 'numeric':
      return readNumeric(slot);
    case 'interval':
      return interval(I32[(slot + 12) >>> 2], I32[(slot + 8) >>> 2], I64[slot / 8]);
    case 'uuid':
      return readUuid(slot);
    case 'varlen':
      switch (varlenForm(oid)) {
        case 'text':
          return readVarlenText(slot);
        case 'bytes':
          return readVarlenBytes(slot);
        case 'composite':
          return decodeCompositeAt(varlenAddress(slot));
      }
  }
}

/** Writes a non-NULL datum of the type into the slot; long bytes go to the allocator. */
export function writeSlot(phys: Phys, oid: number, slot: number, value: Datum, allocator: Allocator): void {
  switch (phys) {
    case 'bool':
      U8[slot] = value === true ? 1 : 0;
      return;
    case 'i32':
      I32[slot >>> 2] = value as number;
      return;
    case 'u32':
      U32[slot >>> 2] = value as number;
      return;
    case 'i64':
      I64[slot / 8] = value as bigint;
      return;
    case 'f64':
      F64[slot / 8] = value as number;
      return;
    case 'numeric':
      writeNumeric(slot, value as Decimal, allocator);
      return;
    case 'interval': {
      const iv = value as Interval;
      I64[slot / 8] = iv.micros;
      I32[(slot + 8) >>> 2] = iv.days;
      I32[(slot + 12) >>> 2] = iv.months;
      return;
    }
    case 'uuid':
      BYTES.hexWrite((value as string).replaceAll('-', ''), slot, 16);
      return;
    case 'varlen':
      switch (varlenForm(oid)) {
        case 'text':
          writeVarlenText(slot, value as string, allocator);
          return;
        case 'bytes':
          writeVarlenBytes(slot, value as Uint8Array, allocator);
          return;
        case 'composite':
          writeVarlenBytes(slot, encodeComposite(value), allocator);
      }
  }
}

/** Bytes that a slot of this kind owns outside itself, and where: for copying a row into a state heap and for freeing it. */
export function slotPayload(phys: Phys, slot: number): { address: number; bytes: number; pointer: number } | null {
  const word = slot >>> 2;
  if (phys === 'varlen') {
    const length = U32[word];
    return length > 12 ? { address: U32[word + 2], bytes: length, pointer: word + 2 } : null;
  }
  if (phys === 'numeric' && U8[slot + 10] === NUMERIC_WIDE) {
    return { address: U32[word + 3], bytes: U32[word], pointer: word + 3 };
  }
  return null;
}
