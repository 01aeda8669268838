/** Bracket expressions: [abc], [^a-z], [[:alpha:]_], [[.hyphen.]], [[=e=]], and escapes inside them. */
import { type CharSet, type ClassName, isClassName } from './char_set.ts';
import { parseCharEscape } from './parse_escape.ts';
import { regexError } from './syntax.ts';

const CLASS_LETTERS: Record<string, ClassName> = { d: 'digit', s: 'space', w: 'word' };

const COLLATING_NAMES: Record<string, string> = {
  space: ' ',
  hyphen: '-',
  'hyphen-minus': '-',
  period: '.',
  'full-stop': '.',
  slash: '/',
  solidus: '/',
  colon: ':',
  comma: ',',
  semicolon: ';',
  underscore: '_',
  'low-line': '_',
  tab: '\t',
  newline: '\n',
  NUL: '\0',
};

/** Parses from behind `[`; returns the set and the index behind `]`. */
export function parseBracket(text: string[], at: number, icase: boolean): { set: CharSet; next: number } {
  const set: CharSet = { negated: false, ranges: [], classes: [], icase, excludesNewline: false };
  if (text[at] === '^') {
    set.negated = true;
    at++;
  }
  for (let first = true; ; first = false) {
    if (text[at] === undefined) throw regexError('brackets [] not balanced');
    if (text[at] === ']' && !first) return { set, next: at + 1 };
    const member = parseMember(text, at, set, icase);
    at = member.next;
    if (member.code === null) {
      // A class cannot start a range.
      if (text[at] === '-' && text[at + 1] !== ']') throw regexError('invalid character range');
      continue;
    }
    let hi = member.code;
    if (text[at] === '-' && text[at + 1] !== undefined && text[at + 1] !== ']') {
      const end = parseMember(text, at + 1, set, icase);
      if (end.code === null || end.code < member.code) throw regexError('invalid character range');
      hi = end.code;
      at = end.next;
      // a-c-e is no range of ranges.
      if (text[at] === '-' && text[at + 1] !== ']') throw regexError('invalid character range');
    }
    set.ranges.push([member.code, hi]);
  }
}

/** One member; code null when it was a class, which has been added to the set. */
function parseMember(text: string[], at: number, set: CharSet, icase: boolean): { code: number | null; next: number } {
  const c = text[at];
  if (c === undefined) throw regexError('brackets [] not balanced');
  if (c === '\\') {
    const letter = text[at + 1];
    const name = CLASS_LETTERS[letter?.toLowerCase() ?? ''];
    if (name) {
      set.classes.push({ name, negated: letter !== letter.toLowerCase() });
      return { code: null, next: at + 2 };
    }
    return parseCharEscape(text, at + 1);
  }
  const kind = c === '[' ? text[at + 1] : undefined;
  if (kind !== ':' && kind !== '.' && kind !== '=') return { code: c.codePointAt(0)!, next: at + 1 };
  let end = at + 2;
  while (text[end] !== undefined && !(text[end] === kind && text[end + 1] === ']')) end++;
  if (text[end] === undefined) throw regexError('brackets [] not balanced');
  const name = text.slice(at + 2, end).join('');
  const next = end + 2;
  if (kind !== ':') {
    const char = [...name].length === 1 ? name : COLLATING_NAMES[name];
    if (char === undefined) throw regexError('invalid collating element');
    return { code: char.codePointAt(0)!, next };
  }
  if (!isClassName(name)) throw regexError('invalid character class');
  // Ignoring case, upper and lower mean any letter.
  const cased = icase && (name === 'upper' || name === 'lower');
  set.classes.push({ name: cased ? 'alpha' : name, negated: false });
  return { code: null, next };
}
