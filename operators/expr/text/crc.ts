/** CRC-32 with the IEEE 802.3 and the Castagnoli polynomial, both reflected. */
const POLYNOMIAL = { ieee: 0xedb88320, castagnoli: 0x82f63b78 } as const;

function table(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ polynomial : c >>> 1;
    return c;
  });
}

const TABLES = { ieee: table(POLYNOMIAL.ieee), castagnoli: table(POLYNOMIAL.castagnoli) };

/** Checksum as an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array, kind: keyof typeof POLYNOMIAL): number {
  const t = TABLES[kind];
  let c = 0xffffffff;
  for (const b of bytes) c = t[(c ^ b) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
