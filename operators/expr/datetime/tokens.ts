/**
 * Splits date, time and interval text into fields, the first half of PostgreSQL's input rules: what is a number, a
 * date, a time, a zone or a word is decided by the characters alone; what they mean is decided by parse_datetime.ts
 * and parse_interval.ts.
 *
 *   '2001-02-03 04:05:06+07'  ->  date 2001-02-03 | time 04:05:06 | zone +07
 */

/** `zone`: a sign followed by digits; `special`: a sign followed by letters. */
export type FieldKind = 'number' | 'date' | 'time' | 'word' | 'zone' | 'special';

export interface Field {
  kind: FieldKind;
  /** Lower case. */
  text: string;
}

const MAX_FIELDS = 25;

const isDigit = (c: string) => c >= '0' && c <= '9';
const isAlpha = (c: string) => (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
const isSpace = (c: string) => c === ' ' || (c >= '\t' && c <= '\r');
const isPunctuation = (c: string) => c > ' ' && c < '\x7f' && !isDigit(c) && !isAlpha(c);

/**
 * The fields of a text, or null when it cannot be date/time text at all. `isWord` tells whether a word is a known one
 * (so that `jan5` is two fields and `est5edt` one).
 */
export function splitFields(text: string, isWord: (word: string) => boolean, maxLength = 153): Field[] | null {
  const fields: Field[] = [];
  let at = 0;
  let start = 0;
  let used = 0;
  const c = () => text.charAt(at);
  const run = (accept: (ch: string) => boolean) => {
    while (at < text.length && accept(text[at])) at++;
  };

  while (at < text.length) {
    if (isSpace(c())) {
      at++;
      continue;
    }
    start = at;
    let kind: FieldKind;
    let prefix = '';
    if (isDigit(c())) {
      run(isDigit);
      kind = digitsField();
    } else if (c() === '.') {
      at++;
      run(isDigit);
      kind = 'number';
    } else if (isAlpha(c())) {
      run(isAlpha);
      kind = wordField();
    } else if (c() === '+' || c() === '-') {
      prefix = c();
      at++;
      run(isSpace);
      start = at;
      if (isDigit(c())) {
        run((ch) => isDigit(ch) || ch === ':' || ch === '.' || ch === '-');
        kind = 'zone';
      } else if (isAlpha(c())) {
        run(isAlpha);
        kind = 'special';
      } else return null;
    } else if (isPunctuation(c())) {
      at++;
      continue;
    } else return null;
    const field = prefix + text.slice(start, at).toLowerCase();
    used += field.length + 1;
    if (used > maxLength || fields.length >= MAX_FIELDS) return null;
    fields.push({ kind, text: field });
  }
  return fields;

  function digitsField(): FieldKind {
    if (c() === ':') {
      run((ch) => isDigit(ch) || ch === ':' || ch === '.');
      return 'time';
    }
    const delimiter = c();
    if (delimiter !== '-' && delimiter !== '/' && delimiter !== '.') return 'number';
    at++;
    if (!isDigit(c())) {
      run((ch) => isDigit(ch) || isAlpha(ch) || ch === delimiter);
      return 'date';
    }
    run(isDigit);
    if (c() !== delimiter) return delimiter === '.' ? 'number' : 'date';
    run((ch) => isDigit(ch) || ch === delimiter);
    return 'date';
  }

  function wordField(): FieldKind {
    const next = c();
    let more = next === '-' || next === '/' || next === '.';
    if (!more && (next === '+' || (next !== '' && isDigit(next)))) more = !isWord(text.slice(start, at).toLowerCase());
    if (!more) return 'word';
    run((ch) => isDigit(ch) || isAlpha(ch) || '+-/_.:'.includes(ch));
    return 'date';
  }
}
