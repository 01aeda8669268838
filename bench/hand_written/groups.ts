/** Statistics by group: q15 (day), q16 (channel and day), q17 (auction and day). */
import type { Bid, Program } from './program.ts';

const LOW = 10_000;
const HIGH = 1_000_000;

const iso = (time: number) => new Date(time).toISOString();

/** Which of the three price ranks a bid has. */
function rankOf(price: number): number {
  return price < LOW ? 0 : price < HIGH ? 1 : 2;
}

/** Distinct ids, all and by price rank: an id has a bit for each rank that it was seen in. */
class DistinctIds {
  readonly #ranks = new Map<number, number>();
  readonly byRank = [0, 0, 0];

  add(id: number, rank: number): void {
    const seen = this.#ranks.get(id) ?? 0;
    const bit = 1 << rank;
    if ((seen & bit) !== 0) return;
    this.#ranks.set(id, seen | bit);
    this.byRank[rank]++;
  }

  get counts(): number[] {
    return [this.#ranks.size, ...this.byRank];
  }
}

export class Statistics {
  minute = '';
  total = 0;
  readonly ranks = [0, 0, 0];
  readonly bidders = new DistinctIds();
  readonly auctions = new DistinctIds();

  add(bid: Bid): void {
    const rank = rankOf(bid.price);
    this.total++;
    this.ranks[rank]++;
    this.bidders.add(bid.bidder, rank);
    this.auctions.add(bid.auction, rank);
  }

  counts(): number[] {
    return [this.total, ...this.ranks, ...this.bidders.counts, ...this.auctions.counts];
  }
}

export function q15(): Program {
  const days = new Map<string, Statistics>();
  return {
    tick({ bids }) {
      for (const bid of bids) {
        const day = iso(bid.date_time).slice(0, 10);
        let statistics = days.get(day);
        if (statistics === undefined) {
          statistics = new Statistics();
          days.set(day, statistics);
        }
        statistics.add(bid);
      }
    },
    rows: () => [...days].map(([day, statistics]) => [day, ...statistics.counts()]),
  };
}

export function q16(): Program {
  const channels = new Map<string, Map<string, Statistics>>();
  return {
    tick({ bids }) {
      for (const bid of bids) {
        const time = iso(bid.date_time);
        const day = time.slice(0, 10);
        const minute = time.slice(11, 16);
        let days = channels.get(bid.channel);
        if (days === undefined) {
          days = new Map();
          channels.set(bid.channel, days);
        }
        let statistics = days.get(day);
        if (statistics === undefined) {
          statistics = new Statistics();
          days.set(day, statistics);
        }
        statistics.add(bid);
        if (minute > statistics.minute) statistics.minute = minute;
      }
    },
    rows: () =>
      [...channels].flatMap(([channel, days]) =>
        [...days].map(([day, statistics]) => [channel, day, statistics.minute, ...statistics.counts()]),
      ),
  };
}

class Prices {
  total = 0;
  readonly ranks = [0, 0, 0];
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  sum = 0;

  add(price: number): void {
    this.total++;
    this.ranks[rankOf(price)]++;
    this.sum += price;
    if (price < this.min) this.min = price;
    if (price > this.max) this.max = price;
  }

  figures(): number[] {
    return [this.total, ...this.ranks, this.min, this.max, this.sum / this.total, this.sum];
  }
}

/** q17's figures of a group's prices, each so many times. */
export function figuresOf(prices: [price: number, times: number][]): number[] {
  const of = new Prices();
  for (const [price, times] of prices) for (let i = 0; i < times; i++) of.add(price);
  return of.figures();
}

export function q17(): Program {
  const auctions = new Map<number, Map<string, Prices>>();
  return {
    tick({ bids }) {
      for (const { auction, price, date_time } of bids) {
        const day = iso(date_time).slice(0, 10);
        let days = auctions.get(auction);
        if (days === undefined) {
          days = new Map();
          auctions.set(auction, days);
        }
        let prices = days.get(day);
        if (prices === undefined) {
          prices = new Prices();
          days.set(day, prices);
        }
        prices.add(price);
      }
    },
    rows: () =>
      [...auctions].flatMap(([auction, days]) => [...days].map(([day, prices]) => [auction, day, ...prices.figures()])),
  };
}
