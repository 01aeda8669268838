/**
 * SASLprep (RFC 4013): two ways to type a password become one text. As in PostgreSQL a password that may not be prepared (it has characters that are forbidden, or
 * is no text of one direction) counts as it is, so that bytes in any encoding can be one.
 *
 * Directions are those of Unicode 3.2 for texts from right to left; any other letter counts as one from left to right.
 */
type Range = readonly [first: number, last: number];

/** RFC 3454, B.1. */
const TO_NOTHING: Range[] = [
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x1806, 0x1806],
  [0x180b, 0x180d],
  [0x200c, 0x200d],
  [0x2060, 0x2060],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
];
/** C.1.2. */
const TO_SPACE: Range[] = [
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200b],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
];
/** C.2 to C.9. */
const FORBIDDEN: Range[] = [
  [0x0, 0x1f],
  [0x7f, 0x9f],
  [0x340, 0x341],
  [0x6dd, 0x6dd],
  [0x70f, 0x70f],
  [0x180e, 0x180e],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2061, 0x2063],
  [0x206a, 0x206f],
  [0x2ff0, 0x2ffb],
  [0xd800, 0xf8ff],
  [0xfff9, 0xffff],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe007f],
  [0xf0000, 0x10ffff],
];
/** D.1. */
const RIGHT_TO_LEFT: Range[] = [
  [0x5be, 0x5be],
  [0x5c0, 0x5c0],
  [0x5c3, 0x5c3],
  [0x5d0, 0x5ea],
  [0x5f0, 0x5f4],
  [0x61b, 0x61b],
  [0x61f, 0x61f],
  [0x621, 0x63a],
  [0x640, 0x64a],
  [0x66d, 0x66f],
  [0x671, 0x6d5],
  [0x6dd, 0x6dd],
  [0x6e5, 0x6e6],
  [0x6fa, 0x6fe],
  [0x700, 0x70d],
  [0x710, 0x710],
  [0x712, 0x72c],
  [0x780, 0x7a5],
  [0x7b1, 0x7b1],
  [0x200f, 0x200f],
  [0xfb1d, 0xfb1d],
  [0xfb1f, 0xfb28],
  [0xfb2a, 0xfbb1],
  [0xfbd3, 0xfd3d],
  [0xfd50, 0xfdc7],
  [0xfdf0, 0xfdfc],
  [0xfe70, 0xfefc],
];
const NO_CHARACTER = /\p{Noncharacter_Code_Point}|\p{Unassigned}/u;
const LETTER = /\p{L}/u;

function within(ranges: Range[], character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return ranges.some(([first, last]) => code >= first && code <= last);
}

export function saslprep(password: string): string {
  // Only these can be other characters than they are.
  if (/^[\x20-\x7e]*$/.test(password)) return password;
  const kept = [...password].flatMap((c) => (within(TO_SPACE, c) ? [' '] : within(TO_NOTHING, c) ? [] : [c]));
  const characters = [...kept.join('').normalize('NFKC')];
  if (characters.length === 0) return password;
  if (characters.some((c) => within(FORBIDDEN, c) || NO_CHARACTER.test(c))) return password;
  if (characters.some((c) => within(RIGHT_TO_LEFT, c))) {
    const ends = [characters[0], characters[characters.length - 1]];
    const mixed = characters.some((c) => LETTER.test(c) && !within(RIGHT_TO_LEFT, c));
    if (mixed || !ends.every((c) => within(RIGHT_TO_LEFT, c))) return password;
  }
  return characters.join('');
}
