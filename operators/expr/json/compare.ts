/**
 * The order of jsonb values, on their canonical texts.
 *
 *   null < string < number < boolean < array < object; of two arrays or objects the one with fewer items is less, then the first item that differs decides
 *
 * Both texts are walked side by side up to the first difference. What is open there has an end further on, where it is known which has more items: the outermost decides.
 *
 * State orders rows by this, where nothing may fail: so it makes no tree, and knows no limit of values or depth. O(length), memory O(depth).
 */
import type { Decimal } from '../../datum.ts';
import { compareDecimal } from '../decimal/compare.ts';
import { parseDecimal } from '../decimal/text.ts';
import { compareText } from '../text/code_points.ts';

const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);
const COMMA = ','.charCodeAt(0);
const COLON = ':'.charCodeAt(0);
const BLANK = ' '.charCodeAt(0);
const ARRAY = '['.charCodeAt(0);
const ARRAY_END = ']'.charCodeAt(0);
const OBJECT = '{'.charCodeAt(0);
const OBJECT_END = '}'.charCodeAt(0);
const NULL = 'n'.charCodeAt(0);
const TRUE = 't'.charCodeAt(0);
const FALSE = 'f'.charCodeAt(0);

const NUMBER_RANK = 2;
const END_RANK = 6;
/** By the character that it begins with; numbers begin with all others. Where one has an end and the other has not, the rests decide. */
const RANKS = new Map([
  [NULL, 0],
  [QUOTE, 1],
  [FALSE, 3],
  [TRUE, 3],
  [ARRAY, 4],
  [OBJECT, 5],
  [ARRAY_END, END_RANK],
  [OBJECT_END, END_RANK],
]);

const opens = (c: number) => c === ARRAY || c === OBJECT;
const closes = (c: number) => c === ARRAY_END || c === OBJECT_END;
const separates = (c: number) => c === COMMA || c === COLON || c === BLANK;

/** The btree order of jsonb. A whole value that is a scalar is less than any array but the empty one. */
export function compareJsonb(a: string, b: string): number {
  if (a === b) return 0;
  const firstA = a.charCodeAt(0);
  const firstB = b.charCodeAt(0);
  if (firstA === ARRAY && !opens(firstB)) return a === '[]' ? -1 : 1;
  if (firstB === ARRAY && !opens(firstA)) return b === '[]' ? 1 : -1;
  return compareTokens(a, b);
}

function compareTokens(a: string, b: string): number {
  let depth = 0;
  for (let i = 0, j = 0; ; ) {
    while (separates(a.charCodeAt(i))) i++;
    while (separates(b.charCodeAt(j))) j++;
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(j);
    if (rank(x) !== rank(y)) return compareRests(a, i, b, j, depth) || rank(x) - rank(y);
    if (opens(x) || closes(x)) {
      depth += opens(x) ? 1 : -1;
      i++;
      j++;
    } else {
      const endA = endOfScalar(a, i);
      const endB = endOfScalar(b, j);
      const order = compareScalars(a.slice(i, endA), b.slice(j, endB));
      if (order !== 0) return compareRests(a, i, b, j, depth) || order;
      i = endA;
      j = endB;
    }
    if (depth === 0) return 0;
  }
}

const rank = (c: number) => RANKS.get(c) ?? NUMBER_RANK;

/** Of two of one rank. */
function compareScalars(a: string, b: string): number {
  if (a === b) return 0;
  const first = a.charCodeAt(0);
  if (first === QUOTE) return compareText(JSON.parse(a) as string, JSON.parse(b) as string);
  if (first === TRUE || first === FALSE) return first - b.charCodeAt(0);
  return compareDecimal(parseDecimal(a) as Decimal, parseDecimal(b) as Decimal);
}

function endOfScalar(text: string, start: number): number {
  let at = start + 1;
  if (text.charCodeAt(start) === QUOTE) {
    for (let c = text.charCodeAt(at); c !== QUOTE; c = text.charCodeAt(at)) at += c === BACKSLASH ? 2 : 1;
    return at + 1;
  }
  while (at < text.length && !separates(text.charCodeAt(at)) && !closes(text.charCodeAt(at))) at++;
  return at;
}

/** Of `depth` arrays and objects that are open in both, and had equally many items up to here: the outermost in which more follow in one than in the other. */
function compareRests(a: string, i: number, b: string, j: number, depth: number): number {
  const restA = itemsLeft(a, i, depth);
  const restB = itemsLeft(b, j, depth);
  for (let level = depth - 1; level >= 0; level--)
    if (restA[level] !== restB[level]) return restA[level] - restB[level];
  return 0;
}

/** How many items begin there or follow in each of those that are open, the innermost first. */
function itemsLeft(text: string, from: number, depth: number): number[] {
  const left: number[] = [];
  let items = closes(text.charCodeAt(from)) ? 0 : 1;
  let inner = 0;
  for (let at = from; left.length < depth; ) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) at = endOfScalar(text, at);
    else {
      if (opens(c)) inner++;
      else if (closes(c) && inner > 0) inner--;
      else if (closes(c)) {
        left.push(items);
        items = 0;
      } else if (c === COMMA && inner === 0) items++;
      at++;
    }
  }
  return left;
}
