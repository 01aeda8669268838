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
