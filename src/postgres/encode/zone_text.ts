/**
 * UTC offsets of the session's zone for timestamptz output. Zones of the tz database are asked of Intl once per quarter of an hour
 * that occurs (every transition since 1970 falls on one) and remembered; POSIX zones with rules and times before 1970 go the
 * general way.
 *
 *   offset 0 -> '+00'    19800 -> '+05:30'    -12600 -> '-03:30'
 */
import { writeTwo } from './digits.ts';

/** Seconds east of Greenwich at microseconds since 2000-01-01 UTC; NaN: unknown here. */
export type OffsetFinder = (micros: number) => number;

const QUARTER_MICROS = 900000000;
const EPOCH_DIFF_MILLIS = 946684800000;
/** 1972-01-01, since when offsets are whole minutes and tzdata is not contested. */
const FIRST_KNOWN = -883612800000000;
const REMEMBERED = 4096;

const UTC_NAMES = new Set(['UTC', 'GMT', 'Etc/UTC', 'Etc/GMT', 'Zulu', 'Universal', 'UCT', 'Greenwich', 'Etc/UCT', 'Etc/Zulu']);
const FIXED = /^<[+-][\d:]+>([+-])(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?$/;

function namedZone(zone: string): OffsetFinder | null {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch (cause) {
    if (cause instanceof RangeError) return null;
    throw cause;
  }
  const known = new Map<number, number>();
  let lastQuarter = Number.NaN;
  let lastOffset = 0;
  return (micros) => {
    const quarter = Math.floor(micros / QUARTER_MICROS);
    if (quarter === lastQuarter) return lastOffset;
    if (micros < FIRST_KNOWN) return Number.NaN;
    let offset = known.get(quarter);
    if (offset === undefined) {
      const parts = format.formatToParts(new Date(quarter * 900000 + EPOCH_DIFF_MILLIS));
      const text = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
      const match = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
      if (match === null) return Number.NaN;
      const size = Number(match[2] ?? 0) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0);
      offset = match[1] === '-' ? -size : size;
      if (known.size >= REMEMBERED) known.clear();
      known.set(quarter, offset);
    }
    lastQuarter = quarter;
    lastOffset = offset;
    return offset;
  };
}

/** Null when the zone's offsets are not known here. */
export function offsetFinder(zone: string): OffsetFinder | null {
  if (UTC_NAMES.has(zone)) return () => 0;
  const fixed = FIXED.exec(zone);
  if (fixed !== null) {
    const size = Number(fixed[2]) * 3600 + Number(fixed[3] ?? 0) * 60 + Number(fixed[4] ?? 0);
    const east = fixed[1] === '-' ? size : -size;
    return () => east;
  }
  return /^[A-Z][A-Za-z_]+\//.test(zone) ? namedZone(zone) : null;
}

/** `+05`, `+05:30` or `+05:30:15`; at most 9 bytes. */
export function writeOffset(buf: Uint8Array, pos: number, offset: number): number {
  buf[pos] = offset < 0 ? 45 : 43;
  const size = offset < 0 ? -offset : offset;
  const hours = Math.floor(size / 3600);
  const minutes = Math.floor(size / 60) % 60;
  const seconds = size % 60;
  let at = writeTwo(buf, pos + 1, hours);
  if (minutes === 0 && seconds === 0) return at;
  buf[at] = 58;
  at = writeTwo(buf, at + 1, minutes);
  if (seconds === 0) return at;
  buf[at] = 58;
  return writeTwo(buf, at + 1, seconds);
}
