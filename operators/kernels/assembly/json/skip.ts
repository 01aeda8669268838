/** Walks over JSON values and checks their grammar: for undeclared fields and for values that are kept as written. */
import { hexDigit, isFalse, isNull, isTrue, plainEnd, skipSpace, stop } from './bytes';

/** Nesting is kept as one bit a level. */
const MAX_DEPTH = 64;

/** From behind the opening quote to behind the closing one; escapes are checked. */
export function skipString(p: usize): usize {
  while (true) {
    p = plainEnd(p);
    if (p >= stop) return 0;
    const c = load<u8>(p);
    if (c === 34) return p + 1;
    if (c !== 92) return 0;
    p = skipEscape(p + 1);
    if (p === 0) return 0;
  }
}

function skipEscape(p: usize): usize {
  switch (load<u8>(p)) {
    case 34:
    case 92:
    case 47:
    case 98:
    case 102:
    case 110:
    case 114:
    case 116:
      return p + 1;
    case 117: {
      for (let i: usize = 1; i <= 4; i++) if (hexDigit(load<u8>(p + i)) < 0) return 0;
      return p + 5;
    }
    default:
      return 0;
  }
}

function skipDigits(p: usize): usize {
  while (<u32>load<u8>(p) - 48 <= 9 && p < stop) p++;
  return p;
}

/** A number of JSON's grammar, any length. What may follow it is the caller's business. */
export function skipNumber(p: usize): usize {
  if (load<u8>(p) === 45) p++;
  if (load<u8>(p) === 48) p++;
  else {
    const first = p;
    p = skipDigits(p);
    if (p === first) return 0;
  }
  if (load<u8>(p) === 46) {
    const first = ++p;
    p = skipDigits(p);
    if (p === first) return 0;
  }
  if ((load<u8>(p) | 32) === 101) {
    p++;
    const sign = load<u8>(p);
    if (sign === 43 || sign === 45) p++;
    const first = p;
    p = skipDigits(p);
    if (p === first) return 0;
  }
  return p;
}

function skipScalar(p: usize): usize {
  const c = load<u8>(p);
  if (c === 34) return skipString(p + 1);
  if (c === 45 || <u32>c - 48 <= 9) return skipNumber(p);
  if (isTrue(p) || isNull(p)) return p + 4;
  return isFalse(p) ? p + 5 : 0;
}

/** A key and its colon; to the first byte of the value. */
function skipKey(p: usize): usize {
  if (load<u8>(p) !== 34) return 0;
  p = skipString(p + 1);
  if (p === 0) return 0;
  p = skipSpace(p);
  return load<u8>(p) === 58 ? skipSpace(p + 1) : 0;
}

/** Any value; deeper than MAX_DEPTH is refused. */
export function skipValue(p: usize): usize {
  let c = load<u8>(p);
  if (c !== 123 && c !== 91) return skipScalar(p);
  let depth = 0;
  /** The lowest bit is the innermost level: 1 for an object. */
  let objects: u64 = 0;
  while (true) {
    // At the first byte of a value.
    c = load<u8>(p);
    if (c === 123 || c === 91) {
      if (depth++ === MAX_DEPTH) return 0;
      objects = (objects << 1) | (c === 123 ? 1 : 0);
      p = skipSpace(p + 1);
      if (load<u8>(p) !== c + 2) {
        if (c === 123) p = skipKey(p);
        if (p === 0) return 0;
        continue;
      }
    } else {
      p = skipScalar(p);
      if (p === 0) return 0;
      p = skipSpace(p);
    }
    // Behind a value or at a closing bracket.
    while (load<u8>(p) === ((objects & 1) !== 0 ? 125 : 93)) {
      p++;
      objects >>= 1;
      if (--depth === 0) return p;
      p = skipSpace(p);
    }
    if (load<u8>(p) !== 44 || p >= stop) return 0;
    p = skipSpace(p + 1);
    if ((objects & 1) !== 0) {
      p = skipKey(p);
      if (p === 0) return 0;
    }
  }
}
