/**
 * Datetimes of a path: .datetime(), .date(), .time() and their kin read strings, convert and compare.
 *
 *   without a template   one of the ISO forms, date, time or both, with a zone or not
 *   with one             a template of to_timestamp that the text fits exactly; what it holds says the type
 *
 * A timestamptz shows the offset it was written with, after a conversion that of the session's zone. Conversions that need the
 * session's zone are refused (0A000, whatever `silent` says) but in the _tz functions.
 */
import type { Datum } from '../../../datum.ts';
import { isValueError, SqlError } from '../../../errors.ts';
import {
  END_DATE,
  MICROS_PER_SECOND,
  MIN_DATE,
  POSTGRES_EPOCH_JULIAN,
  timeFields,
  timeOfFields,
  timestampInRange,
  timestampOfFields,
  toJulian,
} from '../../datetime/calendar.ts';
import { roundMicros } from '../../datetime/interval_value.ts';
import { isoDateText, isoTimestampText, offsetText, timeText } from '../../datetime/output.ts';
import { makeTimetz, timetzParts } from '../../datetime/timetz.ts';
import { requireFunction } from '../../functions/registry.ts';
import type { EvalContext } from '../../ir.ts';
import { assembleDateTime } from '../../to_char/assemble.ts';
import {
  readStandardDateTime,
  type StandardType,
  standardTemplate,
  standardType,
} from '../../to_char/standard_datetime.ts';
import type { TemplateNode } from '../../to_char/template.ts';
import type { DatetimeMethod } from './syntax.ts';

/** `value` is the datum of the type; `offset`: seconds east of UTC that a timestamptz shows. */
export interface PathDatetime {
  k: 'datetime';
  type: StandardType;
  value: Datum;
  offset: number;
}

const TYPE_TEXT: Record<StandardType, string> = {
  date: 'date',
  time: 'time without time zone',
  timetz: 'time with time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
};

export function typeText(d: PathDatetime): string {
  return TYPE_TEXT[d.type];
}

/** The ISO text of a datetime, which is its jsonb string. */
export function datetimeText(d: PathDatetime): string {
  switch (d.type) {
    case 'date':
      return isoDateText(d.value as number);
    case 'time':
      return timeText(timeFields(d.value as bigint));
    case 'timetz': {
      const { micros, offset } = timetzParts(d.value as string);
      return timeText(timeFields(micros)) + longOffset(offset);
    }
    case 'timestamp':
      return isoTimestampText(d.value as bigint, null);
    case 'timestamptz': {
      const local = isoTimestampText((d.value as bigint) + BigInt(d.offset) * MICROS_PER_SECOND, null);
      const zone = longOffset(d.offset);
      return local.endsWith(' BC') ? `${local.slice(0, -3)}${zone} BC` : local + zone;
    }
  }
}

/** Minutes are always shown. */
function longOffset(offset: number): string {
  return offsetText(offset).replace(/^(...)$/, '$1:00');
}

/**
 * The ISO forms that a text may have, by what stands behind its first number and by what a zone is written with: a form that does not fit
 * costs an exception.
 */
function isoForms(text: string): string[] {
  const first = /^\s*[+-]?\d+(.)/.exec(text)?.[1];
  if (first !== '-' && first !== ':') return [];
  const clockAt = text.indexOf(':');
  if (clockAt < 0) return first === '-' ? ['yyyy-mm-dd'] : [];
  const date = first === ':' ? '' : `yyyy-mm-dd${text.slice(0, clockAt).includes('T') ? '"T"' : ' '}`;
  const clock = text.slice(clockAt);
  const time = clock.includes('.') ? 'HH24:MI:SS.US' : 'HH24:MI:SS';
  const plain = date + time;
  return /[^\d:.]/.test(clock) ? [`${plain}TZ`, plain] : [plain];
}

/** Reads one of the ISO forms; null when the text is none. */
export function readIso(text: string): PathDatetime | null {
  for (const template of isoForms(text)) {
    try {
      return readBy(text, standardTemplate(template));
    } catch (e) {
      if (!isValueError(e)) throw e;
    }
  }
  return null;
}

