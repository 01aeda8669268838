/**
 * Inline forms of dates and timestamps. A time that reaches a kernel is within 2^53 microseconds of 2000, the years 1714 to 2285; infinite
 * ones have bailed. Of timestamptz what the zone decides is inline while the zone is UTC.
 */
import type { Arena } from '../../batch/arena.ts';
import { pointVarlen } from '../../batch/slots.ts';
import type { Interval } from '../../datum.ts';
import { kernels } from '../../kernels/index.ts';
import { POSTGRES_EPOCH_JULIAN, toJulian } from '../datetime/calendar.ts';
import { extractUnit, truncUnit } from '../datetime/words.ts';
import { CalendarDay, type TimeWriter, timeWriter } from '../to_char/byte_writer.ts';
import { floorRemainder } from './remainders.ts';
import {
  bool,
  COMPARISONS,
  float,
  type Inline,
  int,
  numeric,
  OVER,
  SAFE,
  type Site,
  slot,
  type Template,
  templates,
} from './templates.ts';
import type { Value } from './values.ts';

export const DAY = 86400000000;
export const UNIX_EPOCH = 946684800000000;
const NOT_UTC = `context.timeZone !== 'UTC'`;

for (const type of ['date', 'time', 'timestamp', 'timestamptz']) {
  for (const [op, sign] of COMPARISONS)
    templates.set(`${type}_${op}(${type},${type})`, ([a, b]) => bool(`${a.v} ${sign} ${b.v}`));
}

/** Microseconds of an interval constant that moves every time by the same; null for months, and for days where days vary. */
export function fixedMicros(constant: unknown, days: boolean): number | null {
  const by = constant as Interval | undefined | null;
  if (by === undefined || by === null || by.months !== 0 || (by.days !== 0 && !days)) return null;
  const micros = by.days * DAY + Number(by.micros);
  return Number.isSafeInteger(micros) ? micros : null;
}

function shiftTime(sign: '+' | '-', days: boolean): Template {
  return ([a], [, interval]) => {
    const micros = fixedMicros(interval, days);
    return micros === null ? null : int(`${a.v} ${sign} ${micros}`, OVER.int8);
  };
}
templates.set('timestamp_pl_interval(timestamp,interval)', shiftTime('+', true));
templates.set('timestamp_mi_interval(timestamp,interval)', shiftTime('-', true));
templates.set('timestamptz_pl_interval(timestamptz,interval)', shiftTime('+', false));
templates.set('timestamptz_mi_interval(timestamptz,interval)', shiftTime('-', false));

/** The remainder of floor division. */
const modulo = (site: Site, t: string, size: number) => `${site.use(floorRemainder)}(${t}, ${size})`;

/** The day of a time or date as a CalendarDay's fields; one for all fields of one value. */
function calendar(value: Value, site: Site, micros: boolean): string {
  const day = micros ? `Math.floor(${value.v} / ${DAY})` : value.v;
  return site.share(
    `day of ${value.v}`,
    () => new CalendarDay(),
    (name) => `${name}.set(${day});`,
  );
}

const CLOCK: Record<string, (t: string, site: Site) => [value: string, scale: number]> = {
  hour: (t, site) => [`Math.floor(${modulo(site, t, DAY)} / 3600000000)`, 0],
  minute: (t, site) => [`Math.floor(${modulo(site, t, 3600000000)} / 60000000)`, 0],
  second: (t, site) => [modulo(site, t, 60000000), 6],
  millisecond: (t, site) => [modulo(site, t, 60000000), 3],
  microsecond: (t, site) => [modulo(site, t, 60000000), 0],
  epoch: (t) => [`${t} + ${UNIX_EPOCH}`, 6],
};
const CALENDAR: Record<string, (d: string) => string> = {
  day: (d) => `${d}.day`,
  month: (d) => `${d}.month`,
  quarter: (d) => `Math.floor((${d}.month + 2) / 3)`,
  year: (d) => `${d}.year`,
  week: (d) => `${d}.iso.week`,
  isoyear: (d) => `${d}.iso.isoYear`,
  dow: (d) => `${d}.weekday`,
  isodow: (d) => `(${d}.weekday + 6) % 7 + 1`,
  doy: (d) => `${d}.dayOfYear`,
};

/** A field as numeric (extract) or float8 (date_part). */
function field(value: Value, name: unknown, site: Site, micros: boolean, asFloat: boolean): Inline | null {
  const unit = typeof name === 'string' ? extractUnit(name) : undefined;
  if (unit === undefined) return null;
  let v: string;
  let scale = 0;
  if (unit in CALENDAR) v = CALENDAR[unit](calendar(value, site, micros));
  else if (micros && unit in CLOCK) [v, scale] = CLOCK[unit](value.v, site);
  else return null;
  // Dates reach further than times: years that are not counted plainly go to the interpreter.
  const bails = micros ? [OVER.int8] : [`${value.v} < ${FIRST_DAY} || ${value.v} > ${LAST_DAY}`];
  if (asFloat) return float(`(${v}) / 1e${scale}`, `Math.abs(${v}) > ${SAFE}`);
  return numeric(v, String(scale), ...bails);
}
const FIRST_DAY = toJulian(1, 1, 1) - POSTGRES_EPOCH_JULIAN;
const LAST_DAY = toJulian(9999, 12, 31) - POSTGRES_EPOCH_JULIAN;

