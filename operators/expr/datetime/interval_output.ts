/**
 * Interval to text in the four IntervalStyles.
 *
 *   postgres          1 year 2 mons -3 days +04:05:06
 *   postgres_verbose  @ 1 year 2 mons -3 days 4 hours 5 mins 6 secs
 *   sql_standard      +1-2 -3 +4:05:06
 *   iso_8601          P1Y2M-3DT4H5M6S
 */
import type { Interval } from '../../datum.ts';
import { isNegativeInfinity, isPositiveInfinity } from './interval_value.ts';
import { secondsText, two } from './output.ts';

/** Signed parts: all of the time part have the sign of the microsecond count. Hours may need 64 bits. */
export interface IntervalParts {
  years: number;
  months: number;
  days: number;
  hours: bigint;
  minutes: number;
  seconds: number;
  micros: number;
}

export function intervalParts(i: Interval): IntervalParts {
  const seconds = i.micros / 1_000_000n;
  return {
    years: Math.trunc(i.months / 12) + 0,
    months: (i.months % 12) + 0,
    days: i.days,
    hours: seconds / 3600n,
    minutes: Number((seconds / 60n) % 60n),
    seconds: Number(seconds % 60n),
    micros: Number(i.micros % 1_000_000n),
  };
}

const abs = (n: bigint) => (n < 0n ? -n : n);

export function intervalOut(i: Interval, style: string): string {
  if (isPositiveInfinity(i)) return 'infinity';
  if (isNegativeInfinity(i)) return '-infinity';
  const p = intervalParts(i);
  switch (style.toLowerCase()) {
    case 'postgres_verbose':
      return verbose(p);
    case 'sql_standard':
      return sqlStandard(p);
    case 'iso_8601':
      return iso(p);
    default:
      return postgres(p);
  }
}

function clock(p: IntervalParts, pad: boolean): string {
  const hours = abs(p.hours).toString();
  const seconds = secondsText(Math.abs(p.seconds), Math.abs(p.micros));
  return `${pad ? hours.padStart(2, '0') : hours}:${two(Math.abs(p.minutes))}:${seconds}`;
}

function timeSign(p: IntervalParts): number {
  if (p.hours < 0n || p.minutes < 0 || p.seconds < 0 || p.micros < 0) return -1;
  return p.hours > 0n || p.minutes > 0 || p.seconds > 0 || p.micros > 0 ? 1 : 0;
}

function postgres(p: IntervalParts): string {
  let text = '';
  let negativeBefore = false;
  for (const [value, unit] of [
    [p.years, 'year'],
    [p.months, 'mon'],
    [p.days, 'day'],
  ] as const) {
    if (value === 0) continue;
    text += `${text === '' ? '' : ' '}${negativeBefore && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`;
    negativeBefore = value < 0;
  }
  const sign = timeSign(p);
  if (text !== '' && sign === 0) return text;
  return `${text}${text === '' ? '' : ' '}${sign < 0 ? '-' : negativeBefore ? '+' : ''}${clock(p, true)}`;
}

function verbose(p: IntervalParts): string {
  let text = '@';
  let ago = false;
  let zero = true;
  const parts = [
    [BigInt(p.years), 'year'],
    [BigInt(p.months), 'mon'],
    [BigInt(p.days), 'day'],
    [p.hours, 'hour'],
    [BigInt(p.minutes), 'min'],
  ] as const;
  for (let [value, unit] of parts) {
    if (value === 0n) continue;
    if (zero) {
      ago = value < 0n;
      value = abs(value);
    } else if (ago) value = -value;
    text += ` ${value} ${unit}${value === 1n ? '' : 's'}`;
    zero = false;
  }
  if (p.seconds !== 0 || p.micros !== 0) {
    text += ' ';
    if (p.seconds < 0 || p.micros < 0) {
      if (zero) ago = true;
      else if (!ago) text += '-';
    } else if (ago) text += '-';
    const seconds = Math.abs(p.seconds);
    text += `${secondsText(seconds, Math.abs(p.micros), false)} sec${seconds !== 1 || p.micros !== 0 ? 's' : ''}`;
    zero = false;
  }
  return `${text}${zero ? ' 0' : ''}${ago ? ' ago' : ''}`;
}

function sqlStandard(p: IntervalParts): string {
  const time = timeSign(p);
  const signs = [p.years, p.months, p.days, time];
  const negative = signs.some((s) => s < 0);
  const positive = signs.some((s) => s > 0);
  if (!negative && !positive) return '0';
  const yearMonth = p.years !== 0 || p.months !== 0;
  const dayTime = p.days !== 0 || time !== 0;
  if ((negative && positive) || (yearMonth && dayTime)) {
    const sign = (s: boolean) => (s ? '-' : '+');
    return (
      `${sign(p.years < 0 || p.months < 0)}${Math.abs(p.years)}-${Math.abs(p.months)} ` +
      `${sign(p.days < 0)}${Math.abs(p.days)} ${sign(time < 0)}${clock(p, false)}`
    );
  }
  const sign = negative ? '-' : '';
  if (yearMonth) return `${sign}${Math.abs(p.years)}-${Math.abs(p.months)}`;
  return p.days !== 0 ? `${sign}${Math.abs(p.days)} ${clock(p, false)}` : `${sign}${clock(p, false)}`;
}

function iso(p: IntervalParts): string {
  let date = '';
  let time = '';
  if (p.years !== 0) date += `${p.years}Y`;
  if (p.months !== 0) date += `${p.months}M`;
  if (p.days !== 0) date += `${p.days}D`;
  if (p.hours !== 0n) time += `${p.hours}H`;
  if (p.minutes !== 0) time += `${p.minutes}M`;
  if (p.seconds !== 0 || p.micros !== 0) {
    const sign = p.seconds < 0 || p.micros < 0 ? '-' : '';
    time += `${sign}${secondsText(Math.abs(p.seconds), Math.abs(p.micros), false)}S`;
  }
  return date === '' && time === '' ? 'PT0S' : `P${date}${time === '' ? '' : `T${time}`}`;
}
