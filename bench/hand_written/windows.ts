/** Windows of time: q5 (busiest auctions of hopping windows), q7 (highest price of a window), q11 (sessions), q12 (counts by bidder and window). */
import type { Bid, Program, Value } from './program.ts';

const WINDOW_MS = 10_000;
const SLIDE_MS = 2_000;

export function q5(): Program {
  const windows = new Map<number, { counts: Map<number, number>; most: number; busiest: number[] }>();
  return {
    tick({ bids }) {
      for (const { auction, date_time } of bids) {
        const last = date_time - (date_time % SLIDE_MS);
        for (let start = last; start > last - WINDOW_MS; start -= SLIDE_MS) {
          let window = windows.get(start);
          if (window === undefined) {
            window = { counts: new Map(), most: 0, busiest: [] };
            windows.set(start, window);
          }
          const count = (window.counts.get(auction) ?? 0) + 1;
          window.counts.set(auction, count);
          if (count > window.most) {
            window.most = count;
            window.busiest = [auction];
          } else if (count === window.most) window.busiest.push(auction);
        }
      }
    },
    rows: () =>
      [...windows.values()].flatMap(({ busiest, most }) => busiest.map((auction): Value[] => [auction, most])),
  };
}

/** A bid at the very end of a window counts for that one too, when it has its highest price, but does not raise it. */
export function q7(): Program {
  const windows = new Map<number, { max: number; best: Bid[]; atEnd: Bid[] }>();
  const windowOf = (end: number) => {
    let window = windows.get(end);
    if (window === undefined) {
      window = { max: -1, best: [], atEnd: [] };
      windows.set(end, window);
    }
    return window;
  };
  return {
    tick({ bids }) {
      for (const bid of bids) {
        const start = bid.date_time - (bid.date_time % WINDOW_MS);
        const window = windowOf(start + WINDOW_MS);
        if (bid.price > window.max) {
          window.max = bid.price;
          window.best = [bid];
        } else if (bid.price === window.max) window.best.push(bid);
        if (bid.date_time === start) windowOf(start).atEnd.push(bid);
      }
    },
    rows: () => {
      const out: Value[][] = [];
      for (const { max, best, atEnd } of windows.values()) {
        for (const bid of [...best, ...atEnd.filter((b) => b.price === max)])
          out.push([bid.auction, bid.price, bid.bidder, bid.date_time, bid.extra]);
      }
      return out;
    },
  };
}

interface Session {
  count: number;
  first: number;
  last: number;
}

export function q11(): Program {
  const bidders = new Map<number, Session[]>();
  return {
    tick({ bids }) {
      for (const { bidder, date_time } of bids) {
        let sessions = bidders.get(bidder);
        if (sessions === undefined) {
          sessions = [];
          bidders.set(bidder, sessions);
        }
        const newest = sessions[sessions.length - 1];
        if (newest !== undefined && date_time <= newest.last + WINDOW_MS) {
          newest.count++;
          newest.last = date_time;
        } else sessions.push({ count: 1, first: date_time, last: date_time });
      }
    },
    rows: () =>
      [...bidders].flatMap(([bidder, sessions]) =>
        sessions.map(({ count, first, last }): Value[] => [bidder, count, first, last + WINDOW_MS]),
      ),
  };
}

export function q12(): Program {
  const windows = new Map<number, Map<number, number>>();
  return {
    tick({ bids }) {
      for (const { bidder, date_time } of bids) {
        const start = date_time - (date_time % WINDOW_MS);
        let counts = windows.get(start);
        if (counts === undefined) {
          counts = new Map();
          windows.set(start, counts);
        }
        counts.set(bidder, (counts.get(bidder) ?? 0) + 1);
      }
    },
    rows: () =>
      [...windows].flatMap(([start, counts]) =>
        [...counts].map(([bidder, count]): Value[] => [bidder, count, start, start + WINDOW_MS]),
      ),
  };
}
