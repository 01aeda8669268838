/**
 * Queries over the winning bid of each auction: q4 (average of the highest price by category), q6 (moving average by seller), q9 (the bid itself).
 *
 * A bid counts when its time lies within its auction's. Auctions may come as late as their watermark says, so bids wait for so long.
 */
import { type Auction, type Bid, Changes, type Events, type Program, push, type Value } from './program.ts';

const LATENESS_MS = 4_000;
const COMPACT = 10_000;

/** Hands every pair of a bid and an auction within whose time it lies to `valid`, with the auction's group. */
class BidsInTime<Group> {
  readonly #auctions = new Map<number, { auction: Auction; group: Group }[]>();
  readonly #bids = new Map<number, Bid[]>();
  /** The bids that wait, from #first on. */
  #queue: Bid[] = [];
  #first = 0;
  #newest = 0;
  readonly #groupOf: (auction: Auction) => Group;
  readonly #valid: (group: Group, auction: Auction, bid: Bid) => void;

  constructor(groupOf: (auction: Auction) => Group, valid: (group: Group, auction: Auction, bid: Bid) => void) {
    this.#groupOf = groupOf;
    this.#valid = valid;
  }

  tick(events: Events): void {
    for (const auction of events.auctions) {
      if (auction.date_time > this.#newest) this.#newest = auction.date_time;
      const group = this.#groupOf(auction);
      push(this.#auctions, auction.id, { auction, group });
      const bids = this.#bids.get(auction.id);
      if (bids !== undefined) for (const bid of bids) this.#pair(group, auction, bid);
    }
    for (const bid of events.bids) {
      push(this.#bids, bid.auction, bid);
      this.#queue.push(bid);
      const auctions = this.#auctions.get(bid.auction);
      if (auctions !== undefined) for (const { auction, group } of auctions) this.#pair(group, auction, bid);
    }
    this.#forget(this.#newest - LATENESS_MS);
  }

  #pair(group: Group, auction: Auction, bid: Bid): void {
    if (bid.date_time >= auction.date_time && bid.date_time <= auction.expires) this.#valid(group, auction, bid);
  }

  /** No auction to come begins before `watermark`. */
  #forget(watermark: number): void {
    const queue = this.#queue;
    for (; this.#first < queue.length && queue[this.#first].date_time < watermark; this.#first++) {
      const { auction } = queue[this.#first];
      const bids = this.#bids.get(auction);
      if (bids === undefined || bids.length === 1) this.#bids.delete(auction);
      else bids.shift();
    }
    if (this.#first < COMPACT) return;
    this.#queue = queue.slice(this.#first);
    this.#first = 0;
  }
}

/** Groups by an auction's id and another number of it. */
class Groups<Group> {
  readonly #byId = new Map<number, Map<number, Group>>();
  readonly #make: (auction: Auction) => Group;

  constructor(make: (auction: Auction) => Group) {
    this.#make = make;
  }

  of(auction: Auction, other: number): Group {
    let groups = this.#byId.get(auction.id);
    if (groups === undefined) {
      groups = new Map();
      this.#byId.set(auction.id, groups);
    }
    let group = groups.get(other);
    if (group === undefined) {
      group = this.#make(auction);
      groups.set(other, group);
    }
    return group;
  }
}

interface Category {
  category: number;
  sum: number;
  count: number;
  shown: number | null;
  changed: boolean;
}

export function q4(changes = new Changes()): Program {
  const categories = new Map<number, Category>();
  let changed: Category[] = [];
  const groups = new Groups<{ max: number }>(() => ({ max: -1 }));
  const bids = new BidsInTime(
    (auction) => groups.of(auction, auction.category),
    (group, auction, bid) => {
      if (bid.price <= group.max) return;
      let category = categories.get(auction.category);
      if (category === undefined) {
        category = { category: auction.category, sum: 0, count: 0, shown: null, changed: false };
        categories.set(auction.category, category);
      }
      if (group.max < 0) {
        category.count++;
        category.sum += bid.price;
      } else category.sum += bid.price - group.max;
      group.max = bid.price;
      if (category.changed) return;
      category.changed = true;
      changed.push(category);
    },
  );
  return {
    tick: (events) => {
      bids.tick(events);
      for (const category of changed) {
        const average = category.sum / category.count;
        if (category.shown !== null) changes.add([category.category, category.shown], -1);
        changes.add([category.category, average], 1);
        category.shown = average;
        category.changed = false;
      }
      changed = [];
    },
    rows: () => changes.rows(),
  };
}

/** Price, then time, bidder and extra decide which of two bids on one auction wins. */
export function beats(a: Bid, b: Bid): boolean {
  if (a.price !== b.price) return a.price > b.price;
  if (a.date_time !== b.date_time) return a.date_time < b.date_time;
  if (a.bidder !== b.bidder) return a.bidder < b.bidder;
  return a.extra < b.extra;
}

/** The winning bid of a group; `changed` while the result may have another. */
interface Best {
  best: { auction: Auction; bid: Bid } | null;
  shown: { auction: Auction; bid: Bid } | null;
  changed: boolean;
}

const nobody = (): Best => ({ best: null, shown: null, changed: false });

/** Calls back with the groups whose winner has changed in a tick. */
function winners(groupOf: (auction: Auction) => Best, report: (group: Best) => void): (events: Events) => void {
  let changed: Best[] = [];
  const bids = new BidsInTime(groupOf, (group, auction, bid) => {
    if (group.best !== null && !beats(bid, group.best.bid)) return;
    group.best = { auction, bid };
    if (group.changed) return;
    group.changed = true;
    changed.push(group);
  });
  return (events) => {
    bids.tick(events);
    for (const group of changed) {
      report(group);
      group.shown = group.best;
      group.changed = false;
    }
    changed = [];
  };
}

interface Winner {
  seller: number;
  id: number;
  price: number;
  date_time: number;
  average: number;
  shown: number | null;
  isThere: boolean;
}

const PRECEDING = 10;

export function q6(changes = new Changes()): Program {
  const sellers = new Map<number, Winner[]>();
  let touched: Winner[] = [];
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
      touched.push(list[i]);
    }
  };
  const groups = new Groups(nobody);
  const tick = winners(
    (auction) => groups.of(auction, auction.seller),
    ({ best, shown }) => {
      if (best === null) return;
      const { id, seller } = best.auction;
      let list = sellers.get(seller);
      if (list === undefined) {
        list = [];
        sellers.set(seller, list);
      }
      if (shown !== null) {
        const old = place(list, shown.bid.date_time, id);
        const [gone] = list.splice(old, 1);
        gone.isThere = false;
        touched.push(gone);
        average(list, old);
      }
      const { price, date_time } = best.bid;
      const at = place(list, date_time, id);
      list.splice(at, 0, { seller, id, price, date_time, average: 0, shown: null, isThere: true });
      average(list, at);
    },
  );
  return {
    tick: (events) => {
      tick(events);
      for (const winner of touched) {
        if (winner.isThere && winner.shown === winner.average) continue;
        if (winner.shown !== null) changes.add([winner.seller, winner.shown], -1);
        winner.shown = winner.isThere ? winner.average : null;
        if (winner.shown !== null) changes.add([winner.seller, winner.shown], 1);
      }
      touched = [];
    },
    rows: () => changes.rows(),
  };
}

export function q9(changes = new Changes()): Program {
  const row = ({ auction: a, bid: b }: { auction: Auction; bid: Bid }): Value[] => [
    a.id,
    a.item_name,
    a.description,
    a.initial_bid,
    a.reserve,
    a.date_time,
    a.expires,
    a.seller,
    a.category,
    a.extra,
    b.auction,
    b.bidder,
    b.price,
    b.date_time,
    b.extra,
    1,
  ];
  const groups = new Map<number, Best>();
  const groupOf = ({ id }: Auction) => {
    let group = groups.get(id);
    if (group === undefined) {
      group = nobody();
      groups.set(id, group);
    }
    return group;
  };
  return {
    tick: winners(groupOf, ({ best, shown }) => {
      if (shown !== null) changes.add(row(shown), -1);
      if (best !== null) changes.add(row(best), 1);
    }),
    rows: () => changes.rows(),
  };
}
