/**
 * Rows of a batch as messages of the Postgres wire, many in a call: what src/postgres/encode writes value by value in JavaScript, which says what is right and
 * writes the rows that this one stops at. Why it exists: it takes a third of the time and needs no warming up (docs/decisions/0216).
 *
 *   for each row:  type | length | fields: number | length | bytes ...        or        type | length | field delimiter field ... line end
 *
 * Nothing of a row that does not fit, or has a value of an odd kind, is left behind.
 */
import * as l from '../encode_layout';

/** Days since 2000-01-01 of 0001-01-01 and of 9999-12-31. */
const FIRST_DAY: i64 = -730119;
const LAST_DAY: i64 = 2921939;
/** Days from 0000-03-01 to 2000-01-01. */
const MARCH_EPOCH: i32 = 730425;
const DAY_MICROS: i64 = 86400000000;
const QUARTER_MICROS: i64 = 900000000;
/** 1972-01-01: since then all offsets change on quarters of an hour. */
const QUARTERS_FROM: i64 = -883612800000000;
/** The greatest integer that JavaScript, which learns the offsets, has as a number. */
const EXACT: i64 = 9007199254740991;
const MAX_SCALE: u32 = 18;
const BACKSLASH: u8 = 92;

/** Rows from `from` on, up to but not including `to`, at `out` up to `end`; gives the first that was not written. */
export function encodeRows(encode: usize, from: u32, to: u32, out: usize, end: usize): u32 {
  const fields = encode + l.ENCODE_HEAD_BYTES;
  const fieldsEnd = fields + load<u32>(encode, l.ENCODE_FIELDS) * l.FIELD_BYTES;
  const type = <u8>load<u32>(encode, l.ENCODE_TYPE);
  const lines = load<u32>(encode, l.ENCODE_LINES) !== 0;
  const delimiter = <u8>load<u32>(encode, l.ENCODE_DELIMITER);
  const fixedBytes = load<u32>(encode, l.ENCODE_FIXED_BYTES);
  const count = load<u32>(encode, l.ENCODE_FIELDS);
  let stopped: u32 = 0;
  let start = out;
  let row = from;
  for (; row < to; row++) {
    if (start + fixedBytes > end) {
      stopped = l.STOP_ROOM;
      break;
    }
    let at = start + 5;
    if (!lines) {
      store<u16>(at, bswap<u16>(<u16>count));
      at += 2;
    }
    // What is left of the room when the rest of the row has what it needs at most.
    const most = end - fixedBytes;
    for (let field = fields; field < fieldsEnd; field += l.FIELD_BYTES) {
      if (lines && field !== fields) store<u8>(at++, delimiter);
      const valid = <usize>load<u32>(field, l.FIELD_VALID);
      if (valid !== 0 && load<u8>(valid + row) === 0) {
        if (!lines) {
          store<i32>(at, -1);
          at += 4;
        } else {
          const bytes = load<u32>(encode, l.ENCODE_NULL_BYTES);
          memory.copy(at, load<u32>(encode, l.ENCODE_NULL), bytes);
          at += bytes;
        }
        continue;
      }
      const kind = load<u32>(field, l.FIELD_KIND);
      const data = <usize>load<u32>(field, l.FIELD_DATA);
      if (kind === l.KIND_RAW) {
        const slot = data + (<usize>row << 4);
        const length = load<u32>(slot);
        const bytes = length <= 12 ? slot + 4 : <usize>load<u32>(slot, 8);
        const room: u64 = (lines ? <u64>length * 2 : <u64>length + 1) + at;
        if (room > <u64>most) {
          stopped = l.STOP_ROOM;
          break;
        }
        if (lines) {
          at = escape(bytes, length, at, load<u32>(encode, l.ENCODE_ESCAPES));
        } else {
          const prefix = load<u32>(field, l.FIELD_PREFIX);
          store<u32>(at, bswap<u32>(length + (prefix !== 0 ? 1 : 0)));
          at += 4;
          if (prefix !== 0) store<u8>(at++, <u8>(prefix - 1));
          copy(at, bytes, length);
          at += length;
        }
        continue;
      }
      const begun = lines ? at : at + 4;
      const ended = write(kind, data, row, begun, encode);
      if (ended < 16) {
        stopped = <u32>ended;
        break;
      }
      if (!lines) store<u32>(at, bswap<u32>(<u32>(ended - begun)));
      at = ended;
    }
    if (stopped !== 0) break;
    if (lines) store<u8>(at++, 10);
    store<u8>(start, type);
    store<u32>(start + 1, bswap<u32>(<u32>(at - start - 1)));
    start = at;
  }
  store<u32>(encode, <u32>(start - out), l.ENCODE_WRITTEN);
  store<u32>(encode, stopped, l.ENCODE_STOPPED);
  return row;
}

