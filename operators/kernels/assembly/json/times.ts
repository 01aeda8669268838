/** Dates and timestamps into slots. The day read last is remembered: most messages are of one day. */
import { readWhole, wholeValue } from './numbers';

const POSTGRES_EPOCH_MS: i64 = 946_684_800_000;
/** PostgreSQL's first and first impossible timestamp. */
const LEAST: i64 = -211_813_488_000_000_000;
const LIMIT: i64 = 9_223_371_331_200_000_000;
const NO_DAY: i32 = i32.MIN_VALUE;
/** Out of the range of every part of a time. */
const NO_DIGITS: u32 = 1_000_000;

let lastHead: u64 = 0;
let lastTail: u32 = 0;
let lastDays: i32 = NO_DAY;

function two(p: usize): u32 {
  const a = <u32>load<u8>(p) - 48;
  const b = <u32>load<u8>(p, 1) - 48;
  return a <= 9 && b <= 9 ? a * 10 + b : NO_DIGITS;
}

/** Days from 2000-01-01 to 'YYYY-MM-DD' at p; NO_DAY for anything else and for days that do not exist. */
@inline
function readDays(p: usize): i32 {
  const head = load<u64>(p);
  const tail = <u32>load<u16>(p, 8);
  if (head !== lastHead || tail !== lastTail) {
    lastDays = parseDays(p);
    lastHead = head;
    lastTail = tail;
  }
  return lastDays;
}

function parseDays(p: usize): i32 {
  const year = two(p) * 100 + two(p + 2);
  const month = two(p + 5);
  const day = two(p + 8);
  if (load<u8>(p, 4) !== 45 || load<u8>(p, 7) !== 45 || year < 1 || year > 9999) return NO_DAY;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return NO_DAY;
  const y = month <= 2 ? year - 1 : year;
  const era = y / 400;
  const ofEra = y - era * 400;
  const ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return <i32>(era * 146097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear) - 730425;
}

function daysIn(year: u32, month: u32): u32 {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

export function readDate(p: usize, slot: usize): usize {
  if (load<u8>(p) !== 34 || load<u8>(p, 11) !== 34) return 0;
  const days = readDays(p + 1);
  if (days === NO_DAY) return 0;
  store<i32>(slot, days);
  return p + 12;
}

/** Seconds of 'HH:MM:SS' at p, or NO_DIGITS: digits checked and joined eight bytes at a time. */
function readClock(p: usize): u32 {
  const text = load<u64>(p);
  if ((text & 0x0000ff0000ff0000) !== 0x00003a00003a0000) return NO_DIGITS;
  const digits = text ^ 0x30303a30303a3030;
  if (((digits | (digits + 0x7676767676767676)) & 0x8080808080808080) !== 0) return NO_DIGITS;
  const pairs = digits * 10 + (digits >> 8);
  const hour = <u32>(pairs & 0xff);
  const minute = <u32>(pairs >> 24) & 0xff;
  const second = <u32>(pairs >> 48) & 0xff;
  if (hour > 23 || minute > 59 || second > 59) return NO_DIGITS;
  return hour * 3600 + minute * 60 + second;
}

/**
 * 'YYYY-MM-DD[ T]HH:MM:SS[.ffffff][Z|+hh[[:]mm]]', or a number: whole milliseconds since 1970. A zone counts for timestamptz
 * (`zoned`), where none means UTC; for timestamp it is left out, as PostgreSQL does.
 */
@inline
export function readTimestamp(p: usize, slot: usize, zoned: bool): usize {
  if (load<u8>(p) !== 34) return readEpochMilliseconds(p, slot);
  const days = readDays(p + 1);
  const between = load<u8>(p, 11);
  if (days === NO_DAY || (between !== 32 && between !== 84)) return 0;
  const clock = readClock(p + 12);
  if (clock === NO_DIGITS) return 0;
  p += 20;
  let micros: u32 = 0;
  if (load<u8>(p) === 46) {
    let unit: u32 = 100000;
    const first = ++p;
    for (let c = <u32>load<u8>(p) - 48; c <= 9; c = <u32>load<u8>(++p) - 48) {
      if (unit === 0) return 0;
      micros += c * unit;
      unit /= 10;
    }
    if (p === first) return 0;
  }
  let offset: i64 = 0;
  const zone = load<u8>(p);
  if (zone === 90) p++;
  else if (zone === 43 || zone === 45) {
    const hours = two(p + 1);
    p += 3;
    let minutes: u32 = 0;
    if (load<u8>(p) !== 34) {
      if (load<u8>(p) === 58) p++;
      minutes = two(p);
      p += 2;
    }
    if (hours > 14 || minutes > 59) return 0;
    offset = <i64>(hours * 60 + minutes) * (zone === 43 ? 60 : -60);
  }
  if (load<u8>(p) !== 34) return 0;
  const seconds = <i64>days * 86400 + clock - (zoned ? offset : 0);
  store<i64>(slot, seconds * 1_000_000 + micros);
  return p + 1;
}

function readEpochMilliseconds(p: usize, slot: usize): usize {
  p = readWhole(p);
  if (p === 0) return 0;
  const micros = (wholeValue() - POSTGRES_EPOCH_MS) * 1000;
  if (micros < LEAST || micros >= LIMIT) return 0;
  store<i64>(slot, micros);
  return p;
}
