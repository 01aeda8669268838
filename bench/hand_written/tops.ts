/** First rows of a group: q18 (the last bid of a bidder on an auction), q19 (the ten highest bids of an auction). */
import { type Bid, Changes, type Program, type Value } from './program.ts';

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

const columns = (b: Bid): Value[] => [b.auction, b.bidder, b.price, b.channel, b.url, b.date_time, b.extra];

interface Last {
  bid: Bid;
  /** What the result has; `changed` while it may be another. */
  shown: Bid | null;
  changed: boolean;
}

export function q18(changes = new Changes()): Program {
  const bidders = new Map<number, Map<number, Last>>();
  return {
    tick({ bids }) {
      const changed: Last[] = [];
      for (const bid of bids) {
        let auctions = bidders.get(bid.bidder);
        if (auctions === undefined) {
          auctions = new Map();
          bidders.set(bid.bidder, auctions);
        }
        let last = auctions.get(bid.auction);
        if (last === undefined) {
          last = { bid, shown: null, changed: false };
          auctions.set(bid.auction, last);
        } else if (isNewer(bid, last.bid)) last.bid = bid;
        else continue;
        if (last.changed) continue;
        last.changed = true;
        changed.push(last);
      }
      for (const last of changed) {
        if (last.shown !== null) changes.add(columns(last.shown), -1);
        changes.add(columns(last.bid), 1);
        last.shown = last.bid;
        last.changed = false;
      }
    },
    rows: () => changes.rows(),
  };
}

const KEPT = 10;

interface Top {
  bids: Bid[];
  shown: Bid[];
  changed: boolean;
}

export function q19(changes = new Changes()): Program {
  const auctions = new Map<number, Top>();
  const ranked = (b: Bid, i: number): Value[] => {
    const row = columns(b);
    row.push(i + 1);
    return row;
  };
  return {
    tick({ bids }) {
      const changed: Top[] = [];
      for (const bid of bids) {
        let top = auctions.get(bid.auction);
        if (top === undefined) {
          top = { bids: [], shown: [], changed: false };
          auctions.set(bid.auction, top);
        }
        const list = top.bids;
        if (list.length === KEPT && !isHigher(bid, list[KEPT - 1])) continue;
        let at = list.length;
        while (at > 0 && isHigher(bid, list[at - 1])) at--;
        list.splice(at, 0, bid);
        if (list.length > KEPT) list.pop();
        if (top.changed) continue;
        top.changed = true;
        changed.push(top);
      }
      for (const top of changed) {
        for (let i = 0; i < top.bids.length; i++) {
          if (top.bids[i] === top.shown[i]) continue;
          if (i < top.shown.length) changes.add(ranked(top.shown[i], i), -1);
          changes.add(ranked(top.bids[i], i), 1);
        }
        top.shown = top.bids.slice();
        top.changed = false;
      }
    },
    rows: () => changes.rows(),
  };
}
