/**
 * Text forms written digit by digit from the slot: bool, integers, dates, times, timestamps, numeric up to 64 bits, uuid, and
 * floats that are whole. Other DateStyles than ISO, other zones than fixed ones and everything unusual go the general way.
 */
import { F64, I32, U8, U16, U32 } from '../../../operators/batch/memory.ts';
import { NUMERIC_SMALL } from '../../../operators/batch/slots.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { OID, type Phys } from '../../../operators/types.ts';
import { writeDate, writeTime, writeTimestamp } from './date_text.ts';
import { writeInt32, writeInt64, writeMagnitude64, writePadded, writeUnsigned } from './digits.ts';
import type { FixedField, FixedWriter } from './field.ts';
import { offsetFinder, writeOffset } from './zone_text.ts';

const writeBool: FixedWriter = (buf, pos, slot) => {
  buf[pos] = U8[slot] === 0 ? 102 : 116;
  return pos + 1;
};

const writeInt: FixedWriter = (buf, pos, slot) => writeInt32(buf, pos, I32[slot >>> 2]);

const writeUint: FixedWriter = (buf, pos, slot) => writeUnsigned(buf, pos, U32[slot >>> 2]);

const writeBig: FixedWriter = (buf, pos, slot) => writeInt64(buf, pos, I32[(slot >>> 2) + 1], U32[slot >>> 2]);

const writeDay: FixedWriter = (buf, pos, slot) => writeDate(buf, pos, I32[slot >>> 2]);

/** The int64 in a slot as a double, or NaN when it is not exact. */
function exactMicros(slot: number): number {
  const high = I32[(slot >>> 2) + 1];
  return high >= -2097152 && high < 2097152 ? high * 4294967296 + U32[slot >>> 2] : Number.NaN;
}

const writeTimeOfDay: FixedWriter = (buf, pos, slot) => writeTime(buf, pos, exactMicros(slot));

const writeLocalTimestamp: FixedWriter = (buf, pos, slot) => {
  const micros = exactMicros(slot);
  return Number.isNaN(micros) ? -1 : writeTimestamp(buf, pos, micros);
};

function zonedTimestamp(zone: string): FixedWriter | null {
  const offsetAt = offsetFinder(zone);
  if (offsetAt === null) return null;
  return (buf, pos, slot) => {
    const micros = exactMicros(slot);
    if (Number.isNaN(micros)) return -1;
    const offset = offsetAt(micros);
    const at = writeTimestamp(buf, pos, micros + offset * 1000000);
    return at < 0 ? -1 : writeOffset(buf, at, offset);
  };
}

/** Whole numbers below the size at which PostgreSQL turns to exponents; -0 is no whole number here. */
function wholeFloat(limit: number): FixedWriter {
  return (buf, pos, slot) => {
    const value = F64[slot / 8];
    if (!(value > -limit && value < limit) || Math.floor(value) !== value || (value === 0 && 1 / value < 0)) return -1;
    if (value >= 0) return writeUnsigned(buf, pos, value);
    buf[pos] = 45;
    return writeUnsigned(buf, pos + 1, -value);
  };
}

const DIGITS = Buffer.alloc(24);

const POWERS = [1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000];

/** Mantissa / 10^scale: digits, then the point pushed in. At most 20 + scale + 2 bytes; scales over 30 go the general way. */
const writeDecimal: FixedWriter = (buf, pos, slot) => {
  if (U8[slot + 10] !== NUMERIC_SMALL) return -1;
  const scale = U16[(slot + 8) >>> 1];
  const low = U32[slot >>> 2];
  const high = I32[(slot >>> 2) + 1];
  if (scale === 0) return writeInt64(buf, pos, high, low);
  if (scale > 30) return -1;
  if (scale < 10 && high >= -2097152 && high < 2097152) {
    let value = high * 4294967296 + low;
    let to = pos;
    if (value < 0) {
      buf[to++] = 45;
      value = -value;
    }
    const units = Math.floor(value / POWERS[scale]);
    to = writeUnsigned(buf, to, units);
    buf[to] = 46;
    return writePadded(buf, to + 1, value - units * POWERS[scale], scale);
  }
  let at = pos;
  let count: number;
  if (high < 0) {
    buf[at++] = 45;
    count = writeMagnitude64(DIGITS, 0, low === 0 ? -high : -high - 1, low === 0 ? 0 : 4294967296 - low);
  } else count = writeMagnitude64(DIGITS, 0, high, low);
  const whole = count - scale;
  if (whole <= 0) buf[at++] = 48;
  for (let i = 0; i < whole; i++) buf[at++] = DIGITS[i];
  buf[at++] = 46;
  for (let i = whole; i < 0; i++) buf[at++] = 48;
  for (let i = whole > 0 ? whole : 0; i < count; i++) buf[at++] = DIGITS[i];
  return at;
};

const HEX = Buffer.from('0123456789abcdef', 'latin1');

const writeUuid: FixedWriter = (buf, pos, slot) => {
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) buf[pos++] = 45;
    const byte = U8[slot + i];
    buf[pos++] = HEX[byte >>> 4];
    buf[pos++] = HEX[byte & 15];
  }
  return pos;
};

/** The writer for a type's text form, or null when only the general way fits. */
export function textWriter(phys: Phys, oid: number, context: EvalContext): FixedField | null {
  const iso = context.dateStyle.startsWith('ISO');
  switch (oid) {
    case OID.bool:
      return { write: writeBool, maxBytes: 1 };
    case OID.int2:
    case OID.int4:
      return { write: writeInt, maxBytes: 11 };
    case OID.oid:
    case OID.xid:
    case OID.cid:
      return { write: writeUint, maxBytes: 11 };
    case OID.int8:
      return { write: writeBig, maxBytes: 20 };
    case OID.date:
      return iso ? { write: writeDay, maxBytes: 10 } : null;
    case OID.time:
      return { write: writeTimeOfDay, maxBytes: 15 };
    case OID.timestamp:
      return iso ? { write: writeLocalTimestamp, maxBytes: 26 } : null;
    case OID.timestamptz: {
      const write = iso ? zonedTimestamp(context.timeZone) : null;
      return write === null ? null : { write, maxBytes: 35 };
    }
    case OID.float4:
      return context.extraFloatDigits >= 1 ? { write: wholeFloat(1e6), maxBytes: 17 } : null;
    case OID.float8:
      return context.extraFloatDigits >= 1 ? { write: wholeFloat(1e15), maxBytes: 17 } : null;
    case OID.numeric:
      return { write: writeDecimal, maxBytes: 56 };
    case OID.uuid:
      return phys === 'uuid' ? { write: writeUuid, maxBytes: 36 } : null;
    default:
      return null;
  }
}
