/**
 * Binary forms written straight from the slot, big endian. Numeric beyond 53 bits goes the general way.
 *
 *   numeric: int16 digits, int16 weight, int16 sign, int16 dscale, then base-10000 digits
 */
import { F64, I32, U8, U16, U32 } from '../../../operators/batch/memory.ts';
import { NUMERIC_SMALL } from '../../../operators/batch/slots.ts';
import { OID, type Phys } from '../../../operators/types.ts';
import type { FixedField, FixedWriter } from './field.ts';

function put32(buf: Uint8Array, pos: number, value: number): number {
  buf[pos] = value >>> 24;
  buf[pos + 1] = value >>> 16;
  buf[pos + 2] = value >>> 8;
  buf[pos + 3] = value;
  return pos + 4;
}

function put16(buf: Uint8Array, pos: number, value: number): number {
  buf[pos] = value >>> 8;
  buf[pos + 1] = value;
  return pos + 2;
}

const writeBool: FixedWriter = (buf, pos, slot) => {
  buf[pos] = U8[slot];
  return pos + 1;
};

const writeInt2: FixedWriter = (buf, pos, slot) => put16(buf, pos, I32[slot >>> 2]);

const writeWord: FixedWriter = (buf, pos, slot) => put32(buf, pos, I32[slot >>> 2]);

/** int8, times, float8: the slot's eight bytes, turned round. */
const writeEight: FixedWriter = (buf, pos, slot) => put32(buf, put32(buf, pos, U32[(slot >>> 2) + 1]), U32[slot >>> 2]);

const writeFloat4: FixedWriter = (buf, pos, slot) => buf.writeFloatBE(F64[slot / 8], pos);

const writeUuid: FixedWriter = (buf, pos, slot) => {
  for (let i = 0; i < 16; i++) buf[pos + i] = U8[slot + i];
  return pos + 16;
};

const writeInterval: FixedWriter = (buf, pos, slot) => {
  const at = writeEight(buf, pos, slot);
  return put32(buf, put32(buf, at, I32[(slot + 8) >>> 2]), I32[(slot + 12) >>> 2]);
};

const GROUPS = new Int32Array(8);
const PADDING = [1, 1000, 100, 10];

const writeDecimal: FixedWriter = (buf, pos, slot) => {
  if (U8[slot + 10] !== NUMERIC_SMALL) return -1;
  const scale = U16[(slot + 8) >>> 1];
  const high = I32[(slot >>> 2) + 1];
  const low = U32[slot >>> 2];
  if (high < -2097152 || high >= 2097152) return -1;
  const value = high * 4294967296 + low;
  // The fraction is filled up to whole groups of four digits.
  let rest = Math.abs(value) * PADDING[scale & 3];
  if (rest > Number.MAX_SAFE_INTEGER) return -1;
  let weight = -Math.ceil(scale / 4);
  let count = 0;
  while (rest > 0) {
    const q = Math.floor(rest / 10000);
    const group = rest - q * 10000;
    if (count > 0 || group !== 0) GROUPS[count++] = group;
    else weight++;
    rest = q;
  }
  let at = put16(buf, pos, count);
  at = put16(buf, at, count === 0 ? 0 : weight + count - 1);
  at = put16(buf, at, value < 0 ? 0x4000 : 0);
  at = put16(buf, at, scale);
  for (let i = count - 1; i >= 0; i--) at = put16(buf, at, GROUPS[i]);
  return at;
};

/** The writer for a type's binary form, or null when only the general way fits. */
export function binaryWriter(phys: Phys, oid: number): FixedField | null {
  switch (phys) {
    case 'bool':
      return { write: writeBool, maxBytes: 1 };
    case 'i32':
      return oid === OID.int2 ? { write: writeInt2, maxBytes: 2 } : { write: writeWord, maxBytes: 4 };
    case 'u32':
      return { write: writeWord, maxBytes: 4 };
    case 'i64':
      return { write: writeEight, maxBytes: 8 };
    case 'f64':
      return oid === OID.float4 ? { write: writeFloat4, maxBytes: 4 } : { write: writeEight, maxBytes: 8 };
    case 'numeric':
      return { write: writeDecimal, maxBytes: 24 };
    case 'interval':
      return { write: writeInterval, maxBytes: 16 };
    case 'uuid':
      return { write: writeUuid, maxBytes: 16 };
    case 'varlen':
      return null;
  }
}
