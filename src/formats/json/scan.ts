/**
 * Reading JSON from bytes in the shared memory, without an object a value.
 *
 * Every reader takes the address of a value's first byte and returns the address behind it, or ODD when the value is not of the one
 * common form that the reader knows: then the whole message goes to the exact, slow path (slow_row.ts), which alone decides what is an
 * error. So a reader may refuse anything, but what it takes must mean exactly what the slow path would make of it.
 *
 * Readers do not look at the message's end: bytes behind it are readable, and the caller checks that the object ended in time.
 * Text with bytes above 0x7F is taken as it is and noted in `scan.high`; the caller then checks the message's UTF-8.
 */
import { F64, I32, I64, memory, U8, U16 } from '../../../operators/batch/memory.ts';

/** "Not of the common form." */
export const ODD = -1;

/** What the last readers noted: bytes above 0x7F seen. */
export const scan = { high: false };

/** Classes of a string's bytes; 0 is a plain one. */
const QUOTE = 1;
const BACKSLASH = 2;
const CONTROL = 3;
const HIGH = 4;
const CLASS = new Uint8Array(256);
CLASS.fill(CONTROL, 0, 32).fill(HIGH, 128, 256);
CLASS[34] = QUOTE;
CLASS[92] = BACKSLASH;

const MAX_DEPTH = 64;
const NO_DIGITS = 1_000_000;
const TWO_32 = 4294967296;
const POSTGRES_EPOCH_MS = 946_684_800_000;
const MAX_EXACT = 9_007_199_254_740_991;
const POWERS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);

export function skipSpace(p: number): number {
  for (;;) {
    const c = U8[p];
    if (c > 32 || (c !== 32 && c !== 10 && c !== 13 && c !== 9)) return p;
    p++;
  }
}

/** True for what may follow a number: comma, bracket, brace, white space. */
function endsNumber(c: number): boolean {
  return c === 44 || c === 125 || c === 93 || c === 32 || c === 10 || c === 13 || c === 9;
}

/** The same bytes, for words at any address. */
export const WORDS = new DataView(memory.buffer);

/** First byte from p on that is no plain character of a string; four at a time. */
function plainEnd(p: number): number {
  for (; ; p += 4) {
    const w = WORDS.getInt32(p, true);
    const q = w ^ 0x22222222;
    const b = w ^ 0x5c5c5c5c;
    // The top bit of a byte is set where it is a quote, a backslash, below 0x20, or above 0x7F itself. A carry can set one wrongly, but only
    // behind a right one, and the first is what counts.
    const found = (((q - 0x01010101) & ~q) | ((b - 0x01010101) & ~b) | ((w - 0x20202020) & ~w) | w) & 0x80808080;
    if (found !== 0) return p + ((31 - Math.clz32(found & -found)) >>> 3);
  }
}

/** From the byte behind the opening quote to behind the closing one; escapes are checked. */
export function skipString(p: number): number {
  for (;;) {
    p = plainEnd(p);
    switch (CLASS[U8[p]]) {
      case QUOTE:
        return p + 1;
      case HIGH:
        scan.high = true;
        p++;
        break;
      case BACKSLASH:
        p = skipEscape(p + 1);
        if (p === ODD) return ODD;
        break;
      default:
        return ODD;
    }
  }
}

function skipEscape(p: number): number {
  switch (U8[p]) {
    case 34:
    case 92:
    case 47:
    case 98:
    case 102:
    case 110:
    case 114:
    case 116:
      return p + 1;
    case 117:
      for (let i = 1; i <= 4; i++) if (hexDigit(U8[p + i]) < 0) return ODD;
      return p + 5;
    default:
      return ODD;
  }
}

function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const letter = c | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** A number of JSON's grammar, any length. */
export function skipNumber(p: number): number {
  if (U8[p] === 45) p++;
  if (U8[p] === 48) p++;
  else {
    const first = p;
    while (U8[p] >= 48 && U8[p] <= 57) p++;
    if (p === first) return ODD;
  }
  if (U8[p] === 46) {
    const first = ++p;
    while (U8[p] >= 48 && U8[p] <= 57) p++;
    if (p === first) return ODD;
  }
  if ((U8[p] | 32) === 101) {
    p++;
    if (U8[p] === 43 || U8[p] === 45) p++;
    const first = p;
    while (U8[p] >= 48 && U8[p] <= 57) p++;
    if (p === first) return ODD;
  }
  return endsNumber(U8[p]) ? p : ODD;
}

