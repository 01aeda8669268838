/** CRC-32C (Castagnoli), the checksum of Kafka record batches: eight tables, eight bytes a step. */
const POLYNOMIAL = 0x82f63b78;
const TABLE = new Int32Array(8 * 256);

for (let i = 0; i < 256; i++) {
  let c = i;
  for (let bit = 0; bit < 8; bit++) c = (c >>> 1) ^ (c & 1 ? POLYNOMIAL : 0);
  TABLE[i] = c;
}
for (let i = 0; i < 256; i++) {
  for (let t = 1; t < 8; t++) {
    const before = TABLE[(t - 1) * 256 + i];
    TABLE[t * 256 + i] = (before >>> 8) ^ TABLE[before & 255];
  }
}

/** Checksum of bytes[start, end), unsigned. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  const t = TABLE;
  let c = -1;
  let p = start;
  for (; p + 8 <= end; p += 8) {
    const a = c ^ (bytes[p] | (bytes[p + 1] << 8) | (bytes[p + 2] << 16) | (bytes[p + 3] << 24));
    c =
      t[1792 + (a & 255)] ^
      t[1536 + ((a >>> 8) & 255)] ^
      t[1280 + ((a >>> 16) & 255)] ^
      t[1024 + (a >>> 24)] ^
      t[768 + bytes[p + 4]] ^
      t[512 + bytes[p + 5]] ^
      t[256 + bytes[p + 6]] ^
      t[bytes[p + 7]];
  }
  for (; p < end; p++) c = (c >>> 8) ^ t[(c ^ bytes[p]) & 255];
  return ~c >>> 0;
}
