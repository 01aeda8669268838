/**
 * time with time zone. The datum is its text; the order is by UTC time, then by seconds west of UTC.
 */
import { MICROS_PER_SECOND, timeFields, timeOfFields } from './calendar.ts';
import { offsetText, timeText } from './output.ts';

/** Datum of a time of day and seconds east of UTC. */
export function makeTimetz(micros: bigint, offset: number): string {
  return timeText(timeFields(micros)) + offsetText(offset);
}

const PARTS = /^(\d\d):(\d\d):(\d\d)(?:\.(\d+))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/;

/** Time of day and seconds east of UTC of a datum. */
export function timetzParts(d: string): { micros: bigint; offset: number } {
  const m = PARTS.exec(d);
  if (!m) throw new Error(`not a timetz datum: ${d}`);
  const [, hour, minute, second, fraction = '', sign, h, min = '0', s = '0'] = m;
  const east = (Number(h) * 60 + Number(min)) * 60 + Number(s);
  return {
    micros: timeOfFields({
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
      micros: Number(fraction.padEnd(6, '0')),
    }),
    offset: sign === '-' ? 0 - east : east,
  };
}

/** Microseconds of the day in UTC; may be below 0 or above 24 hours. */
export function timetzUtc(p: { micros: bigint; offset: number }): bigint {
  return p.micros - BigInt(p.offset) * MICROS_PER_SECOND;
}

export function compareTimetz(a: string, b: string): number {
  const [pa, pb] = [timetzParts(a), timetzParts(b)];
  const [ua, ub] = [timetzUtc(pa), timetzUtc(pb)];
  if (ua !== ub) return ua < ub ? -1 : 1;
  return pb.offset - pa.offset;
}