export function isNull(p: number): boolean {
  return U8[p] === 110 && U8[p + 1] === 117 && U8[p + 2] === 108 && U8[p + 3] === 108;
}

function isTrue(p: number): boolean {
  return U8[p] === 116 && U8[p + 1] === 114 && U8[p + 2] === 117 && U8[p + 3] === 101;
}

function isFalse(p: number): boolean {
  return U8[p] === 102 && U8[p + 1] === 97 && U8[p + 2] === 108 && U8[p + 3] === 115 && U8[p + 4] === 101;
}

/** A string, number, true, false or null. */
function skipScalar(p: number): number {
  const c = U8[p];
  if (c === 34) return skipString(p + 1);
  if (c === 45 || (c >= 48 && c <= 57)) return skipNumber(p);
  if (isTrue(p) || isNull(p)) return p + 4;
  return isFalse(p) ? p + 5 : ODD;
}

const closers = new Uint8Array(MAX_DEPTH);

/** Any value, checked against JSON's grammar; deeper than MAX_DEPTH is ODD. */
export function skipValue(p: number): number {
  if (U8[p] !== 123 && U8[p] !== 91) return skipScalar(p);
  let depth = 0;
  for (;;) {
    // At the first byte of a value.
    const c = U8[p];
    if (c === 123 || c === 91) {
      if (depth === MAX_DEPTH) return ODD;
      const closer = c + 2;
      closers[depth++] = closer;
      p = skipSpace(p + 1);
      if (U8[p] !== closer) {
        if (c === 123) p = skipKey(p);
        if (p === ODD) return ODD;
        continue;
      }
    } else {
      p = skipScalar(p);
      if (p === ODD) return ODD;
      p = skipSpace(p);
    }
    // Behind a value or at a closer.
    while (U8[p] === closers[depth - 1]) {
      p++;
      if (--depth === 0) return p;
      p = skipSpace(p);
    }
    if (U8[p] !== 44) return ODD;
    p = skipSpace(p + 1);
    if (closers[depth - 1] === 125) {
      p = skipKey(p);
      if (p === ODD) return ODD;
    }
  }
}

/** A key and its colon; to the first byte of the value. */
function skipKey(p: number): number {
  if (U8[p] !== 34) return ODD;
  p = skipString(p + 1);
  if (p === ODD) return ODD;
  p = skipSpace(p);
  return U8[p] === 58 ? skipSpace(p + 1) : ODD;
}

export function readBool(p: number, slot: number): number {
  if (isTrue(p)) {
    U8[slot] = 1;
    return p + 4;
  }
  if (!isFalse(p)) return ODD;
  U8[slot] = 0;
  return p + 5;
}

/** Exact for |value| <= 2^53. */
function writeInt64(slot: number, value: number): void {
  I32[slot >>> 2] = value;
  I32[(slot >>> 2) + 1] = Math.floor(value / TWO_32);
}

/** An integer within least .. most (both within 32 bits) into a 32-bit slot. */
export function readInt32(p: number, slot: number, least: number, most: number): number {
  const negative = U8[p] === 45;
  if (negative) p++;
  const first = p;
  let value = 0;
  for (let c = U8[p]; c >= 48 && c <= 57 && p - first < 11; c = U8[++p]) value = value * 10 + (c - 48);
  if (p === first || (U8[first] === 48 && p - first > 1) || !endsNumber(U8[p])) return ODD;
  if (negative) value = -value;
  if (value < least || value > most) return ODD;
  I32[slot >>> 2] = value;
  return p;
}

