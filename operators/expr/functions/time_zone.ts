/** AT TIME ZONE: the timezone(...) functions over timestamp, timestamptz and timetz. */
import type { Interval } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { checkTimestamp, isFiniteTimestamp, MICROS_PER_DAY, MICROS_PER_SECOND } from '../datetime/calendar.ts';
import { intervalOut } from '../datetime/interval_output.ts';
import { isFiniteInterval } from '../datetime/interval_value.ts';
import { parseOffset } from '../datetime/parse_clock.ts';
import { FieldError } from '../datetime/parse_error.ts';
import { sessionZone } from '../datetime/settings.ts';
import {
  findZone,
  fixedZone,
  toInstant,
  toLocal,
  type Zone,
  zoneNotRecognized,
  zoneOffsetAt,
} from '../datetime/time_zone.ts';
import { makeTimetz, timetzParts, timetzUtc } from '../datetime/timetz.ts';
import { zoneAbbreviation } from '../datetime/zone_abbreviations.ts';
import type { EvalContext } from '../ir.ts';
import { register } from './registry.ts';

/**
 * The zone a function argument names: an abbreviation, a full name or a POSIX form (22023 when none). With `offsets`, as in
 * make_timestamptz, `+hh:mm` is taken with the sign of ISO 8601, not of POSIX.
 */
export function zoneOfText(name: string, offsets = false): Zone {
  const offset = offsets ? offsetOf(name) : null;
  if (offset !== null) return fixedZone(offset);
  const abbreviation = zoneAbbreviation(name);
  if (abbreviation) return fixedZone(abbreviation.offset, name.toUpperCase());
  const zone = findZone(name);
  if (!zone) throw zoneNotRecognized(name);
  return zone;
}

/** Seconds east of UTC of a numeric zone; null when the text is not numeric. */
function offsetOf(name: string): number | null {
  if (/^\d/.test(name)) {
    throw new SqlError('22023', `invalid input syntax for type numeric time zone: "${name}"`, {
      hint: 'Numeric time zones must have "-" or "+" as first character.',
    });
  }
  try {
    return parseOffset(name);
  } catch (e) {
    if (!(e instanceof FieldError)) throw e;
    if (e.problem === 'zone_overflow') throw new SqlError('22023', `numeric time zone "${name}" out of range`);
    return null;
  }
}

/** The zone of an interval: an offset without months or days. */
function zoneOfInterval(i: Interval): Zone {
  if (!isFiniteInterval(i))
    throw new SqlError('22023', `interval time zone "${intervalOut(i, 'postgres')}" must be finite`);
  if (i.months !== 0 || i.days !== 0) {
    throw new SqlError('22023', `interval time zone "${intervalOut(i, 'postgres')}" must not include months or days`);
  }
  return fixedZone(Number(i.micros / MICROS_PER_SECOND));
}

// The zone is looked up only for finite values: an unknown one is no error for infinity.
const toZoned = (zone: () => Zone, t: bigint) => (isFiniteTimestamp(t) ? checkTimestamp(toInstant(zone(), t)) : t);
const toPlain = (zone: () => Zone, t: bigint) => (isFiniteTimestamp(t) ? checkTimestamp(toLocal(zone(), t)) : t);
const moveTimetz = (zone: Zone, d: string, ctx: EvalContext) => {
  const offset = zone.fixed ?? zoneOffsetAt(zone, ctx.now);
  const moved = timetzUtc(timetzParts(d)) + BigInt(offset) * MICROS_PER_SECOND;
  return makeTimetz(((moved % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY, offset);
};

register('timezone(text,timestamp)', (name: string, t: bigint) => toZoned(() => zoneOfText(name), t));
register('timezone(text,timestamptz)', (name: string, t: bigint) => toPlain(() => zoneOfText(name), t));
register('timezone(text,timetz)', (name: string, d: string, ctx: EvalContext) => moveTimetz(zoneOfText(name), d, ctx));
register('timezone(interval,timestamp)', (i: Interval, t: bigint) => toZoned(() => zoneOfInterval(i), t));
register('timezone(interval,timestamptz)', (i: Interval, t: bigint) => toPlain(() => zoneOfInterval(i), t));
register('timezone(interval,timetz)', (i: Interval, d: string, ctx: EvalContext) =>
  moveTimetz(zoneOfInterval(i), d, ctx),
);
register('timezone(timestamp)', (t: bigint, ctx: EvalContext) => toZoned(() => sessionZone(ctx), t));
register('timezone(timestamptz)', (t: bigint, ctx: EvalContext) => toPlain(() => sessionZone(ctx), t));
register('timezone(timetz)', (d: string, ctx: EvalContext) => moveTimetz(sessionZone(ctx), d, ctx));
