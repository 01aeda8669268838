/**
 * Text functions over varlen slots: bytes in, bytes out, no JavaScript string. What kernels call for the functions of strings.ts and
 * letter_case.ts, which stay the reference.
 *
 * Every function takes addresses of slots and returns the address of a slot with its result: `out`, whose 16 bytes it writes, or one of its
 * arguments when that is the answer. A piece of an argument is not copied, the result points into its bytes. UTF-8 is searched bytewise
 * (no character's bytes begin inside another's); what depends on more than bytes and code points gives BAIL.
 */
import type { Arena } from '../../batch/arena.ts';
import { encodeComposite } from '../../batch/composite.ts';
import { I32, U8, U32 } from '../../batch/memory.ts';
import { pointVarlen, varlenAddress, writeVarlenBytes } from '../../batch/slots.ts';
import { pgArray } from '../../datum.ts';
import { kernels } from '../../kernels/index.ts';
import { OID } from '../../types.ts';

/** No result: the interpreter has to do the row. */
export const BAIL = -1;

const byteLength = (slot: number): number => U32[slot >>> 2];

export function isAscii(address: number, length: number): boolean {
  return kernels.isAscii(address, address + length) !== 0;
}

/** Room for a result of `length` bytes: in the slot itself when it fits. Its bytes are zero when it is short. */
export function room(out: number, length: number, arena: Arena): number {
  const word = out >>> 2;
  U32[word] = length;
  U32[word + 1] = 0;
  U32[word + 2] = 0;
  U32[word + 3] = 0;
  return length <= 12 ? out + 4 : arena.alloc(length);
}

/** Completes a slot whose `length` > 12 bytes were written at `address`. */
export function seal(out: number, address: number, length: number): number {
  if (length > 12) pointVarlen(out, address, length);
  return out;
}

export function copy(from: number, to: number, length: number): void {
  // A loop beats the call for short texts.
  if (length < 16) for (let i = 0; i < length; i++) U8[to + i] = U8[from + i];
  else kernels.copyBytes(to, from, length);
}

/** Address of the first occurrence of a needle of at least one byte in [from, end); -1 when there is none. */
export function findBytes(from: number, end: number, needle: number, length: number): number {
  const at = kernels.findBytes(from, end, needle, length);
  return at === 0 ? -1 : at >>> 0;
}

/** Characters in some bytes of UTF-8: those that do not continue one. */
function countCharacters(from: number, end: number): number {
  return kernels.countCharacters(from, end) >>> 0;
}

/** Address after the first `n` characters of [from, end), or `end`. */
function skipCharacters(from: number, end: number, n: number): number {
  let at = from;
  while (n > 0 && at < end) {
    at++;
    while (at < end && (U8[at] & 0xc0) === 0x80) at++;
    n--;
  }
  return at;
}

/** The slot `out` showing bytes that lie elsewhere. */
export function piece(out: number, from: number, end: number): number {
  pointVarlen(out, from, end - from);
  return out;
}

export function characterLength(text: number): number {
  const from = varlenAddress(text);
  return countCharacters(from, from + byteLength(text));
}

/** lower or upper: `first` is the code of the first letter to change ('A' or 'a'). Other characters than ASCII bail. */
function changeCase(text: number, first: number, out: number, arena: Arena): number {
  const length = byteLength(text);
  if (length <= 12) return changeShort(text, first, out);
  const from = varlenAddress(text);
  const cases = kernels.casesOf(from, from + length, first);
  if (cases < 0) return BAIL;
  if (cases === 0) return text;
  const to = room(out, length, arena);
  kernels.changeCase(from, from + length, first, to);
  return seal(out, to, length);
}

/** changeCase of a text whose bytes lie in its slot: four at a time. */
function changeShort(text: number, first: number, out: number): number {
  const from = text >>> 2;
  const [a, b, c] = [I32[from + 1], I32[from + 2], I32[from + 3]];
  if (((a | b | c) & HIGH_BITS) !== 0) return BAIL;
  const to = out >>> 2;
  const [x, y, z] = [flipCase(a, first), flipCase(b, first), flipCase(c, first)];
  if (x === a && y === b && z === c) return text;
  I32[to] = I32[from];
  I32[to + 1] = x;
  I32[to + 2] = y;
  I32[to + 3] = z;
  return out;
}

const HIGH_BITS = 0x80808080;

/** Four bytes of ASCII with the letters of one case changed to the other: additions carry into a byte's high bit from 'first' and from behind the last letter on. */
function flipCase(word: number, first: number): number {
  const fromFirst = word + (0x80 - first) * 0x01010101;
  const fromBehind = word + (0x80 - first - 26) * 0x01010101;
  return word ^ (((fromFirst ^ fromBehind) & HIGH_BITS) >>> 2);
}

