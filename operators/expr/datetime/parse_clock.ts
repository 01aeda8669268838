/** Clock times and numeric zone offsets within date and time text. */
import { MICROS_PER_DAY, timeOfFields } from './calendar.ts';
import { fractionMicros, leadingInt } from './numbers.ts';
import { badFormat, FieldError, overflow } from './parse_error.ts';

/** hh:mm[:ss[.fff]] or mm:ss.fff; hours may be any number, the rest is range-checked. */
export function parseClock(text: string): { hour: number; minute: number; second: number; micros: number } {
  let { hour, minute, second, micros } = { hour: 0, minute: 0, second: 0, micros: 0 };
  const h = leadingInt(text);
  if (text[h.end] !== ':') throw badFormat();
  const m = leadingInt(text, h.end + 1);
  hour = h.value;
  minute = m.value;
  const next = text[m.end];
  if (next === '.') {
    micros = fractionMicros(text.slice(m.end));
    second = minute;
    minute = hour;
    hour = 0;
  } else if (next === ':') {
    const s = leadingInt(text, m.end + 1);
    second = s.value;
    if (text[s.end] === '.') micros = fractionMicros(text.slice(s.end));
    else if (s.end !== text.length) throw badFormat();
  } else if (next !== undefined) throw badFormat();
  if (hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 60 || micros < 0 || micros > 1_000_000) {
    throw overflow();
  }
  return { hour, minute, second, micros };
}

/** `+hh[:mm[:ss]]` or `+hhmm`, as seconds east of UTC. */
export function parseOffset(text: string): number {
  const sign = text[0];
  if (sign !== '+' && sign !== '-') throw badFormat();
  const zoneInt = (at: number) => {
    try {
      return leadingInt(text, at);
    } catch {
      throw new FieldError('zone_overflow');
    }
  };
  let { value: hours, end } = zoneInt(1);
  let minutes = 0;
  let seconds = 0;
  if (text[end] === ':') {
    ({ value: minutes, end } = zoneInt(end + 1));
    if (text[end] === ':') ({ value: seconds, end } = zoneInt(end + 1));
  } else if (end === text.length && text.length > 3) {
    minutes = hours % 100;
    hours = Math.floor(hours / 100);
  }
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) {
    throw new FieldError('zone_overflow');
  }
  if (end !== text.length) throw badFormat();
  const east = (hours * 60 + minutes) * 60 + seconds;
  return sign === '-' ? 0 - east : east;
}

/** True when a clock time is past 24:00:00. */
export function timeOverflows(t: { hour: number; minute: number; second: number; micros: number }): boolean {
  return t.hour < 0 || t.hour > 24 || t.minute > 59 || t.second > 60 || timeOfFields(t) > MICROS_PER_DAY;
}
