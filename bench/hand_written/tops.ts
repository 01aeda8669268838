/** First rows of a group: q18 (the last bid of a bidder on an auction), q19 (the ten highest bids of an auction). */
import type { Bid, Program } from './program.ts';

/** Which of two bids of a bidder on an auction is the last. */
export const isNewer = (a: Bid, b: Bid) => {
  if (a.date_time !== b.date_time) return a.date_time > b.date_time;
  if (a.price !== b.price) return a.price > b.price;
  return a.extra < b.extra;
};

/** Which of two bids on an auction stands first. */
export const isHigher = (a: Bid, b: Bid) => {
  if (a.price !== b.price) return a.price > b.price;
  if (a.date_time !== b.date_time) return a.date_time < b.date_time;
  if (a.bidder !== b.bidder) return a.bidder < b.bidder;
  return a.extra < b.extra;
};

export function q18(): Program {
  const bidders = new Map<number, Map<number, Bid>>();
  return {
    tick({ bids }) {
      for (const bid of bids) {
        let auctions = bidders.get(bid.bidder);
        if (auctions === undefined) {
          auctions = new Map();
          bidders.set(bid.bidder, auctions);
        }
        const last = auctions.get(bid.auction);
        if (last === undefined || isNewer(bid, last)) auctions.set(bid.auction, bid);
      }
    },
    rows: () => [...bidders.values()].flatMap((auctions) => [...auctions.values()].map((bid) => Object.values(bid))),
  };
}

const KEPT = 10;

export function q19(): Program {
  const auctions = new Map<number, Bid[]>();
  return {
    tick({ bids }) {
      for (const bid of bids) {
        let top = auctions.get(bid.auction);
        if (top === undefined) {
          top = [];
          auctions.set(bid.auction, top);
        }
        if (top.length === KEPT && !isHigher(bid, top[KEPT - 1])) continue;
        let at = top.length;
        while (at > 0 && isHigher(bid, top[at - 1])) at--;
        top.splice(at, 0, bid);
        if (top.length > KEPT) top.pop();
      }
    },
    rows: () => [...auctions.values()].flatMap((top) => top.map((bid, i) => [...Object.values(bid), i + 1])),
  };
}
