/**
 * The TimeZone setting: a name of the tz database, a POSIX zone, or an offset in hours east of Greenwich.
 *
 *   'utc' -> 'UTC'      'europe/paris' -> 'Europe/Paris'      2 -> '<+02>-02'      -5.5 -> '<-05:30>+05:30'
 */
let names: Map<string, string> | null = null;

/** Zone names by lower case; those that only old spellings know are asked of Intl. */
function zoneNames(): Map<string, string> {
  if (names === null) {
    names = new Map(Intl.supportedValuesOf('timeZone').map((name) => [name.toLowerCase(), name]));
    for (const name of ['UTC', 'GMT', 'Etc/UTC', 'Etc/GMT', 'Zulu', 'Universal', 'UCT', 'Greenwich']) {
      names.set(name.toLowerCase(), name);
    }
  }
  return names;
}

function knownToIntl(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (cause) {
    if (cause instanceof RangeError) return false;
    throw cause;
  }
}

/** POSIX spelling of a fixed offset, `seconds` east of Greenwich: its sign is west of Greenwich. */
export function fixedOffsetZone(seconds: number): string {
  const size = Math.abs(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const minutes = Math.floor(size / 60) % 60;
  const rest = size % 60;
  const text = two(Math.floor(size / 3600)) + (minutes || rest ? `:${two(minutes)}` : '') + (rest ? `:${two(rest)}` : '');
  return seconds >= 0 ? `<+${text}>-${text}` : `<-${text}>+${text}`;
}

const POSIX = /^(?:<[+-]?[A-Za-z0-9:]{2,}>|[A-Za-z]{3,})[+-]?\d{1,2}(?::\d{2}){0,2}$/;

/** The canonical text, or null when no such zone is known. */
export function canonicalTimeZone(text: string): string | null {
  if (/^[+-]?\d+(\.\d*)?$/.test(text)) {
    const hours = Number(text);
    return Math.abs(hours) <= 168 ? fixedOffsetZone(Math.round(hours * 3600)) : null;
  }
  const known = zoneNames().get(text.toLowerCase());
  if (known !== undefined) return known;
  if (POSIX.test(text)) return text;
  return /^[A-Za-z]/.test(text) && knownToIntl(text) ? text : null;
}
