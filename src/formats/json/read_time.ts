/** Dates and timestamps from JSON bytes into slots; see scan.ts for what a reader is. */
import { I32, U8 } from '../../../operators/batch/memory.ts';
import { decimalParts, MAX_EXACT, readDecimal, writeInt64 } from './read_number.ts';
import { ODD, WORDS } from './scan.ts';

const NO_DIGITS = 1_000_000;
const POSTGRES_EPOCH_MS = 946_684_800_000;

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
