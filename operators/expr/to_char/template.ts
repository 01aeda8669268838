/**
 * Format templates of to_char, to_timestamp, to_date and to_number, split into nodes.
 *
 *   'FMDay, DDth "of" Mon'  ->  [Day fill] [,] [ ] [DD th] [ ] [o] [f] [ ] [Mon]
 *
 * Patterns are found by the longest spelling first, case and all; text in double quotes stands for itself.
 */
import { SqlError } from '../../errors.ts';

export interface TemplateNode {
  /** `space` and `separator` matter only for reading; both print their character. */
  kind: 'pattern' | 'character' | 'space' | 'separator';
  /** The pattern's spelling, or the character. */
  text: string;
  /** FM before the pattern: no padding. */
  fill: boolean;
  /** TM before the pattern: names in the locale's language, unpadded. */
  translated: boolean;
  /** An ordinal suffix after the pattern. */
  ordinal: 'TH' | 'th' | null;
  /** Written between double quotes. */
  quoted: boolean;
}

const both = (words: string) => words.split(' ').flatMap((w) => [w, w.toLowerCase()]);

/** Order matters: a pattern stands before those that begin it. */
const DATETIME_PATTERNS = [
  ...both('A.D. A.M. AD AM B.C. BC CC'),
  'DAY',
  'Day',
  'day',
  ...both('DDD DD'),
  'DY',
  'Dy',
  'dy',
  ...both('D FF1 FF2 FF3 FF4 FF5 FF6 FX'),
  ...both('HH24 HH12 HH IDDD ID IW IYYY IYY IY I J MI MM'),
  'MONTH',
  'Month',
  'month',
  'MON',
  'Mon',
  'mon',
  ...both('MS OF P.M. PM Q RM SSSSS SSSS SS TZH TZM TZ US WW W Y,YYY YYYY YYY YY Y'),
];

const NUMBER_PATTERNS = [',', '.', '0', '9', ...both('B C D EEEE FM G L MI PL PR RN SG SP S TH V')];

/** Patterns by first character, so that a template is split in one pass. */
function byFirst(patterns: string[]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const p of patterns) map.set(p[0], [...(map.get(p[0]) ?? []), p]);
  return map;
}

const DATETIME = byFirst(DATETIME_PATTERNS);
const NUMBER = byFirst(NUMBER_PATTERNS);

/** Templates already split; they are few and come again with every row. */
const cache = new Map<string, TemplateNode[]>();
const CACHE_SIZE = 200;

function cached(key: string, make: () => TemplateNode[]): TemplateNode[] {
  let nodes = cache.get(key);
  if (!nodes) {
    nodes = make();
    if (cache.size >= CACHE_SIZE) cache.clear();
    cache.set(key, nodes);
  }
  return nodes;
}

export function datetimeTemplate(template: string): TemplateNode[] {
  return cached(`d${template}`, () => split(template, DATETIME, true));
}

export function numberTemplate(template: string): TemplateNode[] {
  return cached(`n${template}`, () => split(template, NUMBER, false));
}

export function isSpaceChar(c: string): boolean {
  return c === ' ' || (c >= '\t' && c <= '\r');
}

/** ASCII that is neither letter nor digit nor control nor blank. */
export function isSeparatorChar(c: string): boolean {
  return c > ' ' && c < '\x7f' && !/[A-Za-z0-9]/.test(c);
}

function split(template: string, patterns: Map<string, string[]>, datetime: boolean): TemplateNode[] {
  const nodes: TemplateNode[] = [];
  let at = 0;
  const push = (kind: TemplateNode['kind'], text: string, quoted = false) => {
    nodes.push({ kind, text, fill: false, translated: false, ordinal: null, quoted });
  };
  while (at < template.length) {
    const prefix = datetime ? template.slice(at, at + 2) : '';
    const fill = prefix === 'FM' || prefix === 'fm';
    const translated = prefix === 'TM' || prefix === 'tm';
    if (fill || translated) at += 2;
    const pattern = patterns.get(template.charAt(at))?.find((p) => template.startsWith(p, at));
    if (pattern) {
      at += pattern.length;
      const suffix = datetime ? template.slice(at, at + 2) : '';
      const ordinal = suffix === 'TH' || suffix === 'th' ? suffix : null;
      if (ordinal || suffix === 'SP') at += 2;
      nodes.push({ kind: 'pattern', text: pattern, fill, translated, ordinal, quoted: false });
      continue;
    }
    if (at >= template.length) break;
    if (template[at] === '"') {
      at++;
      while (at < template.length && template[at] !== '"') {
        if (template[at] === '\\' && at + 1 < template.length) at++;
        const c = String.fromCodePoint(template.codePointAt(at)!);
        push('character', c, true);
        at += c.length;
      }
      at++;
      continue;
    }
    if (template[at] === '\\' && template[at + 1] === '"') at++;
    const c = String.fromCodePoint(template.codePointAt(at)!);
    at += c.length;
    if (datetime && isSeparatorChar(c)) push('separator', c);
    else push(isSpaceChar(c) ? 'space' : 'character', c);
  }
  return nodes;
}

/** The English ordinal ending of a number's digits: st, nd, rd, th. */
export function ordinalEnding(digits: string, style: 'TH' | 'th'): string {
  const last = digits.slice(-1);
  if (!/\d/.test(last)) throw new SqlError('22P02', `"${digits}" is not a number`);
  const teen = digits.length > 1 && digits[digits.length - 2] === '1';
  const ending = teen ? 'th' : last === '1' ? 'st' : last === '2' ? 'nd' : last === '3' ? 'rd' : 'th';
  return style === 'TH' ? ending.toUpperCase() : ending;
}
