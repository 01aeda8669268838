/**
 * Time zones by name: offset of an instant, and the instant of a local time, as PostgreSQL decides it.
 *
 * Named zones come from the platform's Intl data; what Intl says is asked once a year of a zone (sampled every ten days, then
 * bisected to the second) and kept as a list of segments, so a lookup is a map access and a short scan. POSIX forms such as
 * `<+03>-03` and `UTC+3` (sign: west is positive) are fixed offsets.
 *
 * Traps: Gregorian years repeat every 400 years, which is used past 2800; before 1800 every zone has its local mean time. In
 * a gap (clocks go forward) the offset before it holds, in an overlap the offset after it.
 */
import { SqlError } from '../../errors.ts';
import { EPOCH_DIFF_SECONDS, floorDiv, MICROS_PER_SECOND, SECONDS_PER_DAY } from './calendar.ts';

/** `from` is seconds since 1970 (UTC), `offset` seconds east of UTC. */
interface Segment {
  from: number;
  offset: number;
}

export interface Zone {
  name: string;
  /** The one offset that it always has; null when it changes. */
  fixed: number | null;
  /** Seconds east of UTC at an instant in seconds since 1970. */
  offsetAt(unixSeconds: number): number;
  /** Short name at an instant, such as CET; empty when the zone has only a number. */
  abbreviationAt(unixSeconds: number): string;
  /** First change of offset after an instant, if it comes within two days. */
  changeAfter(unixSeconds: number): { at: number; offset: number } | null;
}

const zones = new Map<string, Zone | null>();

/** The zone of a full name or POSIX form in any case; undefined when there is none. */
export function findZone(name: string): Zone | undefined {
  const key = name.toLowerCase();
  let zone = zones.get(key);
  if (zone === undefined) {
    zone = posixZone(name) ?? namedZone(name);
    zones.set(key, zone);
  }
  return zone ?? undefined;
}

/** As `findZone`, but an unknown zone is error 22023. */
export function requireZone(name: string): Zone {
  const zone = findZone(name);
  if (!zone) throw zoneNotRecognized(name);
  return zone;
}

export function zoneNotRecognized(name: string): SqlError {
  return new SqlError('22023', `time zone "${name}" not recognized`);
}

/** A zone of one offset, seconds east of UTC. */
export function fixedZone(offset: number, name = ''): Zone {
  return { name, fixed: offset, offsetAt: () => offset, abbreviationAt: () => name, changeAfter: () => null };
}

/** Offset east of UTC, in seconds, that a local time (seconds since 1970 as if it were UTC) has in a zone. */
export function localOffset(zone: Zone, localSeconds: number): number {
  const dayBefore = localSeconds - SECONDS_PER_DAY;
  const before = zone.offsetAt(dayBefore);
  const change = zone.changeAfter(dayBefore);
  if (!change) return before;
  const timeBefore = localSeconds - before;
  const timeAfter = localSeconds - change.offset;
  if (timeBefore < change.at && timeAfter < change.at) return before;
  if (timeBefore > change.at && timeAfter >= change.at) return change.offset;
  return timeBefore > timeAfter ? before : change.offset;
}

/** Offset east of UTC at a timestamptz, in seconds. */
export function zoneOffsetAt(zone: Zone, t: bigint): number {
  return zone.offsetAt(unixSecondsOf(t));
}

/** Whole seconds since 1970 of a timestamp. */
export function unixSecondsOf(t: bigint): number {
  const n = Number(t);
  if (Number.isSafeInteger(n)) return Math.floor(n / 1_000_000) + EPOCH_DIFF_SECONDS;
  return Number(floorDiv(t, MICROS_PER_SECOND)) + EPOCH_DIFF_SECONDS;
}

/** Local timestamp of an instant; no range check. */
export function toLocal(zone: Zone, t: bigint): bigint {
  return t + BigInt(zoneOffsetAt(zone, t)) * MICROS_PER_SECOND;
}

/** Instant of a local timestamp; no range check. */
export function toInstant(zone: Zone, local: bigint): bigint {
  return local - BigInt(localOffset(zone, unixSecondsOf(local))) * MICROS_PER_SECOND;
}

const POSIX = /^(?:<([A-Za-z0-9+:-]*)>|([A-Za-z]*))([+-]?)(\d{1,3})(?::(\d{1,2}))?(?::(\d{1,2}))?$/;

function posixZone(name: string): Zone | null {
  const m = POSIX.exec(name);
  if (!m) return null;
  const [, quoted, plain, sign, hours, minutes = '0', seconds = '0'] = m;
  if (Number(hours) > 167 || Number(minutes) > 59 || Number(seconds) > 59) return null;
  const west = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return fixedZone(sign === '-' ? west : 0 - west, quoted ?? plain);
}

