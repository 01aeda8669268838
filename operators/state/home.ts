/**
 * Where a hash is looked for first, in tables with open addressing; and hashes of keys with a whole number: neighbours lie side by side, for ids that are looked up together are mostly
 * neighbours, and four of them share the cache line of one.
 *
 *   number = low word of the whole number + hash of all else (row_ops.ts)    = | block | 14 bits: group in the block | 2 bits |
 *   hash   = | group * K + a hash of the block, but for its last 2 bits | the 2 bits |
 *   home   = its top bits, as many as the table needs, ^ the 2 bits
 *
 * K is close to the golden ratio of 2^32, and no term of the continued fraction of K / 2^32 is above 3 but the last: so however many groups of a block there are in a row, they are as far from
 * each other as can be, and a table of ids without gaps has hardly a collision. What lies evenly for every step would be worst for some: steps of a Fibonacci number bring all groups together.
 * Such steps are as large as the table, so with blocks that lie anywhere few groups have such a step, and the larger the table the fewer. The 2 bits turn the place within four entries as the top
 * bits say, or multiples of four would all want the same one. home.test.ts counts probes. A hash whose bits are all mixed has a home that is as good as any other.
 *
 * The home in a table of twice the size is twice the index, or a neighbour of that: a table that grows is read and written in order (7 ns a key; in another order 20 to 100 ns).
 * `mask`: number of entries - 1, a power of two - 1, at least 1. Kernels have the same (kernels/assembly/home.ts).
 */
const BLOCK_BITS = 14;

export function homeOf(hash: number, mask: number): number {
  return ((hash >>> Math.clz32(mask)) ^ (hash & 3)) & mask;
}

export function placeOf(number: number): number {
  const group = number >>> 2;
  const block = Math.imul(group >>> BLOCK_BITS, 0x85ebca6b);
  const place = Math.imul(group & ((1 << BLOCK_BITS) - 1), 0x9e377037) + Math.imul(block ^ (block >>> 15), 0xc2b2ae35);
  return ((place & ~3) | (number & 3)) >>> 0;
}
