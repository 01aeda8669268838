/** to_char of timestamp, timestamptz and interval. */
import { SqlError } from '../../errors.ts';
import { isoWeekOf, isoWeekStart, toJulian } from '../datetime/calendar.ts';
import { datetimeTemplate, ordinalEnding, type TemplateNode } from './template.ts';

/** The broken-down value; of an interval the parts may be negative, and there is no weekday. */
export interface CharFields {
  year: number;
  month: number;
  day: number;
  hour: number | bigint;
  minute: number;
  second: number;
  micros: number;
  weekday: number;
  dayOfYear: number;
  isInterval: boolean;
  /** Seconds east of UTC and the zone's short name, for timestamptz. */
  offset: number;
  zone: string;
}

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
/** December first, as negative months of intervals count from the end. */
export const ROMAN_MONTHS = ['XII', 'XI', 'X', 'IX', 'VIII', 'VII', 'VI', 'V', 'IV', 'III', 'II', 'I'];

function invalidForInterval(): SqlError {
  return new SqlError('22007', 'invalid format specification for an interval value', {
    hint: 'Intervals are not tied to specific calendar dates.',
  });
}

/** C's %0*d: the sign counts in the width. */
function padded(n: number | bigint, width: number): string {
  const negative = n < 0;
  const digits = String(n).replace('-', '');
  return (negative ? '-' : '') + digits.padStart(width - (negative ? 1 : 0), '0');
}

/** A word in the case of the pattern: MONTH, Month, month. */
function inCaseOf(pattern: string, word: string): string {
  if (pattern === pattern.toLowerCase()) return word.toLowerCase();
  return pattern === pattern.toUpperCase() ? word.toUpperCase() : word;
}

/** Formats a value; never called for infinite ones. */
export function formatDateTime(f: CharFields, template: string): string {
  return datetimeTemplate(template)
    .map((node) => (node.kind === 'pattern' ? pattern(f, node) : node.text))
    .join('');
}

function pattern(f: CharFields, node: TemplateNode): string {
  const { text, fill } = node;
  const upper = text.toUpperCase();
  const number = (n: number | bigint, width: number): string => {
    const digits = padded(n, fill ? 0 : n >= 0 ? width : width + 1);
    return node.ordinal ? digits + ordinalEnding(digits, node.ordinal) : digits;
  };
  const calendarOnly = () => {
    if (f.isInterval) throw invalidForInterval();
  };
  const name = (word: string, width: number) => {
    const cased = inCaseOf(text, word);
    return fill || node.translated ? cased : cased.padEnd(width);
  };
  const hour = BigInt(f.hour);
  switch (upper) {
    case 'A.M.':
    case 'P.M.':
      return inCaseOf(text, hour % 24n >= 12n ? 'P.M.' : 'A.M.');
    case 'AM':
    case 'PM':
      return inCaseOf(text, hour % 24n >= 12n ? 'PM' : 'AM');
    case 'HH':
    case 'HH12': {
      const onClock = hour % 12n === 0n ? 12n : hour % 12n;
      const digits = padded(onClock, fill ? 0 : hour >= 0n ? 2 : 3);
      return node.ordinal ? digits + ordinalEnding(digits, node.ordinal) : digits;
    }
    case 'HH24':
      return number(hour, 2);
    case 'MI':
      return number(f.minute, 2);
    case 'SS':
      return number(f.second, 2);
    case 'FF1':
    case 'FF2':
    case 'FF3':
    case 'FF4':
    case 'FF5':
    case 'FF6': {
      const places = Number(upper[2]);
      return withOrdinal(node, padded(Math.trunc(f.micros / 10 ** (6 - places)) + 0, places));
    }
    case 'MS':
      return withOrdinal(node, padded(Math.trunc(f.micros / 1000) + 0, 3));
    case 'US':
      return withOrdinal(node, padded(f.micros, 6));
    case 'SSSS':
    case 'SSSSS':
      return withOrdinal(node, String(hour * 3600n + BigInt(f.minute * 60 + f.second)));
    case 'TZ':
      calendarOnly();
      return text === 'TZ' ? f.zone : f.zone.toLowerCase();
    case 'TZH':
      calendarOnly();
      return `${f.offset >= 0 ? '+' : '-'}${padded(Math.floor(Math.abs(f.offset) / 3600), 2)}`;
    case 'TZM':
      calendarOnly();
      return padded(Math.floor((Math.abs(f.offset) % 3600) / 60), 2);
    case 'OF': {
      calendarOnly();
      const abs = Math.abs(f.offset);
      const minutes = abs % 3600 === 0 ? '' : `:${padded(Math.floor((abs % 3600) / 60), 2)}`;
      return `${f.offset >= 0 ? '+' : '-'}${padded(Math.floor(abs / 3600), fill ? 0 : 2)}${minutes}`;
    }
    case 'A.D.':
    case 'B.C.':
      calendarOnly();
      return inCaseOf(text, f.year <= 0 ? 'B.C.' : 'A.D.');
    case 'AD':
    case 'BC':
      calendarOnly();
      return inCaseOf(text, f.year <= 0 ? 'BC' : 'AD');
    case 'MONTH':
      calendarOnly();
      return name(MONTHS[f.month - 1], 9);
    case 'MON':
      calendarOnly();
      return inCaseOf(text, MONTHS[f.month - 1].slice(0, 3));
    case 'MM':
      return number(f.month, 2);
    case 'DAY':
      calendarOnly();
      return name(DAYS[f.weekday], 9);
    case 'DY':
      calendarOnly();
      return inCaseOf(text, DAYS[f.weekday].slice(0, 3));
    case 'DD':
      return padTo(f.day, 2, node);
    case 'D':
      calendarOnly();
      return number(f.weekday + 1, 0);
    case 'ID':
      calendarOnly();
      return number(f.weekday || 7, 0);
    case 'Q':
      return f.month === 0 ? '' : number(Math.trunc((f.month - 1) / 3) + 1, 0);
    case 'W':
      return number(Math.trunc((f.day - 1) / 7) + 1, 0);
    case 'J':
      return number(toJulian(f.year, f.month, f.day), 0);
    case 'RM':
      return romanMonth(f, node);
    case 'FX':
      return '';
    default:
      return yearOrWeek(f, upper, node, number);
  }
}

