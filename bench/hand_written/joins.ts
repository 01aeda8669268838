/** Joins: q3 (auctions of sellers in three states), q8 (new people who sell in the same window), q20 (bids with their auction). */
import type { Auction, Bid, Person, Program, Value } from './program.ts';

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

const STATES = new Set(['OR', 'ID', 'CA']);

export function q3(): Program {
  const people = new Map<number, Person>();
  const auctions = new Map<number, Auction[]>();
  const out: Value[][] = [];
  const pair = (p: Person, a: Auction) => out.push([p.name, p.city, p.state, a.id]);
  return {
    tick(events) {
      for (const person of events.people) {
        if (!STATES.has(person.state)) continue;
        people.set(person.id, person);
        for (const auction of auctions.get(person.id) ?? []) pair(person, auction);
      }
      for (const auction of events.auctions) {
        if (auction.category !== 10) continue;
        push(auctions, auction.seller, auction);
        const person = people.get(auction.seller);
        if (person !== undefined) pair(person, auction);
      }
    },
    rows: () => out,
  };
}

const WINDOW_MS = 10_000;

/** Windows are done when time has passed them; only the newest two are kept open. */
export function q8(): Program {
  const windows = new Map<number, { people: Map<number, Person>; sellers: Set<number> }>();
  const out: Value[][] = [];
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
      for (const person of events.people) {
        const { start, people, sellers } = windowOf(person.date_time);
        if (people.has(person.id)) continue;
        people.set(person.id, person);
        if (sellers.has(person.id)) out.push([person.id, person.name, start]);
      }
      for (const auction of events.auctions) {
        const { start, people, sellers } = windowOf(auction.date_time);
        if (sellers.has(auction.seller)) continue;
        sellers.add(auction.seller);
        const person = people.get(auction.seller);
        if (person !== undefined) out.push([person.id, person.name, start]);
      }
    },
    rows: () => out,
  };
}

/** Bids that came before their auction wait for it. */
export function q20(): Program {
  const auctions = new Map<number, Auction>();
  const waiting = new Map<number, Bid[]>();
  const out: { bid: Bid; auction: Auction }[] = [];
  return {
    tick(events) {
      for (const auction of events.auctions) {
        auctions.set(auction.id, auction);
        const bids = waiting.get(auction.id);
        if (bids === undefined) continue;
        waiting.delete(auction.id);
        if (auction.category === 10) for (const bid of bids) out.push({ bid, auction });
      }
      for (const bid of events.bids) {
        const auction = auctions.get(bid.auction);
        if (auction === undefined) push(waiting, bid.auction, bid);
        else if (auction.category === 10) out.push({ bid, auction });
      }
    },
    rows: () =>
      out.map(({ bid, auction }) => {
        const { id: _, ...rest } = auction;
        const { item_name, description, initial_bid, reserve, date_time, expires, seller, category, extra } = rest;
        return [
          ...Object.values(bid),
          ...[item_name, description, initial_bid, reserve, date_time, expires, seller, category, extra],
        ];
      }),
  };
}
