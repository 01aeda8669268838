/** Dates and times from PostgreSQL's ISO texts as Arrow counts them: days, and microseconds since 1970 or midnight. */
import { SqlError } from '../../../operators/errors.ts';

const MICROS = 1_000_000n;
const DAY_SECONDS = 86400;

/** What Arrow has no value for. */
export function noPlace(what: string, type: string): SqlError {
  return new SqlError('22000', `the value "${what}" of type ${type} has no place in Arrow`, {
    hint: 'Cast the column to text, or ask for another format.',
  });
}

/** Days since 1970-01-01 in the Gregorian calendar. */
function daysOf(year: number, month: number, day: number): number {
  // Counted from March on, a leap day is the last of its year.
  const y = month > 2 ? year : year - 1;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719468;
}

const DATE = /^(\d{4,})-(\d\d)-(\d\d)( BC)?$/;
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/;
const TIMESTAMP = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/;

export function dateDays(text: string): number {
  const match = DATE.exec(text);
  if (match === null) throw noPlace(text, 'date');
  const year = match[4] === undefined ? Number(match[1]) : 1 - Number(match[1]);
  return daysOf(year, Number(match[2]), Number(match[3]));
}

export function timeMicros(text: string): bigint {
  const match = TIME.exec(text);
  if (match === null) throw noPlace(text, 'time');
  const seconds = Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]);
  return BigInt(seconds) * MICROS + BigInt((match[4] ?? '').padEnd(6, '0'));
}

/** With an offset: of the moment that it is. */
export function timestampMicros(text: string): bigint {
  const match = TIMESTAMP.exec(text);
  if (match === null) throw noPlace(text, 'timestamp');
  const [, date, time, sign, hours = '0', minutes = '0', seconds = '0', bc = ''] = match;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  const away = sign === '-' ? -offset : offset;
  const micros = BigInt(dateDays(date + bc) * DAY_SECONDS - away) * MICROS + timeMicros(time);
  if (BigInt.asIntN(64, micros) !== micros) throw noPlace(text, 'timestamp');
  return micros;
}
