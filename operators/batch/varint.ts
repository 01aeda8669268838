/** Unsigned integers below 2^53 in seven bits a byte, the least first; the high bit says that more follow. */

export function varintSize(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes the value and returns the end. */
export function writeVarint(to: Uint8Array, at: number, value: number): number {
  let rest = value;
  let p = at;
  while (rest >= 128) {
    to[p++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  to[p++] = rest;
  return p;
}

export function readVarint(from: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let p = at; p < from.length; p++) {
    value += (from[p] & 127) * scale;
    if (from[p] < 128) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return { value, end: p + 1 };
    }
    scale *= 128;
  }
  throw new Error(`damaged number at byte ${at}`);
}
