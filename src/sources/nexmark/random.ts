/**
 * Random numbers that depend on (seed, number) only, so that any event can be made again without those before it.
 *
 * start() hashes seed and number into 64 bits of state; next() is xoroshiro64** (Blackman and Vigna): two 32-bit words, about 2 ns.
 */
export class Random {
  #s0 = 1;
  #s1 = 0;

  /** Begins the stream of `number` (an integer from 0 to 2^53). */
  start(seed: number, number: number): void {
    const low = number | 0;
    const high = (number / 4294967296) | 0;
    const a = mix(mix(seed ^ 0x9e3779b9) ^ low);
    const b = mix(a ^ mix(high + 0x85ebca6b) ^ Math.imul(low, 0xc2b2ae35));
    this.#s0 = a;
    this.#s1 = (a | b) === 0 ? 1 : b;
  }

  /** 32 random bits, unsigned. */
  next(): number {
    const s0 = this.#s0;
    const s1 = this.#s1 ^ s0;
    const product = Math.imul(s0, 0x9e3779bb);
    this.#s0 = ((s0 << 26) | (s0 >>> 6)) ^ s1 ^ (s1 << 9);
    this.#s1 = (s1 << 13) | (s1 >>> 19);
    return Math.imul((product << 5) | (product >>> 27), 5) >>> 0;
  }

  /** Uniform in 0 .. bound-1, bound <= 2^21 for full evenness. */
  below(bound: number): number {
    return Math.floor((this.next() * bound) / 4294967296);
  }

  /** Uniform in [0, 1), a multiple of 2^-32. */
  unit(): number {
    return this.next() / 4294967296;
  }
}

function mix(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
