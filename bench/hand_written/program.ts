/**
 * What a single-purpose program for one Nexmark query is: plain TypeScript with Map, Set, arrays and objects, written for this one query
 * and for input that only grows, the way a careful programmer would without an engine.
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
