/**
 * Dates and times of day in ISO form, as bytes. Only years 1 to 9999 are written here: -1 sends the caller the general way
 * (infinity, BC, five-digit years).
 *
 *   date 2024-02-29       time 12:34:56.789 (fraction without trailing zeros)
 */
import { writePadded, writeTwo } from './digits.ts';

/** Days since 2000-01-01 of 0001-01-01 and of 9999-12-31. */
const FIRST_DAY = -730119;
const LAST_DAY = 2921939;
/** Days from 0000-03-01 to 2000-01-01. */
const MARCH_EPOCH = 730425;
const DAY_MICROS = 86400000000;

/** Days written before, each in its place, with their ten bytes: values come in any order, but mostly of few days. */
const PLACES = 1024;
const PLACE_BYTES = 16;
const knownDays = new Int32Array(PLACES).fill(FIRST_DAY - 1);
const knownTexts = new Uint8Array(PLACES * PLACE_BYTES);

/** 10 bytes, or -1 when the day is out of the range of four-digit years. */
export function writeDate(buf: Uint8Array, pos: number, day: number): number {
  if (day < FIRST_DAY || day > LAST_DAY) return -1;
  const place = day & (PLACES - 1);
  const text = place * PLACE_BYTES;
  if (knownDays[place] !== day) {
    writeCivil(knownTexts, text, day);
    knownDays[place] = day;
  }
  for (let i = 0; i < 10; i++) buf[pos + i] = knownTexts[text + i];
  return pos + 10;
}

function writeCivil(buf: Uint8Array, pos: number, day: number): void {
  // Years that start in March put the leap day last: the civil-from-days algorithm on the proleptic Gregorian calendar.
  const days = day + MARCH_EPOCH;
  const era = Math.floor(days / 146097);
  const dayOfEra = days - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  writePadded(buf, pos, year, 4);
  buf[pos + 4] = 45;
  writeTwo(buf, pos + 5, month);
  buf[pos + 7] = 45;
  writeTwo(buf, pos + 8, dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1);
}

/** Microseconds of the day; at most 15 bytes. */
export function writeTime(buf: Uint8Array, pos: number, micros: number): number {
  const seconds = (micros / 1000000) | 0;
  let fraction = (micros - seconds * 1000000) | 0;
  const minutes = (seconds / 60) | 0;
  const hours = (minutes / 60) | 0;
  writeTwo(buf, pos, hours);
  buf[pos + 2] = 58;
  writeTwo(buf, pos + 3, minutes - hours * 60);
  buf[pos + 5] = 58;
  writeTwo(buf, pos + 6, seconds - minutes * 60);
  if (fraction === 0) return pos + 8;
  let width = 6;
  for (;;) {
    const shorter = (fraction / 10) | 0;
    if (shorter * 10 !== fraction) break;
    fraction = shorter;
    width--;
  }
  buf[pos + 8] = 46;
  return writePadded(buf, pos + 9, fraction, width);
}

/** Microseconds since 2000-01-01, |micros| < 2^53; at most 26 bytes, or -1. */
export function writeTimestamp(buf: Uint8Array, pos: number, micros: number): number {
  let day = Math.floor(micros / DAY_MICROS);
  let time = micros - day * DAY_MICROS;
  if (time < 0) {
    day--;
    time += DAY_MICROS;
  }
  const at = writeDate(buf, pos, day);
  if (at < 0) return -1;
  buf[at] = 32;
  return writeTime(buf, at + 1, time);
}