export function lowerText(text: number, out: number, arena: Arena): number {
  return changeCase(text, 65, out, arena);
}

export function upperText(text: number, out: number, arena: Arena): number {
  return changeCase(text, 97, out, arena);
}

export function concatText(a: number, b: number, out: number, arena: Arena): number {
  const [x, y] = [byteLength(a), byteLength(b)];
  if (y === 0) return a;
  if (x === 0) return b;
  // `out` may be one of the arguments only as the result of another site, which has a slot of its own.
  const to = room(out, x + y, arena);
  copy(varlenAddress(a), to, x);
  copy(varlenAddress(b), to + x, y);
  return seal(out, to, x + y);
}

/** 1-based character position of `part`; 0 when it is not there, 1 when it is empty. */
export function positionOf(text: number, part: number): number {
  const length = byteLength(part);
  if (length === 0) return 1;
  const from = varlenAddress(text);
  const at = findBytes(from, from + byteLength(text), varlenAddress(part), length);
  return at < 0 ? 0 : countCharacters(from, at) + 1;
}

export function startsWith(text: number, prefix: number): boolean {
  const length = byteLength(prefix);
  if (length > byteLength(text)) return false;
  const [a, b] = [varlenAddress(text), varlenAddress(prefix)];
  for (let i = 0; i < length; i++) if (U8[a + i] !== U8[b + i]) return false;
  return true;
}

/** Characters `from` (0-based) to `to`; `to` may be Infinity. */
export function sliceText(text: number, from: number, to: number, out: number): number {
  const begin = varlenAddress(text);
  const end = begin + byteLength(text);
  const start = skipCharacters(begin, end, from);
  return piece(out, start, to === Number.POSITIVE_INFINITY ? end : skipCharacters(start, end, Math.max(to - from, 0)));
}

/** substring(text, start, length); a negative length, an error, bails. */
export function substringText(text: number, start: number, length: number, out: number): number {
  if (length < 0) return BAIL;
  const end = start + length;
  return sliceText(
    text,
    Math.max(start, 1) - 1,
    end > 2147483647 ? Number.POSITIVE_INFINITY : Math.max(end, 1) - 1,
    out,
  );
}

export function leftText(text: number, n: number, out: number): number {
  return sliceText(text, 0, n >= 0 ? n : Math.max(characterLength(text) + n, 0), out);
}

export function rightText(text: number, n: number, out: number): number {
  if (n < -2147483647) return text;
  return sliceText(text, n >= 0 ? Math.max(characterLength(text) - n, 0) : -n, Number.POSITIVE_INFINITY, out);
}

export function trimBlanks(text: number, atStart: boolean, atEnd: boolean, out: number): number {
  let from = varlenAddress(text);
  let end = from + byteLength(text);
  if (atStart) while (from < end && U8[from] === 32) from++;
  if (atEnd) while (end > from && U8[end - 1] === 32) end--;
  return piece(out, from, end);
}

/** Every `from` in the text as `to`. */
export function replaceText(text: number, from: number, to: number, out: number, arena: Arena): number {
  const needleLength = byteLength(from);
  if (needleLength === 0) return text;
  const begin = varlenAddress(text);
  const length = byteLength(text);
  const end = begin + length;
  const needle = varlenAddress(from);
  const count = kernels.countBytes(begin, end, needle, needleLength) >>> 0;
  if (count === 0) return text;
  const insertLength = byteLength(to);
  const total = length + count * (insertLength - needleLength);
  if (total > 0x3ffffff0) return BAIL;
  const result = room(out, total, arena);
  kernels.replaceBytes(begin, end, needle, needleLength, varlenAddress(to), insertLength, result);
  return seal(out, result, total);
}

/** Of an array without items, and of one of `count` texts beside those. */
const EMPTY_ARRAY = encodeComposite(pgArray(OID.text, []));
const ARRAY_BYTES = 17;
const ITEM_BYTES = 5;

/** string_to_array by a separator of at least one byte. */
export function splitToArray(text: number, separator: number, out: number, arena: Arena): number {
  const length = byteLength(text);
  if (length === 0) {
    writeVarlenBytes(out, EMPTY_ARRAY, arena);
    return out;
  }
  const from = varlenAddress(text);
  const end = from + length;
  const between = varlenAddress(separator);
  const betweenLength = byteLength(separator);
  const count = kernels.countBytes(from, end, between, betweenLength) >>> 0;
  const total = ARRAY_BYTES + (count + 1) * ITEM_BYTES + length - count * betweenLength;
  if (total > 0x3ffffff0) return BAIL;
  const to = room(out, total, arena);
  kernels.splitArray(from, end, between, betweenLength, count, to);
  return seal(out, to, total);
}

