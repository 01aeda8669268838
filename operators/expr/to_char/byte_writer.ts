/**
 * to_char of a timestamp for one constant template, straight into bytes: no fields object, no string.
 *
 *   'YYYY-MM-DD'  ->  write(t, at) { year; 45; month; 45; day }
 *
 * For the patterns that need neither a zone nor the sign rules of years before 1 and after 9999; datetime_to_text.ts says what each
 * prints, and stays the reference. Generated code, one function a template.
 */
import { U8 } from '../../batch/memory.ts';
import { fromJulian, isoWeekOf, POSTGRES_EPOCH_JULIAN, toJulian, weekday } from '../datetime/calendar.ts';
import { DAYS, MONTHS } from './datetime_to_text.ts';
import { datetimeTemplate, type TemplateNode } from './template.ts';

export interface TimeWriter {
  /** Microseconds within which the text stays the same. */
  unit: number;
  /** Most bytes of a text. */
  bytes: number;
  /** Writes the text of a time at an address and returns the address after it. The year must be 1 to 9999. */
  write(micros: number, at: number): number;
}

/** The date of a day, kept until another day is asked for. */
export class CalendarDay {
  year = 2000;
  month = 1;
  day = 1;
  /** 1 to 366. */
  dayOfYear = 1;
  /** Sunday 0. */
  weekday = 6;
  #day = 0;
  #isoOf = Number.NaN;
  #iso = { isoYear: 0, week: 0 };

