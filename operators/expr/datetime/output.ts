/**
 * Datum to text for date, time, timestamp and timestamptz in the four DateStyles.
 *
 *   ISO       2001-02-03 04:05:06.789+07      SQL     02/03/2001 04:05:06.789 PST
 *   Postgres  Sat Feb 03 04:05:06.789 2001 PST    German  03.02.2001 04:05:06.789 PST
 */
import { DATE_INFINITY, DATE_NEG_INFINITY, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from '../../datum.ts';
import type { EvalContext } from '../ir.ts';
import {
  type DateTimeFields,
  fromJulian,
  MICROS_PER_SECOND,
  POSTGRES_EPOCH_JULIAN,
  timeFields,
  timestampFields,
  toJulian,
  weekday,
} from './calendar.ts';
import { dateStyleOf, sessionZone } from './settings.ts';
import { unixSecondsOf } from './time_zone.ts';

export const MONTH_NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
export const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

const TWO = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'));
/** Two digits; n is 0 to 99. */
export const two = (n: number) => TWO[n];

/** `ss` or `ss.fff` without trailing zeros. */
export function secondsText(second: number, micros: number, pad = true): string {
  const whole = pad ? two(second) : String(second);
  return micros === 0 ? whole : `${whole}.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
}

/** `hh:mm:ss[.fff]` */
export function timeText(t: Pick<DateTimeFields, 'hour' | 'minute' | 'second' | 'micros'>): string {
  return `${two(t.hour)}:${two(t.minute)}:${secondsText(t.second, t.micros)}`;
}

/** `+hh[:mm[:ss]]` of seconds east of UTC. */
export function offsetText(offset: number): string {
  const abs = Math.abs(offset);
  const [h, m, s] = [Math.floor(abs / 3600), Math.floor(abs / 60) % 60, abs % 60];
  const rest = s !== 0 ? `:${two(m)}:${two(s)}` : m !== 0 ? `:${two(m)}` : '';
  return `${offset < 0 ? '-' : '+'}${two(h)}${rest}`;
}

const yearText = (year: number) => String(year > 0 ? year : 1 - year).padStart(4, '0');

function dayText(f: Pick<DateTimeFields, 'year' | 'month' | 'day'>, ctx: EvalContext): string {
  const { style, order } = dateStyleOf(ctx.dateStyle);
  const year = yearText(f.year);
  const dayFirst = order === 'DMY';
  switch (style) {
    case 'ISO':
      return `${year}-${two(f.month)}-${two(f.day)}`;
    case 'German':
      return `${two(f.day)}.${two(f.month)}.${year}`;
    case 'SQL':
      return dayFirst ? `${two(f.day)}/${two(f.month)}/${year}` : `${two(f.month)}/${two(f.day)}/${year}`;
    case 'Postgres':
      return dayFirst ? `${two(f.day)}-${two(f.month)}-${year}` : `${two(f.month)}-${two(f.day)}-${year}`;
  }
}

export function dateOut(d: number, ctx: EvalContext): string {
  if (d === DATE_INFINITY) return 'infinity';
  if (d === DATE_NEG_INFINITY) return '-infinity';
  const f = fromJulian(d + POSTGRES_EPOCH_JULIAN);
  return dayText(f, ctx) + (f.year <= 0 ? ' BC' : '');
}

export function timeOut(t: bigint): string {
  return timeText(timeFields(t));
}

export function timestampOut(t: bigint, ctx: EvalContext): string {
  if (t === TIMESTAMP_INFINITY) return 'infinity';
  if (t === TIMESTAMP_NEG_INFINITY) return '-infinity';
  return dateTimeText(timestampFields(t), null, ctx);
}

export function timestamptzOut(t: bigint, ctx: EvalContext): string {
  if (t === TIMESTAMP_INFINITY) return 'infinity';
  if (t === TIMESTAMP_NEG_INFINITY) return '-infinity';
  const zone = sessionZone(ctx);
  const seconds = unixSecondsOf(t);
  const offset = zone.offsetAt(seconds);
  const local = timestampFields(t + BigInt(offset) * MICROS_PER_SECOND);
  const name = () => zone.abbreviationAt(seconds);
  return dateTimeText(local, { offset, name }, ctx);
}

function dateTimeText(
  f: DateTimeFields,
  zone: { offset: number; name: () => string } | null,
  ctx: EvalContext,
): string {
  const { style, order } = dateStyleOf(ctx.dateStyle);
  const era = f.year <= 0 ? ' BC' : '';
  if (style === 'ISO') return `${dayText(f, ctx)} ${timeText(f)}${zone ? offsetText(zone.offset) : ''}${era}`;
  const name = zone?.name() ?? '';
  if (style !== 'Postgres') {
    const zoneText = !zone ? '' : name !== '' ? ` ${name}` : offsetText(zone.offset);
    return `${dayText(f, ctx)} ${timeText(f)}${zoneText}${era}`;
  }
  const zoneText = !zone ? '' : name !== '' ? ` ${name}` : ` ${offsetText(zone.offset)}`;
  const month = MONTH_NAMES[f.month - 1];
  const day = order === 'DMY' ? `${two(f.day)} ${month}` : `${month} ${two(f.day)}`;
  const dow = DAY_NAMES[weekday(toJulian(f.year, f.month, f.day))];
  return `${dow} ${day} ${timeText(f)} ${yearText(f.year)}${zoneText}${era}`;
}

/** ISO 8601 text of a date, whatever DateStyle says. */
export function isoDateText(d: number): string {
  if (d === DATE_INFINITY) return 'infinity';
  if (d === DATE_NEG_INFINITY) return '-infinity';
  return isoDay(fromJulian(d + POSTGRES_EPOCH_JULIAN));
}

function isoDay(f: { year: number; month: number; day: number }, era = true): string {
  return `${yearText(f.year)}-${two(f.month)}-${two(f.day)}${era && f.year <= 0 ? ' BC' : ''}`;
}

/** `2001-02-03T04:05:06.789`, with `+hh:mm` in the session's zone when a context is given. */
export function isoTimestampText(t: bigint, zoned: EvalContext | null): string {
  if (t === TIMESTAMP_INFINITY) return 'infinity';
  if (t === TIMESTAMP_NEG_INFINITY) return '-infinity';
  const offset = zoned ? sessionZone(zoned).offsetAt(unixSecondsOf(t)) : 0;
  const f = timestampFields(t + BigInt(offset) * MICROS_PER_SECOND);
  const zone = zoned ? offsetText(offset).replace(/^(...)$/, '$1:00') : '';
  return `${isoDay(f, false)}T${timeText(f)}${zone}${f.year <= 0 ? ' BC' : ''}`;
}
