/**
 * Which event is which row. Events come in epochs of 50: one person, three auctions, forty-six bids, in this order; ids count from 1000.
 *
 *   event n  = 50 * epoch + r        r = 0: person      r = 1..3: auction      r = 4..49: bid
 *
 * Numbers below are "base 0": before FIRST_ID is added. All are exact up to 2^53.
 */
export type NexmarkTable = 'person' | 'auction' | 'bid';

export const FIRST_ID = 1000;
const EPOCH = 50;
const PER_EPOCH: Record<NexmarkTable, number> = { person: 1, auction: 3, bid: 46 };
const FIRST_IN_EPOCH: Record<NexmarkTable, number> = { person: 0, auction: 1, bid: 4 };

/** Event number of the table's row `index`. */
export function eventOfRow(table: NexmarkTable, index: number): number {
  const per = PER_EPOCH[table];
  const epoch = Math.floor(index / per);
  return epoch * EPOCH + FIRST_IN_EPOCH[table] + (index - epoch * per);
}

/** First event of the epoch that event `n` is in. */
export function epochStart(n: number): number {
  return Math.floor(n / EPOCH) * EPOCH;
}

/** Rows of the table among the events 0 .. events-1. */
export function rowsBefore(table: NexmarkTable, events: number): number {
  if (events === Number.POSITIVE_INFINITY) return events;
  const per = PER_EPOCH[table];
  const epoch = Math.floor(events / EPOCH);
  const rest = events - epoch * EPOCH - FIRST_IN_EPOCH[table];
  return epoch * per + Math.min(Math.max(rest, 0), per);
}

/** The newest person at event n (the one of its own epoch). */
export function lastPerson(n: number): number {
  return Math.floor(n / EPOCH);
}

/** The newest auction at event n; -1 before the first. */
export function lastAuction(n: number): number {
  const epoch = Math.floor(n / EPOCH);
  const r = n - epoch * EPOCH;
  return epoch * 3 + (r < 1 ? -1 : r > 3 ? 2 : r - 1);
}