export function readInt64(p: number, slot: number): number {
  const negative = U8[p] === 45;
  if (negative) p++;
  const first = p;
  let value = 0;
  for (let c = U8[p]; c >= 48 && c <= 57 && p - first < 15; c = U8[++p]) value = value * 10 + (c - 48);
  if (p === first || (U8[first] === 48 && p - first > 1)) return ODD;
  if (endsNumber(U8[p])) {
    writeInt64(slot, negative ? -value : value);
    return p;
  }
  let low = 0;
  let more = 0;
  for (let c = U8[p]; c >= 48 && c <= 57 && more < 4; c = U8[++p], more++) low = low * 10 + (c - 48);
  if (more === 0 || !endsNumber(U8[p])) return ODD;
  const magnitude = BigInt(value) * BigInt(POWERS[more]) + BigInt(low);
  if (magnitude > 9223372036854775807n) return ODD;
  I64[slot / 8] = negative ? -magnitude : magnitude;
  return p;
}

/** Decimal digits with at most 15 of them and no exponent: mantissa and digits behind the point. */
const decimalParts = { mantissa: 0, scale: 0 };

function readDecimal(p: number): number {
  const negative = U8[p] === 45;
  if (negative) p++;
  const first = p;
  let value = 0;
  let digits = 0;
  let c = U8[p];
  for (; c >= 48 && c <= 57 && digits < 16; c = U8[++p], digits++) value = value * 10 + (c - 48);
  if (digits === 0 || (U8[first] === 48 && digits > 1)) return ODD;
  let scale = 0;
  if (c === 46) {
    for (c = U8[++p]; c >= 48 && c <= 57 && digits < 16; c = U8[++p], digits++, scale++) value = value * 10 + (c - 48);
    if (scale === 0) return ODD;
  }
  if (digits > 15 || !endsNumber(c)) return ODD;
  decimalParts.mantissa = negative ? -value : value;
  decimalParts.scale = scale;
  return p;
}

/** A mantissa below 2^53 divided by an exact power of ten is rounded once, so this is the nearest double. */
export function readFloat64(p: number, slot: number): number {
  p = readDecimal(p);
  if (p !== ODD) F64[slot / 8] = decimalParts.mantissa / POWERS[decimalParts.scale];
  return p;
}

/** A numeric of up to 15 digits, kept with its own scale, or the column's (`scale` >= 0, at most `precision` digits). */
export function readNumeric(p: number, slot: number, precision: number, scale: number): number {
  p = readDecimal(p);
  if (p === ODD) return ODD;
  let { mantissa } = decimalParts;
  if (scale >= 0) {
    const add = scale - decimalParts.scale;
    if (add < 0 || add > 22) return ODD;
    mantissa *= POWERS[add];
    if (Math.abs(mantissa) > MAX_EXACT || (precision < 23 && Math.abs(mantissa) >= POWERS[precision])) return ODD;
  }
  if (mantissa === 0) mantissa = 0;
  writeInt64(slot, mantissa);
  I32[(slot >>> 2) + 2] = 0;
  I32[(slot >>> 2) + 3] = 0;
  U16[(slot + 8) >>> 1] = scale >= 0 ? scale : decimalParts.scale;
  return p;
}

/** Bytes of the three words of a short text that count, by length. */
const SHORT_MASKS = Int32Array.from({ length: 13 * 3 }, (_, i) => {
  const bytes = Math.min(4, Math.max(0, Math.floor(i / 3) - (i % 3) * 4));
  return bytes === 0 ? 0 : -1 >>> ((4 - bytes) * 8);
});

/** The varlen slot of bytes that lie at `address` (slots.ts), a word at a time: 12 bytes from there on must be readable. */
function pointText(slot: number, address: number, length: number): void {
  const word = slot >>> 2;
  I32[word] = length;
  if (length > 12) {
    I32[word + 1] = WORDS.getInt32(address, true);
    I32[word + 2] = address;
    I32[word + 3] = 0;
    return;
  }
  I32[word + 1] = WORDS.getInt32(address, true) & SHORT_MASKS[length * 3];
  I32[word + 2] = WORDS.getInt32(address + 4, true) & SHORT_MASKS[length * 3 + 1];
  I32[word + 3] = WORDS.getInt32(address + 8, true) & SHORT_MASKS[length * 3 + 2];
}

