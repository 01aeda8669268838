/** Texts and raw JSON from bytes into varlen slots, which point to where the text stands; see scan.ts for what a reader is. */
import { I32, U8 } from '../../../operators/batch/memory.ts';
import {
  BACKSLASH,
  CLASS,
  CONTROL,
  HIGH,
  hexDigit,
  ODD,
  plainEnd,
  QUOTE,
  scan,
  skipNumber,
  skipValue,
  WORDS,
} from './scan.ts';

/** Bytes of the three words of a short text that count, by length. */
const SHORT_MASKS = Int32Array.from({ length: 13 * 3 }, (_, i) => {
  const bytes = Math.min(4, Math.max(0, Math.floor(i / 3) - (i % 3) * 4));
  return bytes === 0 ? 0 : -1 >>> ((4 - bytes) * 8);
});

/** The varlen slot of bytes that lie at `address` (slots.ts), a word at a time: 12 bytes from there on must be readable. */
function pointText(slot: number, address: number, length: number): void {
  const word = slot >>> 2;
  I32[word] = length;
  if (length > 12) {
    I32[word + 1] = WORDS.getInt32(address, true);
    I32[word + 2] = address;
    I32[word + 3] = 0;
    return;
  }
  I32[word + 1] = WORDS.getInt32(address, true) & SHORT_MASKS[length * 3];
  I32[word + 2] = WORDS.getInt32(address + 4, true) & SHORT_MASKS[length * 3 + 1];
  I32[word + 3] = WORDS.getInt32(address + 8, true) & SHORT_MASKS[length * 3 + 2];
}

/** A string without escapes, or the text of a number: the slot points to where it stands. */
export function readText(p: number, slot: number): number {
  if (U8[p] !== 34) {
    const end = skipNumber(p);
    if (end !== ODD) pointText(slot, p, end - p);
    return end;
  }
  const start = p + 1;
  p = start;
  for (;;) {
    p = plainEnd(p);
    const kind = CLASS[U8[p]];
    if (kind === QUOTE) break;
    if (kind === HIGH) scan.high = true;
    else if (kind === BACKSLASH) return readEscaped(start, p, slot);
    else return ODD;
    p++;
  }
  pointText(slot, start, p - start);
  return p + 1;
}

const SIMPLE_ESCAPE = new Uint8Array(256);
for (const [c, to] of [
  ['"', 34],
  ['\\', 92],
  ['/', 47],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
] as const) {
  SIMPLE_ESCAPE[c.charCodeAt(0)] = to;
}

/** Unescapes in place: the result is never longer than its source, and nothing reads these bytes of the copy again. */
function readEscaped(start: number, p: number, slot: number): number {
  let to = p;
  const source = p;
  for (;;) {
    const c = U8[p];
    const kind = CLASS[c];
    if (kind === QUOTE) break;
    if (kind === CONTROL) return ODD;
    if (kind !== BACKSLASH) {
      if (kind === HIGH) scan.high = true;
      scratch[to - source] = c;
      to++;
      p++;
    } else if (U8[p + 1] === 117) {
      const code = readUnicodeEscape(p);
      if (code <= 0) return ODD;
      p += code > 0xffff ? 12 : 6;
      to = source + putCodePoint(to - source, code);
    } else {
      const plain = SIMPLE_ESCAPE[U8[p + 1]];
      if (plain === 0) return ODD;
      scratch[to - source] = plain;
      to++;
      p += 2;
    }
    if (to - source > scratch.length - 8) return ODD;
  }
  U8.set(scratch.subarray(0, to - source), source);
  pointText(slot, start, to - start);
  return p + 1;
}

const scratch = new Uint8Array(1 << 16);

/** Code point of \uXXXX or of a surrogate pair at p; 0 or ODD for what text can't hold. */
function readUnicodeEscape(p: number): number {
  const unit = readHex4(p + 2);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  if (unit > 0xdbff || U8[p + 6] !== 92 || U8[p + 7] !== 117) return ODD;
  const low = readHex4(p + 8);
  if (low < 0xdc00 || low > 0xdfff) return ODD;
  return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

function readHex4(p: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const digit = hexDigit(U8[p + i]);
    if (digit < 0) return ODD;
    value = value * 16 + digit;
  }
  return value;
}

/** Writes UTF-8 into the scratch and returns where it ends. */
function putCodePoint(at: number, code: number): number {
  if (code < 0x80) scratch[at++] = code;
  else if (code < 0x800) {
    scratch[at++] = 0xc0 | (code >> 6);
    scratch[at++] = 0x80 | (code & 63);
  } else if (code < 0x10000) {
    scratch[at++] = 0xe0 | (code >> 12);
    scratch[at++] = 0x80 | ((code >> 6) & 63);
    scratch[at++] = 0x80 | (code & 63);
  } else {
    scratch[at++] = 0xf0 | (code >> 18);
    scratch[at++] = 0x80 | ((code >> 12) & 63);
    scratch[at++] = 0x80 | ((code >> 6) & 63);
    scratch[at++] = 0x80 | (code & 63);
  }
  return at;
}

/** The value as it stands, for json columns; strings with escapes are ODD. */
export function readRaw(p: number, slot: number): number {
  const end = skipValue(p);
  if (U8[p] === 34) for (let i = p; i < end; i++) if (U8[i] === 92) return ODD;
  if (end !== ODD) pointText(slot, p, end - p);
  return end;
}
