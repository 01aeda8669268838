/**
 * The TimeZone setting: a name of the tz database, a POSIX zone, or an offset in hours east of Greenwich.
 *
 *   'utc' -> 'UTC'      'europe/paris' -> 'Europe/Paris'      2 -> '<+02>-02'      -5.5 -> '<-05:30>+05:30'
 */
import { findZone } from '../../../operators/expr/datetime/time_zone.ts';

let names: Map<string, string> | null = null;

/** The spelling of zone names by lower case; old names that Intl only understands are not among them. */
function zoneNames(): Map<string, string> {
  if (names === null) {
    names = new Map(Intl.supportedValuesOf('timeZone').map((name) => [name.toLowerCase(), name]));
    for (const name of ['UTC', 'GMT', 'Etc/UTC', 'Etc/GMT', 'Zulu', 'Universal', 'UCT', 'Greenwich']) {
      names.set(name.toLowerCase(), name);
    }
  }
  return names;
}

/** POSIX spelling of a fixed offset, `seconds` east of Greenwich: its sign counts west of Greenwich. */
export function fixedOffsetZone(seconds: number): string {
  const size = Math.abs(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const minutes = Math.floor(size / 60) % 60;
  const rest = size % 60;
  const text =
    two(Math.floor(size / 3600)) + (minutes || rest ? `:${two(minutes)}` : '') + (rest ? `:${two(rest)}` : '');
  return seconds >= 0 ? `<+${text}>-${text}` : `<-${text}>+${text}`;
}

/** The canonical text, or null when no such zone is known. */
export function canonicalTimeZone(text: string): string | null {
  if (/^[+-]?\d+(\.\d*)?$/.test(text)) {
    const hours = Number(text);
    return Math.abs(hours) <= 167 ? fixedOffsetZone(Math.round(hours * 3600)) : null;
  }
  return zoneNames().get(text.toLowerCase()) ?? (findZone(text) === undefined ? null : text);
}