/** A string without escapes, or the text of a number: the slot points to where it stands. */
export function readText(p: number, slot: number): number {
  if (U8[p] !== 34) {
    const end = skipNumber(p);
    if (end !== ODD) pointText(slot, p, end - p);
    return end;
  }
  const start = p + 1;
  p = start;
  for (;;) {
    p = plainEnd(p);
    const kind = CLASS[U8[p]];
    if (kind === QUOTE) break;
    if (kind === HIGH) scan.high = true;
    else if (kind === BACKSLASH) return readEscaped(start, p, slot);
    else return ODD;
    p++;
  }
  pointText(slot, start, p - start);
  return p + 1;
}

const SIMPLE_ESCAPE = new Uint8Array(256);
for (const [c, to] of [
  ['"', 34],
  ['\\', 92],
  ['/', 47],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
] as const) {
  SIMPLE_ESCAPE[c.charCodeAt(0)] = to;
}

/** Unescapes in place: the result is never longer than its source, and nothing reads these bytes of the copy again. */
function readEscaped(start: number, p: number, slot: number): number {
  let to = p;
  const source = p;
  for (;;) {
    const c = U8[p];
    const kind = CLASS[c];
    if (kind === QUOTE) break;
    if (kind === CONTROL) return ODD;
    if (kind !== BACKSLASH) {
      if (kind === HIGH) scan.high = true;
      scratch[to - source] = c;
      to++;
      p++;
    } else if (U8[p + 1] === 117) {
      const code = readUnicodeEscape(p);
      if (code <= 0) return ODD;
      p += code > 0xffff ? 12 : 6;
      to = source + putCodePoint(to - source, code);
    } else {
      const plain = SIMPLE_ESCAPE[U8[p + 1]];
      if (plain === 0) return ODD;
      scratch[to - source] = plain;
      to++;
      p += 2;
    }
    if (to - source > scratch.length - 8) return ODD;
  }
  U8.set(scratch.subarray(0, to - source), source);
  pointText(slot, start, to - start);
  return p + 1;
}

const scratch = new Uint8Array(1 << 16);

/** Code point of \uXXXX or of a surrogate pair at p; 0 or ODD for what text can't hold. */
function readUnicodeEscape(p: number): number {
  const unit = readHex4(p + 2);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  if (unit > 0xdbff || U8[p + 6] !== 92 || U8[p + 7] !== 117) return ODD;
  const low = readHex4(p + 8);
  if (low < 0xdc00 || low > 0xdfff) return ODD;
  return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

function readHex4(p: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const digit = hexDigit(U8[p + i]);
    if (digit < 0) return ODD;
    value = value * 16 + digit;
  }
  return value;
}

/** Writes UTF-8 into the scratch and returns where it ends. */
function putCodePoint(at: number, code: number): number {
  if (code < 0x80) scratch[at++] = code;
  else if (code < 0x800) {
    scratch[at++] = 0xc0 | (code >> 6);
    scratch[at++] = 0x80 | (code & 63);
  } else if (code < 0x10000) {
    scratch[at++] = 0xe0 | (code >> 12);
    scratch[at++] = 0x80 | ((code >> 6) & 63);
    scratch[at++] = 0x80 | (code & 63);
  } else {
    scratch[at++] = 0xf0 | (code >> 18);
    scratch[at++] = 0x80 | ((code >> 12) & 63);
    scratch[at++] = 0x80 | ((code >> 6) & 63);
    scratch[at++] = 0x80 | (code & 63);
  }
  return at;
}

/** The value as it stands, for json columns. */
export function readRaw(p: number, slot: number): number {
  const end = skipValue(p);
  if (end !== ODD) pointText(slot, p, end - p);
  return end;
}

/** Two digits; NO_DIGITS, out of every field's range, when they are none. */
function two(p: number): number {
  const a = U8[p] - 48;
  const b = U8[p + 1] - 48;
  return a >= 0 && a <= 9 && b >= 0 && b <= 9 ? a * 10 + b : NO_DIGITS;
}