const SECONDS_PER_YEAR_CYCLE = 146097 * SECONDS_PER_DAY;
/** 1800-01-01 and 2800-01-01 in seconds since 1970. */
const FIRST_SECOND = -5_364_662_400;
const LAST_SECOND = 26_192_246_400;
const SAMPLE_SECONDS = 10 * SECONDS_PER_DAY;
/** Locales whose short zone names cover each other's gaps. */
const NAME_LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'en-NZ'];

function namedZone(name: string): Zone | null {
  if (!/^[A-Za-z]/.test(name)) return null;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (e) {
    if (e instanceof RangeError) return null;
    throw e;
  }
  return new IntlZone(name, format);
}

/** What the tz database calls a zone that has no letters, whole minutes from UTC: `+0545`, `-03`. */
function digitsOf(offset: number): string {
  const minutes = Math.abs(offset) / 60;
  const two = (n: number) => String(n).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${minutes % 60 === 0 ? '' : two(minutes % 60)}`;
}

const UTC_NAMES = /^(etc\/)?(utc|uct|gmt|gmt[+-]?0|zulu|universal|greenwich)$/i;

class IntlZone implements Zone {
  readonly name: string;
  readonly fixed: number | null;
  private readonly format: Intl.DateTimeFormat;
  private readonly years = new Map<number, Segment[]>();
  private names: Intl.DateTimeFormat[] | null = null;

  constructor(name: string, format: Intl.DateTimeFormat) {
    this.fixed = UTC_NAMES.test(name) ? 0 : null;
    this.name = name;
    this.format = format;
  }

  offsetAt(unixSeconds: number): number {
    const t = intoKnownYears(unixSeconds);
    const segments = this.segmentsOf(new Date(t * 1000).getUTCFullYear());
    let i = segments.length - 1;
    while (i > 0 && segments[i].from > t) i--;
    return segments[i].offset;
  }

  changeAfter(unixSeconds: number): { at: number; offset: number } | null {
    const t = intoKnownYears(unixSeconds);
    const shift = unixSeconds - t;
    const until = t + 2 * SECONDS_PER_DAY;
    const lastYear = new Date(until * 1000).getUTCFullYear();
    let offset = this.offsetAt(t);
    for (let year = new Date(t * 1000).getUTCFullYear(); year <= lastYear; year++) {
      for (const s of this.segmentsOf(year)) {
        if (s.from > until) return null;
        if (s.from > t && s.offset !== offset) return { at: s.from + shift, offset: s.offset };
        offset = s.from > t ? s.offset : offset;
      }
    }
    return null;
  }

  abbreviationAt(unixSeconds: number): string {
    const t = new Date(intoKnownYears(unixSeconds) * 1000);
    this.names ??= NAME_LOCALES.map(
      (locale) => new Intl.DateTimeFormat(locale, { timeZone: this.name, timeZoneName: 'short' }),
    );
    // Local mean time, before standard time came; no later offset has odd seconds.
    if (this.offsetAt(unixSeconds) % 60 !== 0) return 'LMT';
    for (const format of this.names) {
      const short = format.formatToParts(t).find((p) => p.type === 'timeZoneName')?.value ?? '';
      if (/^[A-Z]{3,5}$/.test(short)) return short;
    }
    return digitsOf(this.offsetAt(unixSeconds));
  }

  private segmentsOf(year: number): Segment[] {
    let segments = this.years.get(year);
    if (!segments) {
      segments = this.scan(Date.UTC(year, 0, 1) / 1000, Date.UTC(year + 1, 0, 1) / 1000);
      this.years.set(year, segments);
    }
    return segments;
  }

  private scan(start: number, end: number): Segment[] {
    const segments = [{ from: start, offset: this.ask(start) }];
    let at = start;
    while (at < end) {
      const next = Math.min(at + SAMPLE_SECONDS, end);
      const offset = segments[segments.length - 1].offset;
      if (this.ask(next) === offset) {
        at = next;
        continue;
      }
      let low = at;
      let high = next;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (this.ask(middle) === offset) low = middle;
        else high = middle;
      }
      if (high < end) segments.push({ from: high, offset: this.ask(high) });
      at = high;
    }
    return segments;
  }

  private ask(unixSeconds: number): number {
    const [month, day, year, hour, minute, second] = this.format
      .format(new Date(unixSeconds * 1000))
      .split(/\D+/)
      .map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - unixSeconds;
  }
}

function intoKnownYears(unixSeconds: number): number {
  if (unixSeconds < FIRST_SECOND) return FIRST_SECOND;
  if (unixSeconds < LAST_SECOND) return unixSeconds;
  const past = unixSeconds - LAST_SECOND;
  return LAST_SECOND - SECONDS_PER_YEAR_CYCLE + (past % SECONDS_PER_YEAR_CYCLE);
}
