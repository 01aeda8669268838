/**
 * Times as to_char() writes them by formats whose fields go from the year down: `YYYY-MM-DD`, `YYYYMM`, `YYYY-MM-DD HH24:MI:SS`.
 *
 * Two times with one text lie in one step of the last field (a day for `YYYY-MM-DD`), and among years of four digits the text
 * orders as the time does. The same digits also come from years before Christ, but no text of a later time equals that of an earlier one once
 * both are after: that is all that freeing state by such a key needs.
 */
import { U8 } from '../../batch/memory.ts';

const FIELDS = ['YYYY', 'MM', 'DD', 'HH24', 'MI', 'SS'] as const;
/** The longest that a text's times can lie after its first, in microseconds, by the last field. */
const STEPS = [366n * 86400000000n, 31n * 86400000000n, 86400000000n, 3600000000n, 60000000n, 1000000n];
const SEPARATORS = new Set('-/., :_');

/** Field widths and separators in order; null for a format that is not of this kind. */
function parts(format: string): { field: number; skip: number }[] | null {
  const found: { field: number; skip: number }[] = [];
  let at = 0;
  while (at < format.length) {
    let skip = 0;
    while (found.length > 0 && SEPARATORS.has(format[at + skip])) skip++;
    const name = FIELDS[found.length];
    if (name === undefined || !format.startsWith(name, at + skip)) return null;
    found.push({ field: found.length, skip });
    at += skip + name.length;
  }
  return found.length === 0 ? null : found;
}

const known = new Map<string, ReturnType<typeof parts>>();

function partsOf(format: string): ReturnType<typeof parts> {
  let found = known.get(format);
  if (found === undefined) {
    found = parts(format);
    known.set(format, found);
  }
  return found;
}

/** How long after its first moment a text of this format still stands, in microseconds; null: the format is not of this kind. */
export function timeTextStep(format: string): bigint | null {
  const found = partsOf(format);
  return found === null ? null : STEPS[found.length - 1];
}

/**
 * The first moment of the text at this address, in microseconds since 2000; NaN when it is none of this format and of the
 * years whose microseconds a number holds.
 */
export function readTimeText(format: string, address: number, length: number): number {
  const values = [1, 1, 1, 0, 0, 0];
  let at = address;
  const end = address + length;
  for (const { field, skip } of partsOf(format) ?? []) {
    at += skip;
    const width = field === 0 ? 4 : 2;
    if (at + width > end) return Number.NaN;
    let value = 0;
    for (const to = at + width; at < to; at++) {
      const digit = U8[at] - 48;
      if (digit < 0 || digit > 9) return Number.NaN;
      value = value * 10 + digit;
    }
    values[field] = value;
  }
  if (at !== end) return Number.NaN;
  const [year, month, day, hour, minute, second] = values;
  if (year < 1714 || year > 2285) return Number.NaN;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return (date.getTime() - 946684800000 + ((hour * 60 + minute) * 60 + second) * 1000) * 1000;
}
