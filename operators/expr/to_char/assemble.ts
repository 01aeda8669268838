/** From what a template read to a calendar date and time: centuries, weeks, days of the year, the 12-hour clock. */
import { SqlError } from '../../errors.ts';
import { type DateTimeFields, daysInMonth, fromJulian, isoWeekStart } from '../datetime/calendar.ts';
import type { ReadFields } from './read_fields.ts';

const outOfRange = (text: string) => new SqlError('22008', `date/time field value out of range: "${text}"`);

/** Fields of the value, and its offset east of UTC when the text gave one. `text` is for messages. */
export function assembleDateTime(r: ReadFields, text: string): DateTimeFields & { offset: number | null } {
  const f: DateTimeFields = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, micros: 0 };
  if (r.secondOfDay) {
    f.hour = Math.trunc(r.secondOfDay / 3600);
    f.minute = Math.trunc((r.secondOfDay % 3600) / 60);
    f.second = r.secondOfDay % 60;
  }
  if (r.second) f.second = r.second;
  if (r.minute) f.minute = r.minute;
  if (r.hour) f.hour = r.hour;
  if (r.clock12) {
    if (f.hour < 1 || f.hour > 12) {
      throw new SqlError('22007', `hour "${f.hour}" is invalid for the 12-hour clock`, {
        hint: 'Use the 24-hour clock, or give an hour between 1 and 12.',
      });
    }
    if (r.pm && f.hour < 12) f.hour += 12;
    else if (!r.pm && f.hour === 12) f.hour = 0;
  }
  setDate(f, r, text);
  f.micros = r.milli * 1000 + r.micro;
  const { hour, minute, second, micros } = f;
  if (
    hour < 0 ||
    hour > 23 ||
    minute < 0 ||
    minute > 59 ||
    second < 0 ||
    second > 59 ||
    micros < 0 ||
    micros > 999_999
  ) {
    throw outOfRange(text);
  }
  return { ...f, offset: offsetOf(r, text) };
}

function offsetOf(r: ReadFields, text: string): number | null {
  if (r.offsetSign === 0) return r.offset;
  if (r.offsetHours < 0 || r.offsetHours > 15 || r.offsetMinutes < 0 || r.offsetMinutes > 59) {
    throw new SqlError('22009', `time zone displacement out of range: "${text}"`);
  }
  return r.offsetSign * (r.offsetHours * 60 + r.offsetMinutes) * 60;
}

function setDate(f: DateTimeFields, r: ReadFields, text: string): void {
  let [checkMonth, checkDay, checkYear] = [false, false, false];
  const setJulian = (julian: number) => {
    Object.assign(f, fromJulian(julian));
    checkMonth = true;
    checkDay = true;
    checkYear = true;
  };
  let century = r.bc ? -r.century : r.century;
  if (r.year) {
    if (r.century && r.yearDigits <= 2) {
      const inCentury = r.year % 100;
      if (inCentury) f.year = century >= 0 ? inCentury + (century - 1) * 100 : (century + 1) * 100 - inCentury + 1;
      else f.year = century * 100 + (century >= 0 ? 0 : 1);
    } else {
      f.year = r.bc ? -r.year : r.year;
      if (f.year < 0) f.year++;
    }
    checkYear = true;
  } else if (r.century) {
    century = r.bc ? -r.century : r.century;
    f.year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
    checkYear = true;
  }
  if (Math.abs(f.year) > 2147483647) throw outOfRange(text);
  if (r.julian) setJulian(r.julian);
  let { day, dayOfYear } = r;
  if (r.week) {
    if (r.mode === 'iso') {
      const monday = isoWeekStart(f.year, r.week);
      setJulian(monday + (r.weekday === 0 ? 0 : r.weekday > 1 ? r.weekday - 2 : 6));
    } else dayOfYear = (r.week - 1) * 7 + 1;
  }
  if (r.weekOfMonth) day = (r.weekOfMonth - 1) * 7 + 1;
  if (day) {
    f.day = day;
    checkDay = true;
  }
  if (r.month) {
    f.month = r.month;
    checkMonth = true;
  }
  if (dayOfYear && (f.month <= 1 || f.day <= 1)) {
    if (!f.year && !r.bc) {
      throw new SqlError('22007', 'cannot calculate day of year without year information');
    }
    if (r.mode === 'iso') setJulian(isoWeekStart(f.year, 1) - 1 + dayOfYear);
    else {
      setDayOfYear(f, dayOfYear);
      checkMonth = true;
      checkDay = true;
    }
  }
  if (checkMonth && (f.month < 1 || f.month > 12)) throw outOfRange(text);
  if (checkDay && (f.day < 1 || f.day > 31)) throw outOfRange(text);
  if (checkYear && checkMonth && checkDay && f.day > daysInMonth(f.year, f.month)) throw outOfRange(text);
}

/** Month and day of a day of the year, each only where it is not set yet. */
function setDayOfYear(f: DateTimeFields, dayOfYear: number): void {
  let before = 0;
  let month = 1;
  while (month <= 12 && dayOfYear > before + daysInMonth(f.year, month)) {
    before += daysInMonth(f.year, month);
    month++;
  }
  if (f.month <= 1) f.month = month;
  if (f.day <= 1) f.day = dayOfYear - before;
}