function withOrdinal(node: TemplateNode, digits: string): string {
  return node.ordinal ? digits + ordinalEnding(digits, node.ordinal) : digits;
}

/** Patterns of the year, its weeks and days, by the Gregorian or (I...) the ISO calendar. */
function yearOrWeek(
  f: CharFields,
  upper: string,
  node: TemplateNode,
  number: (n: number, width: number) => string,
): string {
  const shown = (year: number) => (f.isInterval || year > 0 ? year : 1 - year);
  const julian = () => toJulian(f.year, f.month, f.day);
  const iso = () => isoWeekOf(julian());
  switch (upper) {
    case 'DDD':
      return padTo(f.dayOfYear, 3, node);
    case 'IDDD':
      return padTo(julian() - isoWeekStart(iso().isoYear, 1) + 1, 3, node);
    case 'WW':
      return padTo(Math.trunc((f.dayOfYear - 1) / 7) + 1, 2, node);
    case 'IW':
      return padTo(iso().week, 2, node);
    case 'CC': {
      let century: number;
      if (f.isInterval) century = Math.trunc(f.year / 100);
      else century = f.year > 0 ? Math.floor((f.year - 1) / 100) + 1 : Math.trunc(f.year / 100) - 1;
      return Math.abs(century) <= 99 ? number(century, 2) : withOrdinal(node, String(century));
    }
    case 'Y,YYY': {
      const year = shown(f.year);
      const thousands = Math.trunc(year / 1000);
      return withOrdinal(node, `${thousands},${padded(year - thousands * 1000, 3)}`);
    }
    default: {
      const year = shown(upper[0] === 'I' ? iso().isoYear : f.year);
      const places = upper.length;
      // The sign of the Gregorian year decides the width of the ISO year too.
      const width = places === 1 ? 0 : places + (shown(f.year) < 0 ? 1 : 0);
      return padTo(places === 4 ? year : (year % 10 ** places) + 0, width, node);
    }
  }
}

/** Always padded by the width given, whatever the sign. */
function padTo(n: number, width: number, node: TemplateNode): string {
  return withOrdinal(node, padded(n, node.fill ? 0 : width));
}

function romanMonth(f: CharFields, node: TemplateNode): string {
  if (f.month === 0 && f.year === 0) return '';
  let at = 12 - f.month;
  if (f.month === 0) at = f.year >= 0 ? 0 : 11;
  else if (f.month < 0) at = -1 * (f.month + 1);
  const roman = node.text === 'RM' ? ROMAN_MONTHS[at] : ROMAN_MONTHS[at].toLowerCase();
  return node.fill ? roman : roman.padEnd(4);
}
