/**
 * PostgreSQL's hash of bytes: Bob Jenkins' lookup3 over 32-bit words, which its hash functions for every type are made of. Users keep what they give (`hashtext(name) % 16`), so it is the same
 * number as there.
 *
 *   a, b, c = start + length      each 12 bytes: a, b, c += three words, mix      the rest: added, final
 *
 * `seed`: null: 32 bits, c; else 64 bits, b above c, and a seed other than 0 is mixed in first. Cost: some 3 ns a byte.
 */

const START = (0x9e3779b9 + 3923095) | 0;

let a = 0;
let b = 0;
let c = 0;

const turned = (x: number, by: number) => (x << by) | (x >>> (32 - by));

function mix(): void {
  a = ((a - c) ^ turned(c, 4)) | 0;
  c = (c + b) | 0;
  b = ((b - a) ^ turned(a, 6)) | 0;
  a = (a + c) | 0;
  c = ((c - b) ^ turned(b, 8)) | 0;
  b = (b + a) | 0;
  a = ((a - c) ^ turned(c, 16)) | 0;
  c = (c + b) | 0;
  b = ((b - a) ^ turned(a, 19)) | 0;
  a = (a + c) | 0;
  c = ((c - b) ^ turned(b, 4)) | 0;
  b = (b + a) | 0;
}

function final(): void {
  c = ((c ^ b) - turned(b, 14)) | 0;
  a = ((a ^ c) - turned(c, 11)) | 0;
  b = ((b ^ a) - turned(a, 25)) | 0;
  c = ((c ^ b) - turned(b, 16)) | 0;
  a = ((a ^ c) - turned(c, 4)) | 0;
  b = ((b ^ a) - turned(a, 14)) | 0;
  c = ((c ^ b) - turned(b, 24)) | 0;
}

function begin(length: number, seed: bigint | null): void {
  a = (START + length) | 0;
  b = a;
  c = a;
  if (seed === null || seed === 0n) return;
  a = (a + Number(BigInt.asIntN(32, seed >> 32n))) | 0;
  b = (b + Number(BigInt.asIntN(32, seed))) | 0;
  mix();
}

/** Without a seed an unsigned 32-bit number, else an unsigned 64-bit one. */
function result(seed: bigint | null): bigint {
  const low = BigInt(c >>> 0);
  return seed === null ? low : (BigInt(b >>> 0) << 32n) | low;
}

export function hashBytes(bytes: Uint8Array, seed: bigint | null): bigint {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  begin(length, seed);
  let at = 0;
  for (; length - at >= 12; at += 12) {
    a = (a + view.getInt32(at, true)) | 0;
    b = (b + view.getInt32(at + 4, true)) | 0;
    c = (c + view.getInt32(at + 8, true)) | 0;
    mix();
  }
  for (let i = 0; at + i < length; i++) {
    const byte = bytes[at + i];
    if (i < 4) a = (a + (byte << (8 * i))) | 0;
    else if (i < 8) b = (b + (byte << (8 * (i - 4)))) | 0;
    // The lowest byte of c has the length.
    else c = (c + (byte << (8 * (i - 7)))) | 0;
  }
  final();
  return result(seed);
}

/** Of a number of 32 bits. */
export function hashWord(word: number, seed: bigint | null): bigint {
  begin(4, seed);
  a = (a + word) | 0;
  final();
  return result(seed);
}