/** Reads a text by a template; errors are ordinary ones. */
export function readBy(text: string, nodes: TemplateNode[]): PathDatetime {
  const fields = readStandardDateTime(text, nodes);
  const { offset, ...f } = assembleDateTime(fields, text);
  const type = standardType(nodes, fields);
  const precise = (t: StandardType, value: Datum, east = 0): PathDatetime =>
    withPrecision({ k: 'datetime', type: t, value, offset: east }, fields.precision);
  switch (type) {
    case 'date': {
      const day = toJulian(f.year, f.month, f.day) - POSTGRES_EPOCH_JULIAN;
      if (day < MIN_DATE || day >= END_DATE) throw new SqlError('22008', `date out of range: "${text}"`);
      return { k: 'datetime', type, value: day, offset: 0 };
    }
    case 'time':
      return precise(type, timeOfFields(f));
    case 'timetz':
      return precise(type, makeTimetz(timeOfFields(f), offset ?? 0));
    case 'timestamp':
      return precise(type, inRange(type, timestampOfFields(f)));
    case 'timestamptz': {
      const east = offset ?? 0;
      return precise(type, inRange(type, timestampOfFields(f) - BigInt(east) * MICROS_PER_SECOND), east);
    }
  }
}

function inRange(type: StandardType, t: bigint): bigint {
  if (!timestampInRange(t)) throw new SqlError('22008', `${type} out of range`);
  return t;
}

/** Rounded to decimal places of the second. */
export function withPrecision(d: PathDatetime, places: number): PathDatetime {
  if (d.type === 'date' || places >= 6) return d;
  if (d.type !== 'timetz') return { ...d, value: roundMicros(d.value as bigint, places) };
  const { micros, offset } = timetzParts(d.value as string);
  return { ...d, value: makeTimetz(roundMicros(micros, places), offset) };
}

/** What each method makes of each type; missing: the text is no such datetime. */
const CONVERTED: Record<Exclude<DatetimeMethod, 'datetime'>, { type: StandardType; from: StandardType[] }> = {
  date: { type: 'date', from: ['date', 'timestamp', 'timestamptz'] },
  time: { type: 'time', from: ['time', 'timetz', 'timestamp', 'timestamptz'] },
  time_tz: { type: 'timetz', from: ['timetz', 'time', 'timestamptz'] },
  timestamp: { type: 'timestamp', from: ['timestamp', 'date', 'timestamptz'] },
  timestamp_tz: { type: 'timestamptz', from: ['timestamptz', 'date', 'timestamp'] },
};

/** Conversions that look at the session's zone. */
const BY_ZONE = new Set([
  'timestamptz date',
  'timestamptz time',
  'timestamptz timestamp',
  'timetz time',
  'time timetz',
  'date timestamptz',
  'timestamp timestamptz',
]);

/** The datetime as a method wants it; null when it cannot be that. `zoned`: the function is one of the _tz ones. */
export function convertTo(
  method: Exclude<DatetimeMethod, 'datetime'>,
  d: PathDatetime,
  zoned: boolean,
  ctx: EvalContext,
): PathDatetime | null {
  const { type, from } = CONVERTED[method];
  if (!from.includes(d.type)) return null;
  if (type === d.type) return d;
  checkZone(d.type, type, zoned);
  const value = requireFunction(`${type}(${d.type})`)(d.value, ctx);
  if (type !== 'timestamptz') return { k: 'datetime', type, value, offset: 0 };
  // The offset that was taken, which is not the zone's at the instant when the local time is one that was skipped.
  const local = (d.type === 'date' ? requireFunction('timestamp(date)')(d.value, ctx) : d.value) as bigint;
  return { k: 'datetime', type, value, offset: Number((local - (value as bigint)) / MICROS_PER_SECOND) };
}

function checkZone(from: StandardType, to: StandardType, zoned: boolean): void {
  if (zoned || !BY_ZONE.has(`${from} ${to}`)) return;
  throw new SqlError('0A000', `cannot convert value from ${from} to ${to} without time zone usage`, {
    hint: 'Use *_tz() function for time zone support.',
  });
}

/** The order of two datetimes; null for a time beside a date. */
export function compareDatetimes(a: PathDatetime, b: PathDatetime, zoned: boolean, ctx: EvalContext): number | null {
  if (a.type === b.type) return compare(`${a.type}_cmp(${a.type},${a.type})`, a.value, b.value, ctx);
  const [less, more] = rank(a) < rank(b) ? [a, b] : [b, a];
  const isTime = less.type === 'time';
  if (isTime !== (more.type === 'timetz') || more.type === 'time') return null;
  checkZone(less.type, more.type, zoned);
  const order = isTime
    ? compare('timetz_cmp(timetz,timetz)', requireFunction('timetz(time)')(less.value, ctx), more.value, ctx)
    : compare(`${less.type}_cmp_${more.type}(${less.type},${more.type})`, less.value, more.value, ctx);
  return less === a ? order : 0 - order;
}

const RANKS: StandardType[] = ['date', 'timestamp', 'timestamptz', 'time', 'timetz'];
const rank = (d: PathDatetime): number => RANKS.indexOf(d.type);

function compare(fn: string, a: Datum, b: Datum, ctx: EvalContext): number {
  return requireFunction(fn)(a, b, ctx) as number;
}
