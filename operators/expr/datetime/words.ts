/**
 * The words of date, time and interval input, and the unit names of EXTRACT, date_part and date_trunc.
 * PostgreSQL compares at most ten characters of a word, so do these lookups.
 */

export type Unit =
  | 'microsecond'
  | 'millisecond'
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'week'
  | 'month'
  | 'quarter'
  | 'year'
  | 'decade'
  | 'century'
  | 'millennium'
  | 'dow'
  | 'doy'
  | 'isodow'
  | 'isoyear'
  | 'julian'
  | 'epoch'
  | 'timezone'
  | 'timezone_hour'
  | 'timezone_minute';

export type Word =
  | { kind: 'ignore' }
  | {
      kind: 'special';
      value: 'now' | 'today' | 'tomorrow' | 'yesterday' | 'epoch' | 'infinity' | '-infinity' | 'allballs';
    }
  | { kind: 'month'; value: number }
  | { kind: 'weekday'; value: number }
  | { kind: 'meridiem'; value: 'am' | 'pm' }
  | { kind: 'era'; value: 'ad' | 'bc' }
  | { kind: 'dst' }
  | { kind: 'isotime' }
  | { kind: 'ago' }
  | { kind: 'unit'; value: Unit };

const MAX_WORD = 10;

function table(entries: [string, Word][]): Map<string, Word> {
  return new Map(
    entries.flatMap(([words, meaning]) =>
      words.split(' ').map((word): [string, Word] => [word.slice(0, MAX_WORD), meaning]),
    ),
  );
}

const MONTHS = [
  'jan january',
  'feb february',
  'mar march',
  'apr april',
  'may',
  'jun june',
  'jul july',
  'aug august',
  'sep sept september',
  'oct october',
  'nov november',
  'dec december',
];
const WEEKDAYS = [
  'sun sunday',
  'mon monday',
  'tue tues tuesday',
  'wed weds wednesday',
  'thu thur thurs thursday',
  'fri friday',
  'sat saturday',
];

const DATE_WORDS = table([
  ...MONTHS.map((words, i): [string, Word] => [words, { kind: 'month', value: i + 1 }]),
  ...WEEKDAYS.map((words, i): [string, Word] => [words, { kind: 'weekday', value: i }]),
  ['at on', { kind: 'ignore' }],
  ['infinity +infinity', { kind: 'special', value: 'infinity' }],
  ['-infinity', { kind: 'special', value: '-infinity' }],
  ['now', { kind: 'special', value: 'now' }],
  ['today', { kind: 'special', value: 'today' }],
  ['tomorrow', { kind: 'special', value: 'tomorrow' }],
  ['yesterday', { kind: 'special', value: 'yesterday' }],
  ['epoch', { kind: 'special', value: 'epoch' }],
  ['allballs', { kind: 'special', value: 'allballs' }],
  ['am', { kind: 'meridiem', value: 'am' }],
  ['pm', { kind: 'meridiem', value: 'pm' }],
  ['ad', { kind: 'era', value: 'ad' }],
  ['bc', { kind: 'era', value: 'bc' }],
  ['dst', { kind: 'dst' }],
  ['t', { kind: 'isotime' }],
  ['d', { kind: 'unit', value: 'day' }],
  ['dow', { kind: 'unit', value: 'dow' }],
  ['doy', { kind: 'unit', value: 'doy' }],
  ['h', { kind: 'unit', value: 'hour' }],
  ['isodow', { kind: 'unit', value: 'isodow' }],
  ['isoyear', { kind: 'unit', value: 'isoyear' }],
  ['j jd julian', { kind: 'unit', value: 'julian' }],
  ['m', { kind: 'unit', value: 'month' }],
  ['mm', { kind: 'unit', value: 'minute' }],
  ['s', { kind: 'unit', value: 'second' }],
  ['y', { kind: 'unit', value: 'year' }],
]);

const INTERVAL_WORDS = table([
  ['ago', { kind: 'ago' }],
  ['infinity +infinity', { kind: 'special', value: 'infinity' }],
  ['-infinity', { kind: 'special', value: '-infinity' }],
  ['c cent centuries century', { kind: 'unit', value: 'century' }],
  ['d day days', { kind: 'unit', value: 'day' }],
  ['dec decade decades decs', { kind: 'unit', value: 'decade' }],
  ['h hour hours hr hrs', { kind: 'unit', value: 'hour' }],
  ['m min mins minute minutes', { kind: 'unit', value: 'minute' }],
  ['microseconds us usec usecond useconds usecs', { kind: 'unit', value: 'microsecond' }],
  ['mil millennia millennium mils', { kind: 'unit', value: 'millennium' }],
  ['milliseconds ms msec msecond mseconds msecs', { kind: 'unit', value: 'millisecond' }],
  ['mon mons month months', { kind: 'unit', value: 'month' }],
  ['qtr quarter', { kind: 'unit', value: 'quarter' }],
  ['s sec second seconds secs', { kind: 'unit', value: 'second' }],
  ['timezone', { kind: 'unit', value: 'timezone' }],
  ['timezone_hour', { kind: 'unit', value: 'timezone_hour' }],
  ['timezone_minute', { kind: 'unit', value: 'timezone_minute' }],
  ['w week weeks', { kind: 'unit', value: 'week' }],
  ['y year years yr yrs', { kind: 'unit', value: 'year' }],
]);

/** A word of date and time input, lower case. */
export function dateWord(word: string): Word | undefined {
  return DATE_WORDS.get(word.slice(0, MAX_WORD));
}

/** A word of interval input, lower case. */
export function intervalWord(word: string): Word | undefined {
  return INTERVAL_WORDS.get(word.slice(0, MAX_WORD));
}

/** A field name of EXTRACT and date_part; undefined when unknown. */
export function extractUnit(name: string): Unit | undefined {
  const lower = name.toLowerCase();
  const word = intervalWord(lower) ?? dateWord(lower);
  if (word?.kind === 'unit') return word.value;
  return word?.kind === 'special' && word.value === 'epoch' ? 'epoch' : undefined;
}

/** True for words that EXTRACT knows but that are no field of anything, such as `now`. */
export function isReservedWord(name: string): boolean {
  const lower = name.toLowerCase();
  return (intervalWord(lower) ?? dateWord(lower))?.kind === 'special';
}

/** A field name of date_trunc; undefined when unknown. */
export function truncUnit(name: string): Unit | undefined {
  const word = intervalWord(name.toLowerCase());
  return word?.kind === 'unit' ? word.value : undefined;
}
