/** Joins: q3 (auctions of sellers in three states), q8 (new people who sell in the same window), q13 (bids with a table), q20 (bids with their auction). */
import { type Auction, type Bid, Changes, type Person, type Program, push } from './program.ts';

const STATES = new Set(['OR', 'ID', 'CA']);

export function q3(changes = new Changes()): Program {
  const people = new Map<number, Person[]>();
  const auctions = new Map<number, number[]>();
  const pair = (p: Person, id: number) => changes.add([p.name, p.city, p.state, id], 1);
  return {
    tick(events) {
      for (const person of events.people) {
        if (!STATES.has(person.state)) continue;
        push(people, person.id, person);
        const own = auctions.get(person.id);
        if (own !== undefined) for (const id of own) pair(person, id);
      }
      for (const auction of events.auctions) {
        if (auction.category !== 10) continue;
        push(auctions, auction.seller, auction.id);
        const sellers = people.get(auction.seller);
        if (sellers !== undefined) for (const person of sellers) pair(person, auction.id);
      }
    },
    rows: () => changes.rows(),
  };
}

const WINDOW_MS = 10_000;

/** Windows are done when time has passed them; only the newest two are kept open. */
export function q8(changes = new Changes()): Program {
  const windows = new Map<number, { people: Map<number, string[]>; sellers: Set<number> }>();
  const windowOf = (time: number) => {
    const start = time - (time % WINDOW_MS);
    let window = windows.get(start);
    if (window === undefined) {
      window = { people: new Map(), sellers: new Set() };
      windows.set(start, window);
      windows.delete(start - 2 * WINDOW_MS);
    }
    return { start, ...window };
  };
  return {
    tick(events) {
      for (const { id, name, date_time } of events.people) {
        const { start, people, sellers } = windowOf(date_time);
        if (people.get(id)?.includes(name)) continue;
        push(people, id, name);
        if (sellers.has(id)) changes.add([id, name, start], 1);
      }
      for (const { seller, date_time } of events.auctions) {
        const { start, people, sellers } = windowOf(date_time);
        if (sellers.has(seller)) continue;
        sellers.add(seller);
        const names = people.get(seller);
        if (names !== undefined) for (const name of names) changes.add([seller, name, start], 1);
      }
    },
    rows: () => changes.rows(),
  };
}

export function q13(changes = new Changes()): Program {
  const side = new Map<number, string[]>();
  const bids = new Map<number, Bid[]>();
  const pair = (b: Bid, value: string) => changes.add([b.auction, b.bidder, b.price, b.date_time, value], 1);
  const sideRow = (key: number, value: string) => {
    push(side, key, value);
    const earlier = bids.get(key);
    if (earlier !== undefined) for (const bid of earlier) pair(bid, value);
  };
  for (let key = 0; key < 10_000; key++) sideRow(key, String(key));
  return {
    tick(events) {
      for (const bid of events.bids) {
        const key = bid.auction % 10_000;
        push(bids, key, bid);
        const values = side.get(key);
        if (values !== undefined) for (const value of values) pair(bid, value);
      }
    },
    rows: () => changes.rows(),
  };
}

export function q20(changes = new Changes()): Program {
  const auctions = new Map<number, Auction[]>();
  const bids = new Map<number, Bid[]>();
  const pair = (b: Bid, a: Auction) =>
    changes.add(
      [
        b.auction,
        b.bidder,
        b.price,
        b.channel,
        b.url,
        b.date_time,
        b.extra,
        a.item_name,
        a.description,
        a.initial_bid,
        a.reserve,
        a.date_time,
        a.expires,
        a.seller,
        a.category,
        a.extra,
      ],
      1,
    );
  return {
    tick(events) {
      for (const auction of events.auctions) {
        if (auction.category !== 10) continue;
        push(auctions, auction.id, auction);
        const own = bids.get(auction.id);
        if (own !== undefined) for (const bid of own) pair(bid, auction);
      }
      for (const bid of events.bids) {
        push(bids, bid.auction, bid);
        const own = auctions.get(bid.auction);
        if (own !== undefined) for (const auction of own) pair(bid, auction);
      }
    },
    rows: () => changes.rows(),
  };
}