/** The value at `at`; gives where it ends, or why it cannot be written. */
@inline
function write(kind: u32, data: usize, row: u32, at: usize, encode: usize): usize {
  switch (kind) {
    case l.KIND_BOOL:
      store<u8>(at, load<u8>(data + row) === 0 ? 102 : 116);
      return at + 1;
    case l.KIND_INT: {
      const value = load<i32>(data + (<usize>row << 2));
      if (value >= 0) return unsigned32(at, <u32>value);
      store<u8>(at, 45);
      return unsigned32(at + 1, <u32>0 - <u32>value);
    }
    case l.KIND_UINT:
      return unsigned32(at, load<u32>(data + (<usize>row << 2)));
    case l.KIND_BIG:
      return signed64(at, load<i64>(data + (<usize>row << 3)));
    case l.KIND_DATE: {
      const day = <i64>load<i32>(data + (<usize>row << 2));
      if (day < FIRST_DAY || day > LAST_DAY) return l.STOP_ODD;
      return date(at, <i32>day);
    }
    case l.KIND_TIME: {
      const micros = load<i64>(data + (<usize>row << 3));
      if (micros < 0 || micros > DAY_MICROS) return l.STOP_ODD;
      return time(at, micros);
    }
    case l.KIND_TIMESTAMP:
      return timestamp(at, load<i64>(data + (<usize>row << 3)));
    case l.KIND_ZONED:
      return zoned(at, load<i64>(data + (<usize>row << 3)), encode);
    case l.KIND_NUMERIC:
      return numeric(at, data + (<usize>row << 4));
    case l.KIND_UUID:
      return uuid(at, data + (<usize>row << 4));
    case l.KIND_TURNED_2:
      store<u16>(at, bswap<u16>(load<u16>(data + (<usize>row << 2))));
      return at + 2;
    case l.KIND_TURNED_4:
      store<u32>(at, bswap<u32>(load<u32>(data + (<usize>row << 2))));
      return at + 4;
    case l.KIND_TURNED_8:
      store<u64>(at, bswap<u64>(load<u64>(data + (<usize>row << 3))));
      return at + 8;
    case l.KIND_PLAIN_1:
      store<u8>(at, load<u8>(data + row));
      return at + 1;
    default:
      v128.store(at, v128.load(data + (<usize>row << 4)));
      return at + 16;
  }
}

/** memory.copy is a call out of WebAssembly. */
@inline
function copy(to: usize, from: usize, length: u32): void {
  if (length > 64) {
    memory.copy(to, from, length);
    return;
  }
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) store<u64>(to + i, load<u64>(from + i));
  for (; i < length; i++) store<u8>(to + i, load<u8>(from + i));
}

function escape(from: usize, length: u32, at: usize, escapes: usize): usize {
  for (const end = from + length; from < end; from++) {
    const byte = load<u8>(from);
    const escaped = load<u8>(escapes + byte);
    if (escaped !== 0) {
      store<u8>(at++, BACKSLASH);
      store<u8>(at++, escaped);
    } else store<u8>(at++, byte);
  }
  return at;
}

/** Two digits of n < 100. */
@inline
function pair(n: u32): u16 {
  const tens = (n * 103) >> 10;
  return <u16>(0x3030 + tens + ((n - tens * 10) << 8));
}

/** n in exactly `width` digits, zeros in front. */
@inline
function padded(at: usize, n: u32, width: u32): usize {
  let to = at + width;
  while (to - at >= 2) {
    const q = n / 100;
    to -= 2;
    store<u16>(to, pair(n - q * 100));
    n = q;
  }
  if (to > at) store<u8>(at, <u8>(48 + (n % 10)));
  return at + width;
}

@inline
function digits(n: u32): u32 {
  if (n < 100000) {
    if (n < 100) return n < 10 ? 1 : 2;
    if (n < 1000) return 3;
    return n < 10000 ? 4 : 5;
  }
  if (n < 10000000) return n < 1000000 ? 6 : 7;
  if (n < 100000000) return 8;
  return n < 1000000000 ? 9 : 10;
}

function unsigned32(at: usize, n: u32): usize {
  return padded(at, n, digits(n));
}

function unsigned64(at: usize, n: u64): usize {
  if (n < 4294967296) return unsigned32(at, <u32>n);
  const high = n / 100000000;
  const low = <u32>(n - high * 100000000);
  return padded(unsigned64(at, high), low, 8);
}

function signed64(at: usize, n: i64): usize {
  if (n >= 0) return unsigned64(at, <u64>n);
  store<u8>(at, 45);
  return unsigned64(at + 1, <u64>0 - <u64>n);
}

