/**
 * Reading JSON from bytes in the shared memory, without an object a value.
 *
 * Every reader takes the address of a value's first byte and returns the address behind it, or ODD when the value is not of the one
 * common form that the reader knows: then the whole message goes to the exact, slow path (slow_row.ts), which alone decides what is an
 * error. So a reader may refuse anything, but what it takes must mean exactly what the slow path would make of it.
 *
 * Readers do not look at the message's end: bytes behind it are readable, and the caller checks that the object ended in time.
 * Text with bytes above 0x7F is taken as it is and noted in `scan.high`; the caller then checks the message's UTF-8.
 */
import { memory, U8 } from '../../../operators/batch/memory.ts';

/** "Not of the common form." */
export const ODD = -1;

/** What the last readers noted: bytes above 0x7F seen. */
export const scan = { high: false };

/** Classes of a string's bytes; 0 is a plain one. */
export const QUOTE = 1;
export const BACKSLASH = 2;
export const CONTROL = 3;
export const HIGH = 4;
export const CLASS = new Uint8Array(256);
CLASS.fill(CONTROL, 0, 32).fill(HIGH, 128, 256);
CLASS[34] = QUOTE;
CLASS[92] = BACKSLASH;

const MAX_DEPTH = 64;

export function skipSpace(p: number): number {
  for (;;) {
    const c = U8[p];
    if (c > 32 || (c !== 32 && c !== 10 && c !== 13 && c !== 9)) return p;
    p++;
  }
}

/** True for what may follow a number: comma, bracket, brace, white space. */
export function endsNumber(c: number): boolean {
  return c === 44 || c === 125 || c === 93 || c === 32 || c === 10 || c === 13 || c === 9;
}

/** The same bytes, for words at any address. */
export const WORDS = new DataView(memory.buffer);

/** First byte from p on that is no plain character of a string; four at a time. */
export function plainEnd(p: number): number {
  for (; ; p += 4) {
    const w = WORDS.getInt32(p, true);
    const q = w ^ 0x22222222;
    const b = w ^ 0x5c5c5c5c;
    // The top bit of a byte is set where it is a quote, a backslash, below 0x20, or above 0x7F itself. A carry can set one wrongly, but only
    // behind a right one, and the first is what counts.
    const found = (((q - 0x01010101) & ~q) | ((b - 0x01010101) & ~b) | ((w - 0x20202020) & ~w) | w) & 0x80808080;
    if (found !== 0) return p + ((31 - Math.clz32(found & -found)) >>> 3);
  }
}

/** From the byte behind the opening quote to behind the closing one; escapes are checked. */
export function skipString(p: number): number {
  for (;;) {
    p = plainEnd(p);
    switch (CLASS[U8[p]]) {
      case QUOTE:
        return p + 1;
      case HIGH:
        scan.high = true;
        p++;
        break;
      case BACKSLASH:
        p = skipEscape(p + 1);
        if (p === ODD) return ODD;
        break;
      default:
        return ODD;
    }
  }
}

function skipEscape(p: number): number {
  switch (U8[p]) {
    case 34:
    case 92:
    case 47:
    case 98:
    case 102:
    case 110:
    case 114:
    case 116:
      return p + 1;
    case 117:
      for (let i = 1; i <= 4; i++) if (hexDigit(U8[p + i]) < 0) return ODD;
      return p + 5;
    default:
      return ODD;
  }
}

export function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const letter = c | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** A number of JSON's grammar, any length. */
export function skipNumber(p: number): number {
  if (U8[p] === 45) p++;
  if (U8[p] === 48) p++;
  else {
    const first = p;
    while (U8[p] >= 48 && U8[p] <= 57) p++;
    if (p === first) return ODD;
  }
  if (U8[p] === 46) {
    const first = ++p;
    while (U8[p] >= 48 && U8[p] <= 57) p++;
    if (p === first) return ODD;
  }
  if ((U8[p] | 32) === 101) {
    p++;
    if (U8[p] === 43 || U8[p] === 45) p++;
    const first = p;
    while (U8[p] >= 48 && U8[p] <= 57) p++;
    if (p === first) return ODD;
  }
  return endsNumber(U8[p]) ? p : ODD;
}

export function isNull(p: number): boolean {
  return U8[p] === 110 && U8[p + 1] === 117 && U8[p + 2] === 108 && U8[p + 3] === 108;
}

export function isTrue(p: number): boolean {
  return U8[p] === 116 && U8[p + 1] === 114 && U8[p + 2] === 117 && U8[p + 3] === 101;
}

export function isFalse(p: number): boolean {
  return U8[p] === 102 && U8[p + 1] === 97 && U8[p + 2] === 108 && U8[p + 3] === 115 && U8[p + 4] === 101;
}

/** A string, number, true, false or null. */
function skipScalar(p: number): number {
  const c = U8[p];
  if (c === 34) return skipString(p + 1);
  if (c === 45 || (c >= 48 && c <= 57)) return skipNumber(p);
  if (isTrue(p) || isNull(p)) return p + 4;
  return isFalse(p) ? p + 5 : ODD;
}

const closers = new Uint8Array(MAX_DEPTH);

/** Any value, checked against JSON's grammar; deeper than MAX_DEPTH is ODD. */
export function skipValue(p: number): number {
  if (U8[p] !== 123 && U8[p] !== 91) return skipScalar(p);
  let depth = 0;
  for (;;) {
    // At the first byte of a value.
    const c = U8[p];
    if (c === 123 || c === 91) {
      if (depth === MAX_DEPTH) return ODD;
      const closer = c + 2;
      closers[depth++] = closer;
      p = skipSpace(p + 1);
      if (U8[p] !== closer) {
        if (c === 123) p = skipKey(p);
        if (p === ODD) return ODD;
        continue;
      }
    } else {
      p = skipScalar(p);
      if (p === ODD) return ODD;
      p = skipSpace(p);
    }
    // Behind a value or at a closer.
    while (U8[p] === closers[depth - 1]) {
      p++;
      if (--depth === 0) return p;
      p = skipSpace(p);
    }
    if (U8[p] !== 44) return ODD;
    p = skipSpace(p + 1);
    if (closers[depth - 1] === 125) {
      p = skipKey(p);
      if (p === ODD) return ODD;
    }
  }
}

/** A key and its colon; to the first byte of the value. */
function skipKey(p: number): number {
  if (U8[p] !== 34) return ODD;
  p = skipString(p + 1);
  if (p === ODD) return ODD;
  p = skipSpace(p);
  return U8[p] === 58 ? skipSpace(p + 1) : ODD;
}