/** Days from 2000-01-01 to 'YYYY-MM-DD' at p; NaN for anything else and for days past the 28th that do not exist. */
function readDays(p: number): number {
  const a = WORDS.getInt32(p, true);
  const b = WORDS.getInt32(p + 4, true);
  const c = WORDS.getInt16(p + 8, true);
  if (a !== lastDay.a || b !== lastDay.b || c !== lastDay.c) {
    lastDay.days = parseDays(p);
    lastDay.a = a;
    lastDay.b = b;
    lastDay.c = c;
  }
  return lastDay.days;
}

/** The ten bytes of the day read last, and what they mean: most messages are of one day. */
const lastDay = { a: 0, b: 0, c: 0, days: Number.NaN };

function parseDays(p: number): number {
  const year = two(p) * 100 + two(p + 2);
  const month = two(p + 5);
  const day = two(p + 8);
  if (U8[p + 4] !== 45 || U8[p + 7] !== 45 || year < 1 || year > 9999) return Number.NaN;
  if (month < 1 || month > 12 || day < 1 || day > 31) return Number.NaN;
  if (day > 28 && day > daysIn(year, month)) return Number.NaN;
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + ofEra * 365 + (ofEra >> 2) - Math.floor(ofEra / 100) + ofYear - 730425;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

export function readDate(p: number, slot: number): number {
  if (U8[p] !== 34 || U8[p + 11] !== 34) return ODD;
  const days = readDays(p + 1);
  if (Number.isNaN(days)) return ODD;
  I32[slot >>> 2] = days;
  return p + 12;
}

/**
 * 'YYYY-MM-DD[ T]HH:MM:SS[.ffffff][Z|+hh[[:]mm]]', or a number: whole milliseconds since 1970. A zone counts for timestamptz
 * (`zoned`), where none means UTC; for timestamp it is left out, as PostgreSQL does.
 */
export function readTimestamp(p: number, slot: number, zoned: boolean): number {
  if (U8[p] !== 34) return readEpochMilliseconds(p, slot);
  const days = readDays(p + 1);
  const t = p + 11;
  if (Number.isNaN(days) || (U8[t] !== 32 && U8[t] !== 84) || U8[t + 3] !== 58 || U8[t + 6] !== 58) return ODD;
  const hour = two(t + 1);
  const minute = two(t + 4);
  const second = two(t + 7);
  if (hour > 23 || minute > 59 || second > 59) return ODD;
  p = t + 9;
  let micros = 0;
  if (U8[p] === 46) {
    let unit = 100000;
    const first = ++p;
    for (let c = U8[p]; c >= 48 && c <= 57; c = U8[++p]) {
      if (unit < 1) return ODD;
      micros += (c - 48) * unit;
      unit = unit === 1 ? 0 : unit / 10;
    }
    if (p === first) return ODD;
  }
  let offset = 0;
  if (U8[p] === 90) p++;
  else if (U8[p] === 43 || U8[p] === 45) {
    const sign = U8[p] === 43 ? 1 : -1;
    const hours = two(p + 1);
    p += 3;
    let minutes = 0;
    if (U8[p] !== 34) {
      if (U8[p] === 58) p++;
      minutes = two(p);
      p += 2;
    }
    if (hours > 14 || minutes > 59) return ODD;
    offset = sign * (hours * 60 + minutes);
  }
  if (U8[p] !== 34) return ODD;
  const seconds = days * 86400 + hour * 3600 + minute * 60 + second - (zoned ? offset * 60 : 0);
  const value = seconds * 1_000_000 + micros;
  if (Math.abs(value) > MAX_EXACT) return ODD;
  writeInt64(slot, value);
  return p + 1;
}

function readEpochMilliseconds(p: number, slot: number): number {
  p = readDecimal(p);
  if (p === ODD || decimalParts.scale > 0) return ODD;
  const micros = (decimalParts.mantissa - POSTGRES_EPOCH_MS) * 1000;
  if (Math.abs(micros) > MAX_EXACT) return ODD;
  writeInt64(slot, micros);
  return p;
}
