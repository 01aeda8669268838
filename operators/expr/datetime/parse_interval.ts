/**
 * Interval input: PostgreSQL's own forms (`1 year 2 mons 3 days 04:05:06`, `1-2 3 4:05:06`, `@ 1 day ago`) and ISO 8601
 * (`P1Y2M3DT4H5M6S`, `P0001-02-03T04:05:06`).
 *
 * Own forms are read from right to left: a word gives the unit of the number before it, a time makes the number before it
 * days, and the field list of `interval hour to minute` gives the unit of a bare number. Fractions spill into smaller units
 * (0.5 months = 15 days, 0.5 days = 12 hours).
 */
import { type Interval, interval } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import type { EvalContext } from '../ir.ts';
import { rint } from './calendar.ts';
import {
  INT32_MAX,
  INT32_MIN,
  INT64_MAX,
  INT64_MIN,
  INTERVAL_INFINITY,
  INTERVAL_NEG_INFINITY,
  intervalRange,
  isFiniteInterval,
  RANGE,
} from './interval_value.ts';
import { fraction, fractionMicros, leadingBigint, leadingInt } from './numbers.ts';
import { badFormat, FieldError, overflow, reporting } from './parse_error.ts';
import { type Field, splitFields } from './tokens.ts';
import { dateWord, intervalWord, type Unit } from './words.ts';

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Sums of the parts of an interval, each within its width. */
class IntervalBuilder {
  years = 0;
  months = 0;
  days = 0;
  micros = 0n;

  addMicros(value: bigint, frac: number, scale: number): void {
    this.micros = int64(this.micros + value * BigInt(scale));
    this.addFractionMicros(frac, scale);
  }

  addFractionMicros(frac: number, scale: number): void {
    if (frac === 0) return;
    const exact = frac * scale;
    let micros = Math.trunc(exact);
    const rest = exact - micros;
    if (rest > 0.5) micros++;
    else if (rest < -0.5) micros--;
    this.micros = int64(this.micros + BigInt(micros));
  }

  addDays(value: bigint, scale: number): void {
    this.days = int32(this.days + int32(Number(value)) * scale);
  }

  addFractionDays(frac: number, scale: number): void {
    if (frac === 0) return;
    const exact = frac * scale;
    const days = Math.trunc(exact);
    this.days = int32(this.days + days);
    this.addFractionMicros(exact - days, DAY);
  }

  addMonths(value: bigint): void {
    this.months = int32(this.months + int32(Number(value)));
  }

  addYears(value: bigint, frac: number, scale: number): void {
    this.years = int32(this.years + int32(Number(value)) * scale);
    this.months = int32(this.months + rint(frac * scale * 12));
  }

  negate(): void {
    if (this.micros === INT64_MIN || [this.days, this.months, this.years].includes(INT32_MIN)) throw overflow();
    this.micros = -this.micros;
    this.days = 0 - this.days;
    this.months = 0 - this.months;
    this.years = 0 - this.years;
  }

  /** One number with its unit. */
  add(unit: Unit, value: bigint, frac: number): void {
    const micros = MICROS_OF[unit];
    const years = YEARS_OF[unit];
    if (micros !== undefined) this.addMicros(value, frac, micros);
    else if (years !== undefined) this.addYears(value, frac, years);
    else if (unit === 'day') {
      this.addDays(value, 1);
      this.addFractionMicros(frac, DAY);
    } else if (unit === 'week') {
      this.addDays(value, 7);
      this.addFractionDays(frac, 7);
    } else if (unit === 'month') {
      this.addMonths(value);
      this.addFractionDays(frac, 30);
    } else throw badFormat();
  }
}

const MICROS_OF: Partial<Record<Unit, number>> = {
  microsecond: 1,
  millisecond: 1000,
  second: SECOND,
  minute: MINUTE,
  hour: HOUR,
};
const YEARS_OF: Partial<Record<Unit, number>> = { year: 1, decade: 10, century: 100, millennium: 1000 };

function int32(v: number): number {
  if (v > INT32_MAX || v < INT32_MIN || Number.isNaN(v)) throw overflow();
  return v;
}

function int64(v: bigint): bigint {
  if (v > INT64_MAX || v < INT64_MIN) throw overflow();
  return v;
}

/** Text to interval; `typmod` only says which unit a bare number has (the cut to it is `coerceInterval`'s). */
export function intervalIn(text: string, typmod: number, ctx: EvalContext): Interval {
  const parsed = reporting(text, 'interval', () => {
    try {
      return parseInterval(text, intervalRange(typmod), ctx.intervalStyle === 'sql_standard');
    } catch (e) {
      if (e instanceof FieldError && e.problem === 'overflow') throw new FieldError('interval_overflow');
      throw e;
    }
  });
  if (!(parsed instanceof IntervalBuilder)) return parsed;
  const months = parsed.years * 12 + parsed.months;
  const result = interval(months + 0, parsed.days + 0, parsed.micros);
  if (months > INT32_MAX || months < INT32_MIN || !isFiniteInterval(result)) {
    throw new SqlError('22008', 'interval out of range');
  }
  return result;
}