/** The same function of timestamptz while the session's zone is UTC. */
function inUtc(template: Template): Template {
  return (args, constants, site) => {
    const made = template(args, constants, site);
    return made && { ...made, bails: [NOT_UTC, ...(made.bails ?? [])] };
  };
}

function zoned(name: (type: string) => string, template: Template): void {
  templates.set(name('timestamp'), template);
  templates.set(name('timestamptz'), inUtc(template));
}

zoned(
  (type) => `extract(text,${type})`,
  ([, t], [unit], site) => field(t, unit, site, true, false),
);
zoned(
  (type) => `date_part(text,${type})`,
  ([, t], [unit], site) => field(t, unit, site, true, true),
);
templates.set('extract(text,date)', ([, d], [unit], site) => field(d, unit, site, false, false));

/** First microsecond of the calendar's month, quarter or year. */
function firstOf(d: CalendarDay, months: number): number {
  const month = d.month - ((d.month - 1) % months);
  return (toJulian(d.year, month, 1) - POSTGRES_EPOCH_JULIAN) * DAY;
}

export const FIXED_UNITS: Record<string, number> = {
  microsecond: 1,
  millisecond: 1000,
  second: 1000000,
  minute: 60000000,
  hour: 3600000000,
  day: DAY,
};
const MONTHS: Record<string, number> = { month: 1, quarter: 3, year: 12 };
/** 2000-01-01 was a Saturday; ISO weeks begin on Mondays. */
const MONDAY = 5 * DAY;

zoned(
  (type) => `date_trunc(text,${type})`,
  ([, t], [name], site) => {
    const unit = typeof name === 'string' ? truncUnit(name) : undefined;
    if (unit === undefined) return null;
    if (unit in FIXED_UNITS) return int(`${t.v} - ${modulo(site, t.v, FIXED_UNITS[unit])}`, OVER.int8);
    if (unit === 'week') return int(`${t.v} - ${modulo(site, `${t.v} + ${MONDAY}`, 7 * DAY)}`, OVER.int8);
    if (!(unit in MONTHS)) return null;
    return int(`${site.use(firstOf)}(${calendar(t, site, true)}, ${MONTHS[unit]})`, OVER.int8);
  },
);

for (const type of ['timestamp', 'timestamptz']) {
  templates.set(`date_bin(interval,${type},${type})`, ([, t, origin], [stride], site) => {
    const size = fixedMicros(stride, true);
    // A remainder plus the size must stay exact.
    if (size === null || size <= 0 || size > 2 ** 52) return null;
    const distance = `${t.v} - ${origin.v}`;
    return int(`${t.v} - ${modulo(site, distance, size)}`, `Math.abs(${distance}) > ${2 ** 52}`, OVER.int8);
  });
}
// Within a statement or tick these stand still.
for (const name of ['now', 'transaction_timestamp', 'statement_timestamp'])
  templates.set(`${name}()`, () => int('Number(context.now)', OVER.int8));
templates.set('timestamptz(timestamp)', ([t]) => int(t.v, NOT_UTC));
templates.set('timestamp(timestamptz)', ([t]) => int(t.v, NOT_UTC));
templates.set('date(timestamp)', ([t]) => int(`Math.floor(${t.v} / ${DAY})`));
templates.set('timestamp(date)', ([d]) => int(`${d.v} * ${DAY}`, OVER.int8));

/** to_char by one template: the text of the last value is kept while it stays the same. */
export class TimeText {
  readonly #writer: TimeWriter;
  readonly #slot: number;
  /** Where a text is written before its length is known. */
  readonly #scratch: number;
  #arena: Arena | null = null;
  #last = Number.NaN;

  constructor(writer: TimeWriter, slot: number, scratch: number) {
    this.#writer = writer;
    this.#slot = slot;
    this.#scratch = scratch;
  }

  begin(arena: Arena): void {
    this.#arena = arena;
    this.#last = Number.NaN;
  }

  /** Slot of the text. */
  at(t: number): number {
    const writer = this.#writer;
    const same = Math.floor(t / writer.unit);
    if (same === this.#last) return this.#slot;
    this.#last = same;
    const scratch = this.#scratch;
    const length = writer.write(t, scratch) - scratch;
    let address = scratch;
    if (length > 12 && this.#arena !== null) {
      address = this.#arena.alloc(length);
      kernels.copyBytes(address, scratch, length);
    }
    pointVarlen(this.#slot, address, length);
    return this.#slot;
  }
}

zoned(
  (type) => `to_char(${type},text)`,
  ([t], [, template], site) => {
    const writer = typeof template === 'string' && template !== '' ? timeWriter(template) : null;
    if (writer === null) return null;
    const text = new TimeText(writer, site.slot(), site.bytes(writer.bytes));
    return slot(`${site.use(text)}.at(${t.v})`);
  },
);