/** Years that start in March put the leap day last: the civil-from-days algorithm on the proleptic Gregorian calendar. */
function date(at: usize, day: i32): usize {
  const days = <u32>(day + MARCH_EPOCH);
  const era = days / 146097;
  const dayOfEra = days - era * 146097;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const shifted = (5 * dayOfYear + 2) / 153;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const century = year / 100;
  store<u16>(at, pair(century));
  store<u16>(at + 2, pair(year - century * 100));
  store<u8>(at + 4, 45);
  store<u16>(at + 5, pair(month));
  store<u8>(at + 7, 45);
  store<u16>(at + 8, pair(dayOfYear - (153 * shifted + 2) / 5 + 1));
  return at + 10;
}

function time(at: usize, micros: i64): usize {
  const seconds = <u32>(micros / 1000000);
  let fraction = <u32>(micros - <i64>seconds * 1000000);
  const minutes = seconds / 60;
  const hours = minutes / 60;
  store<u16>(at, pair(hours));
  store<u8>(at + 2, 58);
  store<u16>(at + 3, pair(minutes - hours * 60));
  store<u8>(at + 5, 58);
  store<u16>(at + 6, pair(seconds - minutes * 60));
  if (fraction === 0) return at + 8;
  let width: u32 = 6;
  for (;;) {
    const shorter = fraction / 10;
    if (shorter * 10 !== fraction) break;
    fraction = shorter;
    width--;
  }
  store<u8>(at + 8, 46);
  return padded(at + 9, fraction, width);
}

function timestamp(at: usize, micros: i64): usize {
  let day = micros / DAY_MICROS;
  let rest = micros - day * DAY_MICROS;
  if (rest < 0) {
    day--;
    rest += DAY_MICROS;
  }
  if (day < FIRST_DAY || day > LAST_DAY) return l.STOP_ODD;
  date(at, <i32>day);
  store<u8>(at + 10, 32);
  return time(at + 11, rest);
}

function zoned(at: usize, micros: i64, encode: usize): usize {
  if (micros < QUARTERS_FROM || micros > EXACT) return l.STOP_ODD;
  let offset = load<i32>(encode, l.ENCODE_OFFSET);
  const quarters = <usize>load<u32>(encode, l.ENCODE_QUARTERS);
  if (quarters !== 0) {
    let quarter = micros / QUARTER_MICROS;
    if (quarter * QUARTER_MICROS > micros) quarter--;
    const place = quarters + (<usize>(quarter & (l.QUARTER_PLACES - 1)) << 4);
    if (load<f64>(place) !== <f64>quarter) return l.STOP_OFFSET;
    offset = load<i32>(place, 8);
  }
  const end = timestamp(at, micros + <i64>offset * 1000000);
  if (end < 16) return end;
  store<u8>(end, offset < 0 ? 45 : 43);
  const size = <u32>abs(offset);
  const hours = size / 3600;
  const minutes = (size / 60) % 60;
  const seconds = size % 60;
  store<u16>(end + 1, pair(hours));
  if (minutes === 0 && seconds === 0) return end + 3;
  store<u8>(end + 3, 58);
  store<u16>(end + 4, pair(minutes));
  if (seconds === 0) return end + 6;
  store<u8>(end + 6, 58);
  store<u16>(end + 7, pair(seconds));
  return end + 9;
}

/** Mantissa / 10^scale of a small one (operators/batch/slots.ts). */
function numeric(at: usize, slot: usize): usize {
  const scale = <u32>load<u16>(slot, 8);
  if (load<u8>(slot, 10) !== 0 || scale > MAX_SCALE) return l.STOP_ODD;
  const value = load<i64>(slot);
  if (scale === 0) return signed64(at, value);
  let rest = <u64>value;
  if (value < 0) {
    store<u8>(at++, 45);
    rest = <u64>0 - rest;
  }
  let power: u64 = 1;
  for (let i = scale; i > 0; i--) power *= 10;
  const units = rest / power;
  at = unsigned64(at, units);
  store<u8>(at++, 46);
  rest -= units * power;
  if (scale < 10) return padded(at, <u32>rest, scale);
  const high = rest / 1000000000;
  at = padded(at, <u32>high, scale - 9);
  return padded(at, <u32>(rest - high * 1000000000), 9);
}

@inline
function hex(n: u32): u8 {
  return <u8>(n < 10 ? 48 + n : 87 + n);
}

function uuid(at: usize, slot: usize): usize {
  for (let i: u32 = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) store<u8>(at++, 45);
    const byte = <u32>load<u8>(slot + i);
    store<u8>(at++, hex(byte >> 4));
    store<u8>(at++, hex(byte & 15));
  }
  return at;
}
