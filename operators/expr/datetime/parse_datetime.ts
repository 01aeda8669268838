/**
 * Date and timestamp input: from fields (tokens.ts) to calendar fields, zone and specials.
 *
 * A state machine over the fields from left to right: `have` collects which of year, month, day, time, zone, ... were
 * seen, and a number means what is still missing (by DateStyle's order when nothing is known). A field seen twice is a bad
 * format. `jd`, `t` and other prefixes give the next field its meaning.
 */
import { type DateTimeFields, daysInMonth, fromJulian, MICROS_PER_DAY, toJulian } from './calendar.ts';
import { fraction, fractionMicros, leadingInt } from './numbers.ts';
import { parseClock, parseOffset, timeOverflows } from './parse_clock.ts';
import { badFormat, FieldError, overflow } from './parse_error.ts';
import { findZone, localOffset, type Zone } from './time_zone.ts';
import { splitFields } from './tokens.ts';
import { dateWord } from './words.ts';
import { zoneAbbreviation } from './zone_abbreviations.ts';

export type DateOrder = 'YMD' | 'DMY' | 'MDY';

/** What the text needs from outside: the current local time of the session and its settings. */
export interface ParseSettings {
  order: DateOrder;
  zone: Zone;
  /** Local fields of now in the session's zone, and the zone's offset then. */
  now(): { fields: DateTimeFields; offset: number };
}

export type ParsedDateTime =
  | { kind: 'infinity' | '-infinity' | 'epoch' }
  /** `offset`: seconds east of UTC, of the text or else of the session's zone; `zoned`: the text named a zone. */
  | { kind: 'time'; fields: DateTimeFields; offset: number; zoned: boolean };

/** Which fields have been seen, as a bit set. */
export const HAVE = {
  year: 1,
  month: 2,
  day: 4,
  time: 8,
  zone: 16,
  dayOfYear: 32,
  meridiem: 64,
  era: 128,
  weekday: 256,
  dstModifier: 512,
  hour: 1024,
} as const;
const DATE = HAVE.year | HAVE.month | HAVE.day;

/** Mutable state of one parse; time input shares it. */
export class DateTimeParser {
  readonly settings: ParseSettings;
  year = 0;
  month = 0;
  day = 0;
  dayOfYear = 0;
  hour = 0;
  minute = 0;
  second = 0;
  micros = 0;
  have = 0;
  twoDigitYear = false;
  textMonth = false;
  julian = false;
  bc = false;
  meridiem: 'am' | 'pm' | null = null;
  /** Seconds east of UTC. */
  offset = 0;
  zone: Zone | null = null;

  constructor(settings: ParseSettings) {
    this.settings = settings;
  }

  /** Marks fields as seen; a field seen before is a bad format. */
  mark(mask: number): void {
    if (this.have & mask) throw badFormat();
    this.have |= mask;
  }

  get hasDate(): boolean {
    return (this.have & DATE) === DATE;
  }

  get hasTime(): boolean {
    return (this.have & HAVE.time) !== 0;
  }

  setNow(): void {
    const { fields, offset } = this.settings.now();
    Object.assign(this, fields);
    this.offset = offset;
  }

  setDay(shift: number): void {
    const { fields } = this.settings.now();
    this.setJulian(toJulian(fields.year, fields.month, fields.day) + shift);
  }

  setJulian(julian: number): void {
    const { year, month, day } = fromJulian(julian);
    this.year = year;
    this.month = month;
    this.day = day;
  }

  setTimeOfDay(micros: number): void {
    const total = BigInt(micros);
    const seconds = Number(total / 1_000_000n);
    this.hour = Math.floor(seconds / 3600);
    this.minute = Math.floor(seconds / 60) % 60;
    this.second = seconds % 60;
    this.micros = Number(total % 1_000_000n);
  }

  /** `+hh[:mm[:ss]]` or `+hhmm`. */
  setOffset(text: string): void {
    this.offset = parseOffset(text);
  }