/** The fields of one text between separators; split_part of several fields walks the text once. */
export class Fields {
  readonly #separator: number;
  readonly #separatorLength: number;
  /** Words that the kernel goes on from (operators/kernels/assembly/texts.ts). */
  readonly #cursor: number;

  /** A separator of at least one byte; 16 bytes for the cursor. */
  constructor(separatorSlot: number, cursor: number) {
    this.#separator = varlenAddress(separatorSlot);
    this.#separatorLength = byteLength(separatorSlot);
    this.#cursor = cursor >>> 2;
  }

  start(text: number): void {
    const from = varlenAddress(text);
    const cursor = this.#cursor;
    U32[cursor] = 1;
    U32[cursor + 1] = from;
    U32[cursor + 2] = from;
    U32[cursor + 3] = from + byteLength(text);
  }

  /** Field n, 1-based; empty when there are fewer. */
  part(n: number, out: number): number {
    kernels.splitPart(this.#cursor * 4, this.#separator, this.#separatorLength, n, out);
    return out;
  }
}

/** LIKE for a constant pattern of literals and %: what lies before, between and after the %. */
export class LikeMatcher {
  /** First literal at the start, last one at the end, the others in order between; a lone one is the whole text. */
  readonly #literals: Buffer[];
  readonly #fold: boolean;

  /** `fold`: ILIKE; the literals are lower case ASCII and texts beyond ASCII bail. */
  constructor(literals: string[], fold: boolean) {
    this.#literals = literals.map((l) => Buffer.from(l));
    this.#fold = fold;
  }

  /** 1, 0 or BAIL. */
  test(text: number): number {
    const literals = this.#literals;
    let from = varlenAddress(text);
    let end = from + byteLength(text);
    if (this.#fold && !isAscii(from, end - from)) return BAIL;
    const last = literals.length - 1;
    const prefix = literals[0];
    if (end - from < prefix.length || !this.#at(from, prefix)) return 0;
    if (last === 0) return end - from === prefix.length ? 1 : 0;
    from += prefix.length;
    const suffix = literals[last];
    if (end - from < suffix.length || !this.#at(end - suffix.length, suffix)) return 0;
    end -= suffix.length;
    for (let p = 1; p < last; p++) {
      const literal = literals[p];
      while (end - from >= literal.length && !this.#at(from, literal)) from++;
      if (end - from < literal.length) return 0;
      from += literal.length;
    }
    return 1;
  }

  #at(address: number, literal: Buffer): boolean {
    for (let i = 0; i < literal.length; i++) {
      const c = U8[address + i];
      if ((this.#fold && c >= 65 && c <= 90 ? c | 0x20 : c) !== literal[i]) return false;
    }
    return true;
  }
}

/** Literals of a LIKE pattern, between its %; null where it has a wildcard for one character or ends with a lone escape. */
export function likeLiterals(pattern: string): string[] | null {
  const literals = [''];
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === '_') return null;
    if (pattern[i] === '%') literals.push('');
    else {
      if (pattern[i] === '\\' && ++i === pattern.length) return null;
      literals[literals.length - 1] += pattern[i];
    }
  }
  return literals;
}

/** Digits of an integer below 2^53. */
export function integerText(n: number, out: number, arena: Arena): number {
  let size = n < 0 ? -n : n;
  let length = n < 0 ? 2 : 1;
  for (let power = 10; size >= power; power *= 10) length++;
  const to = room(out, length, arena);
  if (n < 0) U8[to] = 45;
  for (let at = to + length - 1; ; at--) {
    const rest = Math.floor(size / 10);
    U8[at] = 48 + (size - rest * 10);
    size = rest;
    if (size === 0) break;
  }
  return seal(out, to, length);
}

/** The integer that some plain digits say; NaN for everything that needs a closer look. */
export function parseInteger(text: number): number {
  const length = byteLength(text);
  let at = varlenAddress(text);
  const end = at + length;
  const negative = length > 1 && U8[at] === 45;
  if (negative) at++;
  if (end - at < 1 || end - at > 15) return Number.NaN;
  let n = 0;
  for (; at < end; at++) {
    const digit = U8[at] - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    n = n * 10 + digit;
  }
  return negative ? 0 - n : n;
}
