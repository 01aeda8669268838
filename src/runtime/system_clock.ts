/** The clock of a server: microseconds since 2000-01-01 UTC. */
import { EPOCH_DIFF_MICROS } from '../../operators/expr/datetime/calendar.ts';

let lastMs = 0;
let lastMicros = -EPOCH_DIFF_MICROS;

/** Many ticks are of one millisecond, whose number is made once. */
export function systemClock(): bigint {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastMicros = BigInt(ms) * 1000n - EPOCH_DIFF_MICROS;
  }
  return lastMicros;
}