  /** hh:mm[:ss[.fff]] */
  time(text: string): void {
    const t = parseClock(text);
    this.hour = t.hour;
    this.minute = t.minute;
    this.second = t.second;
    this.micros = t.micros;
  }

  /** A run of digits that is a whole date (yymmdd, yyyymmdd) or time (hhmm, hhmmss[.fff]); returns what it was. */
  runTogether(text: string, have: number): number {
    let digits = text;
    const point = text.indexOf('.');
    if (point >= 0) {
      this.micros = fractionMicros(text.slice(point));
      digits = text.slice(0, point);
    } else if ((have & DATE) !== DATE && digits.length >= 6) {
      this.day = leadingInt(digits.slice(-2)).value;
      this.month = leadingInt(digits.slice(-4, -2)).value;
      this.year = leadingInt(digits.slice(0, -4)).value;
      if (digits.length === 6) this.twoDigitYear = true;
      return DATE;
    }
    if (have & HAVE.time || (digits.length !== 6 && digits.length !== 4)) throw badFormat();
    this.hour = leadingInt(digits.slice(0, 2)).value;
    this.minute = leadingInt(digits.slice(2, 4)).value;
    this.second = leadingInt(digits.slice(4)).value;
    return HAVE.time;
  }

  /** One number of a date, by what is still missing; returns what it was. */
  number(text: string, have: number): number {
    const { value, end } = leadingInt(text);
    if (end === 0) throw badFormat();
    if (text[end] === '.') {
      if (end > 2) return this.runTogether(text, have | DATE);
      this.micros = fractionMicros(text.slice(end));
    } else if (end !== text.length) throw badFormat();
    const length = text.length;
    const dmy = this.settings.order;
    const known = have & DATE;
    if (length === 3 && known === HAVE.year && value >= 1 && value <= 366) {
      this.dayOfYear = value;
      return HAVE.dayOfYear | HAVE.month | HAVE.day;
    }
    switch (known) {
      case 0:
        if (length >= 3 || dmy === 'YMD') return this.setYear(value, length);
        return dmy === 'DMY' ? this.setDayField(value) : this.setMonth(value);
      case HAVE.year:
      case HAVE.day:
        return this.setMonth(value);
      case HAVE.month:
        if (this.textMonth && (length >= 3 || dmy === 'YMD')) return this.setYear(value, length);
        return this.setDayField(value);
      case HAVE.year | HAVE.month:
        if (this.textMonth && length >= 3 && this.twoDigitYear) {
          // DD-MON-YYYY in year-first order: the first number was the day.
          this.day = this.year;
          this.year = value;
          this.twoDigitYear = false;
          return HAVE.day;
        }
        return this.setDayField(value);
      case HAVE.month | HAVE.day:
        return this.setYear(value, length);
      case DATE:
        return this.runTogether(text, have);
      default:
        throw badFormat();
    }
  }

  private setYear(value: number, length: number): number {
    this.year = value;
    this.twoDigitYear = length <= 2;
    return HAVE.year;
  }

  private setMonth(value: number): number {
    this.month = value;
    return HAVE.month;
  }

  private setDayField(value: number): number {
    this.day = value;
    return HAVE.day;
  }

  /** A date with delimiters: 2001-02-03, 3/feb/2001, 2001.034; returns what it set. */
  date(text: string): number {
    const parts: string[] = [];
    let at = 0;
    while (at < text.length && parts.length < 25) {
      while (at < text.length && !/[a-z0-9]/.test(text[at])) at++;
      if (at >= text.length) throw badFormat();
      const m = (/^\d+/.exec(text.slice(at)) ?? /^[a-z]+/.exec(text.slice(at)))!;
      parts.push(m[0]);
      at += m[0].length + 1;
    }
    let seen = 0;
    const numbers: string[] = [];
    for (const part of parts) {
      if (/^\d/.test(part)) {
        numbers.push(part);
        continue;
      }
      const word = dateWord(part);
      if (word?.kind === 'ignore') continue;
      if (word?.kind !== 'month' || (this.have | seen) & HAVE.month) throw badFormat();
      this.month = word.value;
      this.textMonth = true;
      seen |= HAVE.month;
    }
    for (const part of numbers) {
      const mask = this.number(part, this.have | seen);
      if ((this.have | seen) & mask) throw badFormat();
      seen |= mask;
    }
    const all = this.have | seen;
    if ((all & ~(HAVE.dayOfYear | HAVE.zone)) !== DATE) throw badFormat();
    return seen;
  }

