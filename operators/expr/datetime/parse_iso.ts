/**
 * The common form of dates and timestamps read directly: `2001-02-03[ 04:05:06[.789][+07[:00]]]`, blank or T between. It means
 * the same under every DateStyle. Anything unusual, also in range (second 60, year 0000), is left to parse_datetime.ts.
 */
import { type DateTimeFields, daysInMonth } from './calendar.ts';

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** Fields and the offset in seconds east of UTC (null when none is written); null when the text has another form. */
export function parseIso(text: string): { fields: DateTimeFields; offset: number | null } | null {
  const m = ISO.exec(text);
  if (!m) return null;
  const [year, month, day] = [+m[1], +m[2], +m[3]];
  const [hour, minute, second] = m[4] === undefined ? [0, 0, 0] : [+m[4], +m[5], +m[6]];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const micros = m[7] === undefined ? 0 : +m[7].padEnd(6, '0');
  const offset = m[8] === undefined ? null : offsetOf(m[8]);
  if (offset !== null && Number.isNaN(offset)) return null;
  return { fields: { year, month, day, hour, minute, second, micros }, offset };
}

/** Seconds east of UTC; NaN when out of range. */
function offsetOf(text: string): number {
  if (text === 'Z') return 0;
  const hours = +text.slice(1, 3);
  const minutes = text.length > 3 ? +text.slice(-2) : 0;
  if (hours > 15 || minutes > 59) return Number.NaN;
  const east = (hours * 60 + minutes) * 60;
  return text[0] === '-' ? 0 - east : east;
}
