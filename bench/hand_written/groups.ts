/** Statistics by group: q15 (day), q16 (channel and day), q17 (auction and day). */
import type { Bid, Program } from './program.ts';

const LOW = 10_000;
const HIGH = 1_000_000;

const iso = (time: number) => new Date(time).toISOString();

/** Which of the three price ranks a bid has. */
function rankOf(price: number): number {
  return price < LOW ? 0 : price < HIGH ? 1 : 2;
}

class Statistics {
  minute = '';
  total = 0;
  readonly ranks = [0, 0, 0];
  readonly bidders = new Set<number>();
  readonly rankBidders = [new Set<number>(), new Set<number>(), new Set<number>()];
  readonly auctions = new Set<number>();
  readonly rankAuctions = [new Set<number>(), new Set<number>(), new Set<number>()];

  add(bid: Bid): void {
    const rank = rankOf(bid.price);
    this.total++;
    this.ranks[rank]++;
    this.bidders.add(bid.bidder);
    this.rankBidders[rank].add(bid.bidder);
    this.auctions.add(bid.auction);
    this.rankAuctions[rank].add(bid.auction);
  }

  counts(): number[] {
    return [
      this.total,
      ...this.ranks,
      this.bidders.size,
      ...this.rankBidders.map((set) => set.size),
      this.auctions.size,
      ...this.rankAuctions.map((set) => set.size),
    ];
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

interface Prices {
  total: number;
  ranks: number[];
  min: number;
  max: number;
  sum: number;
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
          prices = { total: 0, ranks: [0, 0, 0], min: price, max: price, sum: 0 };
          days.set(day, prices);
        }
        prices.total++;
        prices.ranks[rankOf(price)]++;
        prices.sum += price;
        if (price < prices.min) prices.min = price;
        if (price > prices.max) prices.max = price;
      }
    },
    rows: () =>
      [...auctions].flatMap(([auction, days]) =>
        [...days].map(([day, p]) => [auction, day, p.total, ...p.ranks, p.min, p.max, p.sum / p.total, p.sum]),
      ),
  };
}