  /** Checks and completes year, month and day after the last field. */
  validateDate(): void {
    const { have } = this;
    if (have & HAVE.year && !this.julian) {
      if (this.bc) {
        if (this.year <= 0) throw overflow();
        this.year = 1 - this.year;
      } else if (this.twoDigitYear) {
        if (this.year < 0) throw overflow();
        if (this.year < 70) this.year += 2000;
        else if (this.year < 100) this.year += 1900;
      } else if (this.year <= 0) throw overflow();
    }
    if (have & HAVE.dayOfYear) this.setJulian(toJulian(this.year, 1, 1) + this.dayOfYear - 1);
    if (have & HAVE.month && (this.month < 1 || this.month > 12)) throw new FieldError('month_day_overflow');
    if (have & HAVE.day && (this.day < 1 || this.day > 31)) throw new FieldError('month_day_overflow');
    if (this.hasDate && this.day > daysInMonth(this.year, this.month)) throw overflow();
  }

  applyMeridiem(): void {
    if (!this.meridiem) return;
    if (this.hour > 12) throw overflow();
    if (this.meridiem === 'am' && this.hour === 12) this.hour = 0;
    else if (this.meridiem === 'pm' && this.hour !== 12) this.hour += 12;
  }

  fields(): DateTimeFields {
    const { year, month, day, hour, minute, second, micros } = this;
    return { year, month, day, hour, minute, second, micros };
  }
}

