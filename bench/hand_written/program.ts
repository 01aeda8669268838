/**
 * What a single-purpose program for one Nexmark query is: plain TypeScript with Map, Set, arrays and objects, written for this one query
 * and for input that only grows, the way a careful programmer would without an engine.
 *
 * The streams declare no key, so two people, or two auctions, may have the same id: what a later row could match is kept, as the query asks.
 *
 * It gets events as objects, decoded already, a tick at a time; after tick() its result is up to date and rows() can list it. Ids and prices are
 * numbers, times milliseconds; input is taken to come in the order of time. It knows no retraction, no late row, no NULL, no overflow.
 */
export interface Person {
  id: number;
  name: string;
  email_address: string;
  credit_card: string;
  city: string;
  state: string;
  date_time: number;
  extra: string;
}

export interface Auction {
  id: number;
  item_name: string;
  description: string;
  initial_bid: number;
  reserve: number;
  date_time: number;
  expires: number;
  seller: number;
  category: number;
  extra: string;
}

export interface Bid {
  auction: number;
  bidder: number;
  price: number;
  channel: string;
  url: string;
  date_time: number;
  extra: string;
}

export interface Events {
  people: Person[];
  auctions: Auction[];
  bids: Bid[];
}

export type Value = string | number | null;

export interface Program {
  tick(events: Events): void;
  /** The result: for queries that keep none (a row in, a row out) the rows of the last tick. */
  rows(): Value[][];
}

/** Where a program with joins or tops puts the changes of its result, the net ones of a tick: counted and dropped, as the engine's are. */
export class Changes {
  count = 0;
  last: Value[] | null = null;

  add(row: Value[], weight: number): void {
    this.count += weight;
    this.last = row;
  }

  rows(): Value[][] {
    throw new Error('the changes were dropped');
  }
}

/** Keeps the sum of the changes, for the test. */
export class KeptChanges extends Changes {
  readonly #rows = new Map<string, { row: Value[]; weight: number }>();

  override add(row: Value[], weight: number): void {
    super.add(row, weight);
    const text = JSON.stringify(row);
    const known = this.#rows.get(text);
    if (known === undefined) this.#rows.set(text, { row, weight });
    else if (known.weight + weight === 0) this.#rows.delete(text);
    else known.weight += weight;
  }

  override rows(): Value[][] {
    return [...this.#rows.values()].flatMap(({ row, weight }) => Array<Value[]>(weight).fill(row));
  }
}

export function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
