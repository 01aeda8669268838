/** Text to datum for date, time, timestamp and timestamptz, with PostgreSQL's errors. */
import { DATE_INFINITY, DATE_NEG_INFINITY, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import type { EvalContext } from '../ir.ts';
import {
  END_DATE,
  EPOCH_DIFF_MICROS,
  MICROS_PER_SECOND,
  MIN_DATE,
  POSTGRES_EPOCH_JULIAN,
  timestampInRange,
  timestampOfFields,
  toJulian,
} from './calendar.ts';
import { parseDateTime } from './parse_datetime.ts';
import { reporting } from './parse_error.ts';
import { parseIso } from './parse_iso.ts';
import { parseTime } from './parse_time.ts';
import { parseSettings, sessionZone } from './settings.ts';
import { toInstant } from './time_zone.ts';

const DATE_OF = { infinity: DATE_INFINITY, '-infinity': DATE_NEG_INFINITY, epoch: -10957 };
const TIMESTAMP_OF = { infinity: TIMESTAMP_INFINITY, '-infinity': TIMESTAMP_NEG_INFINITY, epoch: -EPOCH_DIFF_MICROS };

/** Days since 2000. */
export function dateIn(text: string, ctx: EvalContext): number {
  const iso = parseIso(text);
  if (iso) return toJulian(iso.fields.year, iso.fields.month, iso.fields.day) - POSTGRES_EPOCH_JULIAN;
  const parsed = reporting(text, 'date', () => parseDateTime(text, parseSettings(ctx)));
  if (parsed.kind !== 'time') return DATE_OF[parsed.kind];
  const { year, month, day } = parsed.fields;
  const date = toJulian(year, month, day) - POSTGRES_EPOCH_JULIAN;
  if (date < MIN_DATE || date >= END_DATE) throw new SqlError('22008', `date out of range: "${text}"`);
  return date;
}

/** Microseconds since 2000, local for timestamp (a zone in the text is ignored), UTC for timestamptz. */
export function timestampIn(text: string, withZone: boolean, ctx: EvalContext): bigint {
  const iso = parseIso(text);
  if (iso) {
    const local = timestampOfFields(iso.fields);
    if (!withZone) return local;
    return iso.offset === null ? toInstant(sessionZone(ctx), local) : local - BigInt(iso.offset) * MICROS_PER_SECOND;
  }
  const typeName = withZone ? 'timestamp with time zone' : 'timestamp';
  const parsed = reporting(text, typeName, () => parseDateTime(text, parseSettings(ctx)));
  if (parsed.kind !== 'time') return TIMESTAMP_OF[parsed.kind];
  let t = timestampOfFields(parsed.fields);
  if (withZone) t -= BigInt(parsed.offset) * MICROS_PER_SECOND;
  if (!timestampInRange(t)) throw new SqlError('22008', `timestamp out of range: "${text}"`);
  return t;
}

/** Microseconds of the day. */
export function timeIn(text: string, ctx: EvalContext): bigint {
  return reporting(text, 'time', () => parseTime(text, parseSettings(ctx))).micros;
}

/** Microseconds of the day and seconds east of UTC. */
export function timetzIn(text: string, ctx: EvalContext): { micros: bigint; offset: number } {
  return reporting(text, 'time with time zone', () => parseTime(text, parseSettings(ctx)));
}