/** Parses date or timestamp text. Throws FieldError. */
export function parseDateTime(text: string, settings: ParseSettings): ParsedDateTime {
  const fields = splitFields(text, (w) => dateWord(w) !== undefined);
  if (!fields || fields.length === 0) throw badFormat();
  const p = new DateTimeParser(settings);
  let prefix: 'julian' | 'time' | 'other' | null = null;
  let result: 'infinity' | '-infinity' | 'epoch' | 'time' = 'time';

  for (const f of fields) {
    switch (f.kind) {
      case 'date':
        p.mark(dateField(f.text));
        break;
      case 'time':
        if (prefix !== null && prefix !== 'time') throw badFormat();
        prefix = null;
        p.time(f.text);
        if (timeOverflows(p)) throw overflow();
        p.mark(HAVE.time);
        break;
      case 'zone':
        p.setOffset(f.text);
        p.mark(HAVE.zone);
        break;
      case 'number':
        p.mark(numberField(f.text));
        break;
      default:
        p.mark(wordField(f.text));
    }
  }
  if (prefix !== null) throw badFormat();
  if (result !== 'time') return { kind: result };
  p.validateDate();
  p.applyMeridiem();
  if (!p.hasDate) throw badFormat();
  const zoned = (p.have & HAVE.zone) !== 0;
  if (p.zone || !zoned) {
    if (p.have & HAVE.dstModifier) throw badFormat();
    p.offset = localOffset(p.zone ?? settings.zone, localSecondsOf(p.fields()));
  }
  return { kind: 'time', fields: p.fields(), offset: p.offset, zoned };

  function dateField(field: string): number {
    if (prefix === 'julian') {
      prefix = null;
      const { value, end } = leadingInt(field);
      if (value < 0) throw overflow();
      p.setJulian(value);
      p.julian = true;
      p.setOffset(field.slice(end));
      return DATE | HAVE.time | HAVE.zone;
    }
    if (prefix === null && !((p.have & HAVE.month) !== 0 && (p.have & HAVE.day) !== 0)) return p.date(field);
    if (prefix === null && !/^\d/.test(field)) {
      p.zone = zoneOf(field);
      return HAVE.zone;
    }
    // A time run together with its zone: 040506-08.
    if (prefix !== null && prefix !== 'time') throw badFormat();
    prefix = null;
    const minus = field.indexOf('-');
    if (p.hasTime || minus < 0) throw badFormat();
    p.setOffset(field.slice(minus));
    return p.runTogether(field.slice(0, minus), p.have) | HAVE.zone;
  }

  function numberField(field: string): number {
    if (prefix !== null) {
      const label = prefix;
      const { value, end } = leadingInt(field);
      if (end !== field.length && field[end] !== '.') throw badFormat();
      prefix = null;
      if (label === 'julian') {
        if (value < 0) throw overflow();
        p.setJulian(value);
        p.julian = true;
        if (field[end] !== '.') return DATE;
        p.setTimeOfDay(Math.trunc(fraction(field.slice(end)) * Number(MICROS_PER_DAY)));
        return DATE | HAVE.time;
      }
      if (label !== 'time' || p.runTogether(field, p.have | DATE) !== HAVE.time) throw badFormat();
      return HAVE.time;
    }
    const point = field.indexOf('.');
    if (point >= 0 && !(p.have & DATE)) return p.date(field);
    if (point > 2) return p.runTogether(field, p.have);
    if (field.length >= 6 && (!(p.have & DATE) || !p.hasTime)) return p.runTogether(field, p.have);
    return p.number(field, p.have);
  }

  function wordField(field: string): number {
    const abbreviation = zoneAbbreviation(field);
    if (abbreviation) {
      p.offset = abbreviation.offset;
      return HAVE.zone;
    }
    const word = dateWord(field);
    if (!word) {
      p.zone = findZone(field) ?? null;
      if (!p.zone) throw badFormat();
      return HAVE.zone;
    }
    switch (word.kind) {
      case 'ignore':
        return 0;
      case 'special':
        return special(word.value);
      case 'month':
        // A number taken for the month was the day.
        if (p.have & HAVE.month && !p.textMonth && !(p.have & HAVE.day) && p.month >= 1 && p.month <= 31) {
          p.day = p.month;
          p.month = word.value;
          p.textMonth = true;
          return HAVE.day;
        }
        p.month = word.value;
        p.textMonth = true;
        return HAVE.month;
      case 'weekday':
        return HAVE.weekday;
      case 'meridiem':
        p.meridiem = word.value;
        return HAVE.meridiem;
      case 'era':
        p.bc = word.value === 'bc';
        return HAVE.era;
      case 'dst':
        p.offset += 3600;
        return HAVE.dstModifier;
      case 'unit':
        if (prefix !== null) throw badFormat();
        prefix = word.value === 'julian' ? 'julian' : 'other';
        return 0;
      case 'isotime':
        if (!p.hasDate || prefix !== null) throw badFormat();
        prefix = 'time';
        return 0;
      default:
        throw badFormat();
    }
  }

  function special(value: string): number {
    switch (value) {
      case 'now':
        p.setNow();
        return DATE | HAVE.time | HAVE.zone;
      case 'today':
        p.setDay(0);
        return DATE;
      case 'tomorrow':
        p.setDay(1);
        return DATE;
      case 'yesterday':
        p.setDay(-1);
        return DATE;
      case 'allballs':
        p.offset = 0;
        return HAVE.time | HAVE.zone;
      default:
        result = value as 'epoch' | 'infinity' | '-infinity';
        return DATE | HAVE.time | HAVE.zone;
    }
  }
}

/** A zone written with punctuation, such as America/New_York. */
function zoneOf(text: string): Zone {
  const zone = findZone(text);
  if (!zone) throw new FieldError('zone', text);
  return zone;
}

function localSecondsOf(f: DateTimeFields): number {
  return (toJulian(f.year, f.month, f.day) - 2440588) * 86400 + (f.hour * 60 + f.minute) * 60 + f.second;
}
