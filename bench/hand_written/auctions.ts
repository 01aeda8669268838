/**
 * Queries over the winning bid of each auction: q4 (average of the highest price by category), q6 (moving average by seller), q9 (the bid itself).
 *
 * A bid counts when its time lies within its auction's; bids that came before their auction wait for it.
 */
import type { Auction, Bid, Events, Program, Value } from './program.ts';

/** Hands every bid that lies within its auction's time to `valid`, with the auction's entry. */
class BidsInTime<Entry extends { auction: Auction }> {
  readonly entries = new Map<number, Entry>();
  readonly #waiting = new Map<number, Bid[]>();
  readonly #make: (auction: Auction) => Entry;
  readonly #valid: (entry: Entry, bid: Bid) => void;

  constructor(make: (auction: Auction) => Entry, valid: (entry: Entry, bid: Bid) => void) {
    this.#make = make;
    this.#valid = valid;
  }

  tick(events: Events): void {
    for (const auction of events.auctions) {
      const entry = this.#make(auction);
      this.entries.set(auction.id, entry);
      const bids = this.#waiting.get(auction.id);
      if (bids === undefined) continue;
      this.#waiting.delete(auction.id);
      for (const bid of bids) this.#bid(entry, bid);
    }
    for (const bid of events.bids) {
      const entry = this.entries.get(bid.auction);
      if (entry !== undefined) this.#bid(entry, bid);
      else {
        const list = this.#waiting.get(bid.auction);
        if (list === undefined) this.#waiting.set(bid.auction, [bid]);
        else list.push(bid);
      }
    }
  }

  #bid(entry: Entry, bid: Bid): void {
    if (bid.date_time >= entry.auction.date_time && bid.date_time <= entry.auction.expires) this.#valid(entry, bid);
  }
}

export function q4(): Program {
  const categories = new Map<number, { sum: number; count: number }>();
  const bids = new BidsInTime(
    (auction) => ({ auction, max: -1 }),
    (entry, bid) => {
      if (bid.price <= entry.max) return;
      let category = categories.get(entry.auction.category);
      if (category === undefined) {
        category = { sum: 0, count: 0 };
        categories.set(entry.auction.category, category);
      }
      if (entry.max < 0) {
        category.count++;
        category.sum += bid.price;
      } else category.sum += bid.price - entry.max;
      entry.max = bid.price;
    },
  );
  return {
    tick: (events) => bids.tick(events),
    rows: () => [...categories].map(([category, { sum, count }]) => [category, sum / count]),
  };
}

/** Price, then time, bidder and extra decide which of two bids on one auction wins. */
export function beats(a: Bid, b: Bid): boolean {
  if (a.price !== b.price) return a.price > b.price;
  if (a.date_time !== b.date_time) return a.date_time < b.date_time;
  if (a.bidder !== b.bidder) return a.bidder < b.bidder;
  return a.extra < b.extra;
}

interface Winner {
  id: number;
  price: number;
  date_time: number;
  average: number;
}

const PRECEDING = 10;

export function q6(): Program {
  const sellers = new Map<number, Winner[]>();
  const before = (a: Winner, time: number, id: number) => a.date_time < time || (a.date_time === time && a.id < id);
  /** Where a winner of this time and id stands, or would stand. */
  const place = (list: Winner[], time: number, id: number) => {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(list[middle], time, id)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const average = (list: Winner[], from: number) => {
    for (let i = from; i < Math.min(list.length, from + PRECEDING + 1); i++) {
      const first = Math.max(0, i - PRECEDING);
      let sum = 0;
      for (let j = first; j <= i; j++) sum += list[j].price;
      list[i].average = sum / (i - first + 1);
    }
  };
  const bids = new BidsInTime<{ auction: Auction; best: Bid | null }>(
    (auction) => ({ auction, best: null }),
    (entry, bid) => {
      if (entry.best !== null && !beats(bid, entry.best)) return;
      const { id, seller } = entry.auction;
      let list = sellers.get(seller);
      if (list === undefined) {
        list = [];
        sellers.set(seller, list);
      }
      if (entry.best !== null) {
        const old = place(list, entry.best.date_time, id);
        list.splice(old, 1);
        average(list, old);
      }
      entry.best = bid;
      const at = place(list, bid.date_time, id);
      list.splice(at, 0, { id, price: bid.price, date_time: bid.date_time, average: 0 });
      average(list, at);
    },
  );
  return {
    tick: (events) => bids.tick(events),
    rows: () => [...sellers].flatMap(([seller, list]) => list.map((w): Value[] => [seller, w.average])),
  };
}

export function q9(): Program {
  const bids = new BidsInTime<{ auction: Auction; best: Bid | null }>(
    (auction) => ({ auction, best: null }),
    (entry, bid) => {
      if (entry.best === null || beats(bid, entry.best)) entry.best = bid;
    },
  );
  return {
    tick: (events) => bids.tick(events),
    rows: () => {
      const out: Value[][] = [];
      for (const { auction, best } of bids.entries.values()) {
        if (best === null) continue;
        const { bidder, price, date_time, extra } = best;
        out.push([...Object.values(auction), best.auction, bidder, price, date_time, extra, 1]);
      }
      return out;
    },
  };
}
