/**
 * Decimal digits written as bytes: no string, no division by ten one digit at a time. All functions return the position after
 * what they wrote and need the room they name.
 */

/** '00' '01' ... '99'. */
const PAIRS = new Uint8Array(200);
for (let i = 0; i < 100; i++) {
  PAIRS[i * 2] = 48 + Math.floor(i / 10);
  PAIRS[i * 2 + 1] = 48 + (i % 10);
}

function countDigits(n: number): number {
  if (n < 100000) {
    if (n < 100) return n < 10 ? 1 : 2;
    if (n < 1000) return 3;
    return n < 10000 ? 4 : 5;
  }
  if (n < 10000000) return n < 1000000 ? 6 : 7;
  if (n < 100000000) return 8;
  return n < 1000000000 ? 9 : 10;
}

/** An integer 0 <= n < 2^32 in exactly `width` digits (zeros in front). */
export function writePadded(buf: Uint8Array, pos: number, n: number, width: number): number {
  n >>>= 0;
  let at = pos + width;
  while (at - pos >= 2) {
    const q = (n / 100) >>> 0;
    const r = (n - q * 100) << 1;
    buf[--at] = PAIRS[r + 1];
    buf[--at] = PAIRS[r];
    n = q;
  }
  if (at > pos) buf[pos] = 48 + (n % 10);
  return pos + width;
}

/** Two digits. */
export function writeTwo(buf: Uint8Array, pos: number, n: number): number {
  buf[pos] = PAIRS[n * 2];
  buf[pos + 1] = PAIRS[n * 2 + 1];
  return pos + 2;
}

/** An integer 0 <= n < 2^53; at most 16 bytes. */
export function writeUnsigned(buf: Uint8Array, pos: number, n: number): number {
  if (n < 4294967296) return writePadded(buf, pos, n, countDigits(n));
  const high = Math.floor(n / 100000000);
  const low = n - high * 100000000;
  return writePadded(buf, writePadded(buf, pos, high, countDigits(high)), low, 8);
}

/** An int32; at most 11 bytes. */
export function writeInt32(buf: Uint8Array, pos: number, n: number): number {
  if (n >= 0) return writeUnsigned(buf, pos, n);
  buf[pos] = 45;
  return writeUnsigned(buf, pos + 1, -n);
}

/** 16-bit limbs of the number being divided in writeInt64. */
const LIMBS = new Float64Array(4);

/** Divides LIMBS by 10^8 in place and returns the remainder. */
function divideLimbs(): number {
  let rest = 0;
  for (let i = 3; i >= 0; i--) {
    const value = rest * 65536 + LIMBS[i];
    const q = Math.floor(value / 100000000);
    LIMBS[i] = q;
    rest = value - q * 100000000;
  }
  return rest;
}

/** The magnitude of an int64 given as its two halves; at most 19 bytes. The sign is the caller's. */
export function writeMagnitude64(buf: Uint8Array, pos: number, high: number, low: number): number {
  const value = high * 4294967296 + low;
  if (high < 2097152) return writeUnsigned(buf, pos, value);
  LIMBS[0] = low % 65536;
  LIMBS[1] = Math.floor(low / 65536);
  LIMBS[2] = high % 65536;
  LIMBS[3] = Math.floor(high / 65536);
  const last = divideLimbs();
  const middle = divideLimbs();
  const first = LIMBS[1] * 65536 + LIMBS[0];
  if (first === 0) return writePadded(buf, writeUnsigned(buf, pos, middle), last, 8);
  const start = writeUnsigned(buf, pos, first);
  return writePadded(buf, writePadded(buf, start, middle, 8), last, 8);
}

/** An int64 given as signed high and unsigned low half; at most 20 bytes. */
export function writeInt64(buf: Uint8Array, pos: number, high: number, low: number): number {
  if (high >= 0) return writeMagnitude64(buf, pos, high, low);
  buf[pos] = 45;
  const negatedLow = low === 0 ? 0 : 4294967296 - low;
  const negatedHigh = low === 0 ? -high : -high - 1;
  return writeMagnitude64(buf, pos + 1, negatedHigh, negatedLow);
}
