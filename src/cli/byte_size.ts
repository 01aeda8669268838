/** Sizes as people write them: 512MB, 2 GiB, 1000000. Units as PostgreSQL has them: kB, MB, GB and TB are powers of 1024. */
const UNITS: Record<string, number> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40 };

/** Bytes; null for what is no size. */
export function parseByteSize(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  if (match === null) return null;
  const unit = match[2].toLowerCase().replace(/^([kmgt])i?b?$/, '$1b');
  const factor = unit === '' ? 1 : UNITS[unit];
  return factor === undefined ? null : Math.floor(Number(match[1]) * factor);
}
