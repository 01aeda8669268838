/**
 * SIMILAR TO and substring(... similar ... escape ...): the pattern rewritten as a regular expression.
 *
 *   % becomes .*   _ becomes .   . ^ $ \ are quoted   ( becomes (?:   the whole is anchored: ^(?: ... )$
 *   two escape-double-quotes split the pattern in three: what the middle matches is the result
 */
import { SqlError } from '../../errors.ts';

/** The regular expression of a SIMILAR TO pattern; `escapeText` '' means no escape character. */
export function similarToRegex(pattern: string, escapeText: string): string {
  const [escapeChar, ...more] = [...escapeText];
  if (more.length > 0) {
    throw new SqlError('22025', 'invalid escape string', { hint: 'Escape string must be empty or one character.' });
  }
  let out = '^(?:';
  let afterEscape = false;
  let separators = 0;
  // Inside brackets nothing but the closing bracket is special: 1 right after [, 2 after [^, 3 further in.
  let bracket = 0;
  for (const c of pattern) {
    if (afterEscape) {
      if (c === '"' && bracket === 0) {
        if (separators === 0) out += '){1,1}?(';
        else if (separators === 1) out += '){1,1}(?:';
        else {
          throw new SqlError(
            '2200C',
            'SQL regular expression may not contain more than two escape-double-quote separators',
          );
        }
        separators++;
      } else out += /[a-zA-Z0-9]/.test(c) ? c : `\\${c}`;
      afterEscape = false;
      if (bracket > 0) bracket = 3;
    } else if (c === escapeChar) {
      afterEscape = true;
    } else if (bracket > 0) {
      if (c === '\\') out += '\\';
      out += c;
      if (c === ']' && bracket > 2) bracket = 0;
      else if (c === '^') bracket++;
      else bracket = 3;
    } else if (c === '[') {
      out += c;
      bracket = 1;
    } else out += TRANSLATED[c] ?? c;
  }
  return `${out})$`;
}

const TRANSLATED: Record<string, string> = {
  '%': '.*',
  _: '.',
  '(': '(?:',
  '\\': '\\\\',
  '.': '\\.',
  '^': '\\^',
  $: '\\$',
};