  /** Days since 2000-01-01. */
  set(day: number): void {
    if (day === this.#day) return;
    this.#day = day;
    const julian = day + POSTGRES_EPOCH_JULIAN;
    const date = fromJulian(julian);
    this.year = date.year;
    this.month = date.month;
    this.day = date.day;
    this.dayOfYear = julian - toJulian(date.year, 1, 1) + 1;
    this.weekday = weekday(julian);
  }

  get iso(): { isoYear: number; week: number } {
    if (this.#isoOf !== this.#day) {
      this.#isoOf = this.#day;
      this.#iso = isoWeekOf(this.#day + POSTGRES_EPOCH_JULIAN);
    }
    return this.#iso;
  }
}

const DAY = 86400000000;
const HOUR = 3600000000;
const MINUTE = 60000000;
const SECOND = 1000000;

interface Piece {
  code: string;
  unit: number;
  bytes: number;
}

const digits = (value: string, places: number): string =>
  Array.from({ length: places }, (_, i) => {
    const power = 10 ** (places - 1 - i);
    return `U8[at++] = 48 + Math.floor(n / ${power}) % 10;`;
  })
    .join(' ')
    .replace(/^/, `n = ${value}; `);

/** A number padded to `places`, or bare where the template says FM; it never has more digits. */
function number(value: string, places: number, fill: boolean, unit: number): Piece {
  if (!fill) return { code: digits(value, places), unit, bytes: places };
  let code = `n = ${value};`;
  for (let power = 10 ** (places - 1); power > 1; power /= 10)
    code += ` if (n >= ${power}) U8[at++] = 48 + Math.floor(n / ${power}) % 10;`;
  return { code: `${code} U8[at++] = 48 + n % 10;`, unit, bytes: places };
}

function inCaseOf(pattern: string, word: string): string {
  if (pattern === pattern.toLowerCase()) return word.toLowerCase();
  return pattern === pattern.toUpperCase() ? word.toUpperCase() : word;
}

/** One of some words, by index. */
function word(words: Buffer[][], list: string[], index: string, unit: number): Piece {
  words.push(list.map((w) => Buffer.from(w)));
  return {
    code: `for (const w = words[${words.length - 1}][${index}], l = w.length, from = at; at < from + l; at++) U8[at] = w[at - from];`,
    unit,
    bytes: Math.max(...list.map((w) => Buffer.byteLength(w))),
  };
}

const CLOCK: Record<string, [value: string, places: number, unit: number]> = {
  HH24: ['hour', 2, HOUR],
  HH12: ['(hour + 11) % 12 + 1', 2, HOUR],
  HH: ['(hour + 11) % 12 + 1', 2, HOUR],
  MI: ['minute', 2, MINUTE],
  SS: ['second', 2, SECOND],
};
const CALENDAR: Record<string, [value: string, places: number]> = {
  MM: ['d.month', 2],
  DD: ['d.day', 2],
  DDD: ['d.dayOfYear', 3],
  D: ['d.weekday + 1', 1],
  ID: ['(d.weekday + 6) % 7 + 1', 1],
  Q: ['Math.floor((d.month + 2) / 3)', 1],
  W: ['Math.floor((d.day + 6) / 7)', 1],
  WW: ['Math.floor((d.dayOfYear + 6) / 7)', 2],
  IW: ['d.iso.week', 2],
  YYYY: ['d.year', 4],
  YYY: ['d.year % 1000', 3],
  YY: ['d.year % 100', 2],
  Y: ['d.year % 10', 1],
};

/** The code of one node; null for what only the reference prints. */
function piece(node: TemplateNode, words: Buffer[][]): Piece | null {
  if (node.kind !== 'pattern') {
    const bytes = Buffer.from(node.text);
    return { code: [...bytes].map((b) => `U8[at++] = ${b};`).join(' '), unit: DAY, bytes: bytes.length };
  }
  if (node.ordinal !== null || node.translated) return null;
  const { text, fill } = node;
  const upper = text.toUpperCase();
  if (upper in CLOCK) return number(CLOCK[upper][0], CLOCK[upper][1], fill, CLOCK[upper][2]);
  if (upper in CALENDAR) return number(CALENDAR[upper][0], CALENDAR[upper][1], fill, DAY);
  const padded = (w: string) => (fill ? inCaseOf(text, w) : inCaseOf(text, w).padEnd(9));
  const short = (w: string) => inCaseOf(text, w.slice(0, 3));
  switch (upper) {
    case 'MS':
      return number('Math.floor(micros / 1000)', 3, false, 1000);
    case 'US':
      return number('micros', 6, false, 1);
    case 'FF1':
    case 'FF2':
    case 'FF3':
    case 'FF4':
    case 'FF5':
    case 'FF6': {
      const power = 10 ** (6 - Number(upper[2]));
      return number(`Math.floor(micros / ${power})`, Number(upper[2]), false, power);
    }
    case 'AM':
    case 'PM':
      return word(
        words,
        ['AM', 'PM'].map((w) => inCaseOf(text, w)),
        'hour >= 12 ? 1 : 0',
        HOUR,
      );
    case 'A.M.':
    case 'P.M.':
      return word(
        words,
        ['A.M.', 'P.M.'].map((w) => inCaseOf(text, w)),
        'hour >= 12 ? 1 : 0',
        HOUR,
      );
    case 'MONTH':
      return word(words, MONTHS.map(padded), 'd.month - 1', DAY);
    case 'MON':
      return word(words, MONTHS.map(short), 'd.month - 1', DAY);
    case 'DAY':
      return word(words, DAYS.map(padded), 'd.weekday', DAY);
    case 'DY':
      return word(words, DAYS.map(short), 'd.weekday', DAY);
    default:
      return null;
  }
}

/** The writer of a template, or null when it has a pattern that only the reference prints. */
export function timeWriter(template: string): TimeWriter | null {
  const words: Buffer[][] = [];
  const pieces = datetimeTemplate(template).map((node) => piece(node, words));
  if (pieces.includes(null)) return null;
  const known = pieces as Piece[];
  const code = `
return (t, at) => {
  const day = Math.floor(t / ${DAY});
  d.set(day);
  const time = t - day * ${DAY}, seconds = Math.floor(time / ${SECOND}), micros = time - seconds * ${SECOND};
  const hour = Math.floor(seconds / 3600), minute = Math.floor(seconds / 60) % 60, second = seconds % 60;
  let n = 0;
  ${known.map((p) => p.code).join('\n  ')}
  return at;
};`;
  return {
    unit: Math.min(DAY, ...known.map((p) => p.unit)),
    bytes: known.reduce((n, p) => n + p.bytes, 0),
    write: new Function('U8', 'd', 'words', code)(U8, new CalendarDay(), words) as TimeWriter['write'],
  };
}