function parseInterval(text: string, range: number, sqlStandard: boolean): IntervalBuilder | Interval {
  try {
    const fields = splitFields(text, (w) => dateWord(w) !== undefined, 256);
    if (!fields) throw badFormat();
    return decodeFields(fields, range, sqlStandard);
  } catch (e) {
    if (e instanceof FieldError && e.problem === 'format') return parseIsoInterval(text);
    throw e;
  }
}

/** Bits of what has been seen; seconds, milliseconds and microseconds may each come once. */
const SEEN = {
  year: 1,
  month: 2,
  day: 4,
  hour: 8,
  minute: 16,
  second: 32,
  millisecond: 64,
  microsecond: 128,
  week: 256,
  decade: 512,
  century: 1024,
  millennium: 2048,
} as const;
const SEEN_SECONDS = SEEN.second | SEEN.millisecond | SEEN.microsecond;
const SEEN_TIME = SEEN.hour | SEEN.minute | SEEN_SECONDS;

function decodeFields(fields: Field[], range: number, sqlStandard: boolean): IntervalBuilder | Interval {
  const b = new IntervalBuilder();
  const forceNegative =
    sqlStandard &&
    fields.length > 0 &&
    fields[0].text[0] === '-' &&
    fields.slice(1).every((f) => !/^[+-]/.test(f.text));
  let unit: Unit | null = null;
  let pendingUnit = false;
  let ago = false;
  let infinite: Interval | null = null;
  let seen = 0;
  const last = fields.length - 1;
  for (let i = last; i >= 0; i--) {
    const f = fields[i];
    let mask = 0;
    const asTime = f.kind === 'time' ? clockMicros(f.text, range) : signedClock(f, range);
    if (asTime !== null) {
      const before = b.micros;
      if (before !== 0n && seen & SEEN_TIME) throw badFormat();
      b.micros = forceNegative && asTime > 0n ? -asTime : asTime;
      mask = SEEN_TIME;
      unit = 'day';
      pendingUnit = false;
    } else if (f.kind === 'word' || f.kind === 'special') {
      if (pendingUnit) throw badFormat();
      const word = intervalWord(f.text) ?? dateWord(f.text);
      if (word?.kind === 'ignore') continue;
      if (word?.kind === 'unit') {
        unit = word.value;
        pendingUnit = true;
      } else if (word?.kind === 'ago' && i === last) {
        ago = true;
      } else if (word?.kind === 'special' && i === last && /infinity$/.test(word.value)) {
        infinite = word.value === 'infinity' ? INTERVAL_INFINITY : INTERVAL_NEG_INFINITY;
        mask = SEEN.year | SEEN.month | SEEN.day | SEEN_TIME;
      } else throw badFormat();
    } else {
      unit ??= unitOfRange(range);
      let { value, end } = leadingBigint(f.text);
      let frac = 0;
      const negative = f.text[0] === '-';
      if (f.text[end] === '-') {
        const m = leadingInt(f.text, end + 1);
        if (m.value < 0 || m.value >= 12) throw overflow();
        if (m.end !== f.text.length) throw badFormat();
        unit = 'month';
        value = int64(value * 12n + BigInt(negative ? -m.value : m.value));
      } else if (f.text[end] === '.') {
        frac = fraction(f.text.slice(end));
        if (negative) frac = -frac;
      } else if (end !== f.text.length || end === 0) throw badFormat();
      if (forceNegative) {
        if (value > 0n) value = -value;
        if (frac > 0) frac = -frac;
      }
      mask = unit === 'second' && frac !== 0 ? SEEN_SECONDS : (SEEN[unit as keyof typeof SEEN] ?? 0);
      b.add(unit, value, frac);
      if (unit === 'hour') unit = 'day';
      pendingUnit = false;
    }
    if (mask & seen) throw badFormat();
    seen |= mask;
  }
  if (seen === 0 || pendingUnit) throw badFormat();
  if (infinite) return infinite;
  if (ago) b.negate();
  return b;
}

/** Unit of a bare number: the smallest field of the type, seconds when it names none. */
function unitOfRange(range: number): Unit {
  if (range === 0x7fff || range & RANGE.second) return 'second';
  if (range & RANGE.minute) return 'minute';
  if (range & RANGE.hour) return 'hour';
  if (range & RANGE.day) return 'day';
  return range & RANGE.month ? 'month' : 'year';
}

/** A signed hh:mm[:ss], which looks like a zone; null when the field is something else. */
function signedClock(f: Field, range: number): bigint | null {
  if (f.kind !== 'zone' || !f.text.includes(':')) return null;
  try {
    const micros = clockMicros(f.text.slice(1), range);
    return f.text[0] === '-' ? -micros : micros;
  } catch (e) {
    if (e instanceof FieldError) return null;
    throw e;
  }
}

