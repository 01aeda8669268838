/** The fields that to_timestamp and to_date read from a text. */

/** What the template read; 0 means not set, as in PostgreSQL. */
export interface ReadFields {
  mode: 'none' | 'gregorian' | 'iso';
  hour: number;
  minute: number;
  second: number;
  secondOfDay: number;
  milli: number;
  micro: number;
  weekday: number;
  day: number;
  dayOfYear: number;
  month: number;
  year: number;
  yearDigits: number;
  bc: number;
  week: number;
  weekOfMonth: number;
  century: number;
  julian: number;
  pm: number;
  clock12: boolean;
  offsetSign: number;
  offsetHours: number;
  offsetMinutes: number;
  /** Seconds east of UTC of a zone abbreviation. */
  offset: number | null;
  /** Decimal places of the second that FF1 to FF6 ask for. */
  precision: number;
}

/** Before anything is read. */
export function noFields(): ReadFields {
  return {
    mode: 'none',
    hour: 0,
    minute: 0,
    second: 0,
    secondOfDay: 0,
    milli: 0,
    micro: 0,
    weekday: 0,
    day: 0,
    dayOfYear: 0,
    month: 0,
    year: 0,
    yearDigits: 0,
    bc: 0,
    week: 0,
    weekOfMonth: 0,
    century: 0,
    julian: 0,
    pm: 0,
    clock12: false,
    offsetSign: 0,
    offsetHours: 0,
    offsetMinutes: 0,
    offset: null,
    precision: 6,
  };
}
