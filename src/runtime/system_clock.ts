/** The clock of a server: microseconds since 2000-01-01 UTC. */

/** Microseconds from 1970-01-01 to 2000-01-01. */
const EPOCH_SHIFT = 946684800000000n;

let lastMs = 0;
let lastMicros = -EPOCH_SHIFT;

/** Many ticks are of one millisecond, whose number is made once. */
export function systemClock(): bigint {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastMicros = BigInt(ms) * 1000n - EPOCH_SHIFT;
  }
  return lastMicros;
}