/** hh:mm[:ss[.fff]], or mm:ss for `interval minute to second`. */
function clockMicros(text: string, range: number): bigint {
  const h = leadingBigint(text);
  if (text[h.end] !== ':') throw badFormat();
  const m = leadingInt(text, h.end + 1);
  let [hour, minute, second, micros] = [h.value, m.value, 0, 0];
  const next = text[m.end];
  if (next === '.' || (next === undefined && range === (RANGE.minute | RANGE.second))) {
    if (next === '.') micros = fractionMicros(text.slice(m.end));
    if (hour > BigInt(INT32_MAX) || hour < BigInt(INT32_MIN)) throw overflow();
    second = minute;
    minute = Number(hour);
    hour = 0n;
  } else if (next === ':') {
    const s = leadingInt(text, m.end + 1);
    second = s.value;
    if (text[s.end] === '.') micros = fractionMicros(text.slice(s.end));
    else if (s.end !== text.length) throw badFormat();
  } else if (next !== undefined) throw badFormat();
  if (hour < 0n || minute < 0 || minute > 59 || second < 0 || second > 60 || micros < 0 || micros > SECOND) {
    throw overflow();
  }
  return int64(hour * BigInt(HOUR) + BigInt(minute * MINUTE + second * SECOND + micros));
}

/** ISO 8601 durations, with designators or in the alternative format. */
function parseIsoInterval(text: string): IntervalBuilder {
  if (text.length < 2 || text[0] !== 'P') throw badFormat();
  const b = new IntervalBuilder();
  let at = 1;
  let inDate = true;
  let haveField = false;
  const number = () => {
    const m = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/.exec(text.slice(at));
    if (!m || text[at] === '+') throw badFormat();
    const exact = Number(m[0]);
    if (!(exact >= -1e15 && exact <= 1e15)) throw overflow();
    const start = at;
    at += m[0].length;
    const whole = Math.trunc(exact);
    const digits = /^\d*/.exec(text[start] === '-' ? text.slice(start + 1) : text.slice(start))![0].length;
    return { value: BigInt(whole), frac: exact - whole, digits };
  };
  while (at < text.length) {
    if (text[at] === 'T') {
      inDate = false;
      haveField = false;
      at++;
      continue;
    }
    const { value, frac, digits } = number();
    const unit = text.charAt(at);
    at++;
    if (inDate) {
      if (unit === 'Y') b.addYears(value, frac, 1);
      else if (unit === 'M') b.add('month', value, frac);
      else if (unit === 'W') b.add('week', value, frac);
      else if (unit === 'D') b.add('day', value, frac);
      else if ((unit === 'T' || unit === '') && digits === 8 && !haveField) {
        b.addYears(value / 10000n, 0, 1);
        b.addMonths((value / 100n) % 100n);
        b.addDays(value % 100n, 1);
        b.addFractionMicros(frac, DAY);
        inDate = false;
        haveField = false;
        continue;
      } else if (unit === 'T' || unit === '' || unit === '-') {
        if (haveField) throw badFormat();
        b.addYears(value, frac, 1);
        if (unit === 'T') {
          inDate = false;
          continue;
        }
        if (unit === '') return b;
        if (extendedDate()) {
          inDate = false;
          continue;
        }
        return b;
      } else throw badFormat();
    } else if (unit === 'H') b.add('hour', value, frac);
    else if (unit === 'M') b.add('minute', value, frac);
    else if (unit === 'S') b.add('second', value, frac);
    else if (unit === '' && digits === 6 && !haveField) {
      b.addMicros(value / 10000n, 0, HOUR);
      b.addMicros((value / 100n) % 100n, 0, MINUTE);
      b.addMicros(value % 100n, 0, SECOND);
      b.addFractionMicros(frac, 1);
      return b;
    } else if (unit === '' || unit === ':') {
      if (haveField) throw badFormat();
      b.add('hour', value, frac);
      if (unit === '') return b;
      const minutes = number();
      b.add('minute', minutes.value, minutes.frac);
      if (at >= text.length) return b;
      if (text[at++] !== ':') throw badFormat();
      const seconds = number();
      b.add('second', seconds.value, seconds.frac);
      if (at >= text.length) return b;
      throw badFormat();
    } else throw badFormat();
    haveField = true;
  }
  return b;

  /** -mm[-dd] after the years; true when a time part follows. */
  function extendedDate(): boolean {
    const months = number();
    b.add('month', months.value, months.frac);
    if (at >= text.length) return false;
    if (text[at] === 'T') return true;
    if (text[at++] !== '-') throw badFormat();
    const days = number();
    b.add('day', days.value, days.frac);
    if (at >= text.length) return false;
    if (text[at] === 'T') return true;
    throw badFormat();
  }
}
