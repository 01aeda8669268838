/**
 * The regular expression functions and operators. Positions are characters, 1-based.
 *
 * Trap: after an empty match the search goes on one character further, and an empty match right at the end of the previous one
 * still counts where PostgreSQL counts it (regexp_matches with g, regexp_replace).
 */
import { type Datum, type PgArray, pgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { turn } from '../../turn.ts';
import { OID } from '../../types.ts';
import { collectArray } from '../array/value.ts';
import { type CompiledRegex, compileRegex, defaultOptions, parseFlags, type Spans } from '../regex/regex.ts';
import { similarToRegex } from '../regex/similar.ts';
import { codePointIndex, codePointLength, unitIndex, unitsAt } from '../text/code_points.ts';
import { register, registerSet } from './registry.ts';

/** A statement may be ended between so many. */
const LOOK_MATCHES = 64;

const CASE_SENSITIVE = defaultOptions(false);
const IGNORE_CASE = defaultOptions(true);

for (const [prefix, type] of [
  ['text', 'text'],
  ['name', 'name'],
  ['bpchar', 'bpchar'],
]) {
  register(`${prefix}regexeq(${type},text)`, (t: string, p: string) => compileRegex(p, CASE_SENSITIVE).test(t));
  register(`${prefix}regexne(${type},text)`, (t: string, p: string) => !compileRegex(p, CASE_SENSITIVE).test(t));
  register(`${prefix}icregexeq(${type},text)`, (t: string, p: string) => compileRegex(p, IGNORE_CASE).test(t));
  register(`${prefix}icregexne(${type},text)`, (t: string, p: string) => !compileRegex(p, IGNORE_CASE).test(t));
}

/** All matches from UTF-16 index `from`, non-overlapping; only the first unless `global`. */
function* matches(re: CompiledRegex, text: string, from: number, global: boolean): Iterable<Spans> {
  for (let at = from, found = 0; at <= text.length; found++) {
    if (found % LOOK_MATCHES === LOOK_MATCHES - 1) turn.look();
    const spans = re.exec(text, at);
    if (!spans) return;
    yield spans;
    if (!global) return;
    at = spans[1] > spans[0] ? spans[1] : spans[1] + (spans[1] < text.length ? unitsAt(text, spans[1]) : 1);
  }
}

function piece(text: string, spans: Spans, group: number): string | null {
  return spans[2 * group] < 0 ? null : text.slice(spans[2 * group], spans[2 * group + 1]);
}

/** The groups of a match, or the whole when there are none. */
function captured(re: CompiledRegex, text: string, spans: Spans): PgArray {
  if (re.groups === 0) return pgArray(OID.text, [piece(text, spans, 0)]);
  return pgArray(
    OID.text,
    Array.from({ length: re.groups }, (_, g) => piece(text, spans, g + 1)),
  );
}

/** Flags of a function that has no global form. */
function localFlags(flags: string, fn: string, hint?: string) {
  const parsed = parseFlags(flags);
  if (parsed.global) throw new SqlError('22023', `${fn} does not support the "global" option`, { hint });
  return parsed.options;
}

function regexpMatch(text: string, pattern: string, flags = ''): PgArray | null {
  const options = localFlags(flags, 'regexp_match()', 'Use the regexp_matches function instead.');
  const re = compileRegex(pattern, options);
  const spans = re.exec(text);
  return spans && captured(re, text, spans);
}
register('regexp_match(text,text)', (t: string, p: string) => regexpMatch(t, p));
register('regexp_match(text,text,text)', (t: string, p: string, f: string) => regexpMatch(t, p, f));

function* regexpMatches(text: string, pattern: string, flags = ''): Iterable<Datum[]> {
  const { options, global } = parseFlags(flags);
  const re = compileRegex(pattern, options);
  for (const spans of matches(re, text, 0, global)) yield [captured(re, text, spans)];
}
registerSet('regexp_matches(text,text)', (t: string, p: string) => regexpMatches(t, p));
registerSet('regexp_matches(text,text,text)', (t: string, p: string, f: string) => regexpMatches(t, p, f));

register('substring(text,text)', regexSubstring);
register('substring(text,text,text)', (t: string, pattern: string, e: string) =>
  regexSubstring(t, similarToRegex(pattern, e)),
);

/** The first group of the first match, or the whole match when there is no group. */
function regexSubstring(text: string, pattern: string): string | null {
  const re = compileRegex(pattern, CASE_SENSITIVE);
  const spans = re.exec(text);
  return spans && piece(text, spans, re.groups > 0 ? 1 : 0);
}

register('similar_to_escape(text)', (p: string) => similarToRegex(p, '\\'));
register('similar_to_escape(text,text)', similarToRegex);
register('similar_escape(text,text)', (p: string | null, e: string | null) =>
  p === null ? null : similarToRegex(p, e ?? '\\'),
);

/** Replacement text: \1 .. \9 groups, \& the whole, \\ a backslash. */
function expandReplacement(replacement: string, text: string, spans: Spans): string {
  if (!replacement.includes('\\')) return replacement;
  return replacement.replace(/\\([1-9&\\])/g, (_whole, c: string) => {
    if (c === '\\') return '\\';
    const group = c === '&' ? 0 : Number(c);
    return (2 * group < spans.length && piece(text, spans, group)) || '';
  });
}

/** Replaces match number `n` (0: all) counted from UTF-16 index `from`. */
function replaceMatches(re: CompiledRegex, text: string, replacement: string, from: number, n: number): string {
  let out = '';
  let copied = 0;
  let count = 0;
  for (const spans of matches(re, text, from, n !== 1)) {
    count++;
    if (n > 0 && count < n) continue;
    out += text.slice(copied, spans[0]) + expandReplacement(replacement, text, spans);
    copied = spans[1];
    if (n > 0) break;
  }
  return out + text.slice(copied);
}

register('regexp_replace(text,text,text)', (t: string, p: string, r: string) =>
  replaceMatches(compileRegex(p, CASE_SENSITIVE), t, r, 0, 1),
);
register('regexp_replace(text,text,text,text)', (t: string, p: string, r: string, flags: string) => {
  if (/^[0-9]/.test(flags)) {
    throw new SqlError('22023', `invalid regular expression option: "${flags[0]}"`, {
      hint: 'If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.',
    });
  }
  const { options, global } = parseFlags(flags);
  return replaceMatches(compileRegex(p, options), t, r, 0, global ? 0 : 1);
});

function positive(value: number, name: string): void {
  if (value <= 0) throw new SqlError('22023', `invalid value for parameter "${name}": ${value}`);
}

function notNegative(value: number, name: string): void {
  if (value < 0) throw new SqlError('22023', `invalid value for parameter "${name}": ${value}`);
}

function regexpReplaceFrom(t: string, p: string, r: string, start: number, n?: number, flags = ''): string {
  positive(start, 'start');
  if (n !== undefined) notNegative(n, 'n');
  const { options, global } = parseFlags(flags);
  const which = n ?? (global ? 0 : 1);
  return replaceMatches(compileRegex(p, options), t, r, startIndex(t, start), which);
}

/** UTF-16 index of 1-based character position `start`; beyond the text: past its end. */
function startIndex(text: string, start: number): number {
  return start > codePointLength(text) + 1 ? text.length + 1 : unitIndex(text, start - 1);
}
register('regexp_replace(text,text,text,int4)', (t: string, p: string, r: string, s: number) =>
  regexpReplaceFrom(t, p, r, s),
);
register('regexp_replace(text,text,text,int4,int4)', (t: string, p: string, r: string, s: number, n: number) =>
  regexpReplaceFrom(t, p, r, s, n),
);
register(
  'regexp_replace(text,text,text,int4,int4,text)',
  (t: string, p: string, r: string, s: number, n: number, f: string) => regexpReplaceFrom(t, p, r, s, n, f),
);

/** Pieces between matches; an empty match at the very start, the very end or right behind a match does not split. */
function* splitPieces(text: string, pattern: string, flags: string, fn: string): Iterable<string> {
  const re = compileRegex(pattern, localFlags(flags, fn));
  let copied = 0;
  for (const spans of matches(re, text, 0, true)) {
    const empty = spans[0] === spans[1];
    if (empty && (spans[0] === text.length || spans[0] === copied)) continue;
    yield text.slice(copied, spans[0]);
    copied = spans[1];
  }
  yield text.slice(copied);
}

const SPLIT_ARRAY = 'regexp_split_to_array()';
const SPLIT_TABLE = 'regexp_split_to_table()';
const splitArray = (t: string, p: string, f = '') => collectArray(OID.text, splitPieces(t, p, f, SPLIT_ARRAY));
function* splitTable(t: string, p: string, f = ''): Iterable<[string]> {
  for (const piece of splitPieces(t, p, f, SPLIT_TABLE)) yield [piece];
}
register('regexp_split_to_array(text,text)', (t: string, p: string) => splitArray(t, p));
register('regexp_split_to_array(text,text,text)', (t: string, p: string, f: string) => splitArray(t, p, f));
registerSet('regexp_split_to_table(text,text)', (t: string, p: string) => splitTable(t, p));
registerSet('regexp_split_to_table(text,text,text)', (t: string, p: string, f: string) => splitTable(t, p, f));

function regexpCount(t: string, p: string, start = 1, flags = ''): number {
  positive(start, 'start');
  const re = compileRegex(p, localFlags(flags, 'regexp_count()'));
  return [...matches(re, t, startIndex(t, start), true)].length;
}
register('regexp_count(text,text)', (t: string, p: string) => regexpCount(t, p));
register('regexp_count(text,text,int4)', (t: string, p: string, s: number) => regexpCount(t, p, s));
register('regexp_count(text,text,int4,text)', (t: string, p: string, s: number, f: string) => regexpCount(t, p, s, f));

/** Match number n from `start`; null when there are fewer. */
function nthMatch(re: CompiledRegex, t: string, start: number, n: number): Spans | null {
  let count = 0;
  for (const spans of matches(re, t, startIndex(t, start), n > 1)) if (++count === n) return spans;
  return null;
}

/** The group a `subexpr` argument names; group 1 of an expression without groups is the whole match. */
function existingGroup(re: CompiledRegex, group: number): number | null {
  if (re.groups === 0 && group === 1) return 0;
  return group > re.groups ? null : group;
}

function regexpInstr(t: string, p: string, start = 1, n = 1, end = 0, flags = '', group = 0): number {
  positive(start, 'start');
  positive(n, 'n');
  if (end !== 0 && end !== 1) throw new SqlError('22023', `invalid value for parameter "endoption": ${end}`);
  notNegative(group, 'subexpr');
  const re = compileRegex(p, localFlags(flags, 'regexp_instr()'));
  const g = existingGroup(re, group);
  if (g === null) return 0;
  const at = nthMatch(re, t, start, n)?.[2 * g + end] ?? -1;
  return at < 0 ? 0 : codePointIndex(t, at) + 1;
}
const INSTR = ['text', 'text', 'int4', 'int4', 'int4', 'text', 'int4'];
for (let n = 2; n <= INSTR.length; n++) {
  register(`regexp_instr(${INSTR.slice(0, n).join()})`, (...args: never[]) =>
    regexpInstr(...(args.slice(0, n) as unknown as Parameters<typeof regexpInstr>)),
  );
}

function regexpSubstr(t: string, p: string, start = 1, n = 1, flags = '', group = 0): string | null {
  positive(start, 'start');
  positive(n, 'n');
  notNegative(group, 'subexpr');
  const re = compileRegex(p, localFlags(flags, 'regexp_substr()'));
  const g = existingGroup(re, group);
  const spans = g === null ? null : nthMatch(re, t, start, n);
  return spans && piece(t, spans, g!);
}
const SUBSTR = ['text', 'text', 'int4', 'int4', 'text', 'int4'];
for (let n = 2; n <= SUBSTR.length; n++) {
  register(`regexp_substr(${SUBSTR.slice(0, n).join()})`, (...args: never[]) =>
    regexpSubstr(...(args.slice(0, n) as unknown as Parameters<typeof regexpSubstr>)),
  );
}

register('regexp_like(text,text)', (t: string, p: string) => compileRegex(p, CASE_SENSITIVE).test(t));
register('regexp_like(text,text,text)', (t: string, p: string, f: string) =>
  compileRegex(p, localFlags(f, 'regexp_like()')).test(t),
);
