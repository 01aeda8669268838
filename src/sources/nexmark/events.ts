/**
 * The fields of one event, drawn from (seed, event number). One object a table is filled again and again: nothing is allocated a row.
 * Texts are an address and a length in the shared memory (texts.ts).
 *
 * Distributions, as the Nexmark suite has them:
 * | field    | how                                                                                         |
 * |----------|---------------------------------------------------------------------------------------------|
 * | seller   | 3 in 4 the first person of the newest hundred, else an active one                           |
 * | auction  | 1 in 2 the first auction of the newest hundred, else one of the last 100 or of the next 10  |
 * | bidder   | 3 in 4 the second person of the newest hundred, else an active one                          |
 * | active   | one of the newest 1000 people or of the next 10                                             |
 * | price    | 100 * 10^(6u) rounded, u uniform in [0,1)                                                   |
 * | expires  | 1 ms .. twice the event time in which 100 auctions come                                     |
 * | channel  | 1 in 2 one of four hot ones, else one of 10,000                                             |
 * | extra    | fills the row to about 200 (person), 500 (auction), 100 (bid) bytes, give or take a fifth   |
 */

import { U8 } from '../../../operators/batch/memory.ts';
import { FIRST_ID, lastAuction, lastPerson } from './numbering.ts';
import type { NexmarkOptions } from './options.ts';
import { Random } from './random.ts';
import { HOT_CHANNEL_COUNT, OTHER_CHANNEL_COUNT, slicePlace, type Texts, texts } from './texts.ts';

const ACTIVE_PEOPLE = 1000;
const LEAD = 10;
const IN_FLIGHT_AUCTIONS = 100;
const HOT_STRIDE = 100;
const EVENTS_FOR_IN_FLIGHT = Math.floor((IN_FLIGHT_AUCTIONS * 50) / 3);
const SPACE = 32;

abstract class EventFields {
  protected readonly random = new Random();
  protected readonly texts: Texts = texts();
  readonly #options: NexmarkOptions;
  /** Event time, milliseconds since 1970. */
  time = 0;
  extraAddress = 0;
  extraLength = 0;

  constructor(options: NexmarkOptions) {
    this.#options = options;
  }

  /** Draws the fields of event `n`. */
  abstract fill(n: number): void;

  protected begin(n: number): void {
    this.random.start(this.#options.seed, n);
    this.time = this.timeOf(n);
  }

  protected timeOf(n: number): number {
    return this.#options.baseTime + Math.floor((n * 1000) / this.#options.eventTimeRate);
  }

  protected price(): number {
    return Math.round(10 ** (this.random.unit() * 6) * 100);
  }

  protected activePerson(n: number): number {
    const people = lastPerson(n) + 1;
    const active = Math.min(people, ACTIVE_PEOPLE);
    return people - active + this.random.below(active + LEAD);
  }

  protected extra(current: number, wanted: number): void {
    const missing = wanted - current;
    if (missing <= 0) {
      this.extraLength = 0;
      return;
    }
    const delta = Math.round(missing * 0.2);
    this.extraLength = missing - delta + (delta === 0 ? 0 : this.random.below(2 * delta));
    this.extraAddress = this.texts.letters + slicePlace(this.random, this.extraLength);
  }
}

export class PersonFields extends EventFields {
  id = 0;
  name = 0;
  /** User and host letters of the e-mail address: user@host.com. */
  userAddress = 0;
  userLength = 0;
  hostAddress = 0;
  hostLength = 0;
  /** Four groups of four digits. */
  readonly card = new Int32Array(4);
  city = 0;
  state = 0;

  fill(n: number): void {
    this.begin(n);
    const { random, texts } = this;
    this.id = lastPerson(n) + FIRST_ID;
    this.name = random.below(texts.names.address.length);
    this.userLength = 3 + random.below(4);
    this.userAddress = texts.letters + slicePlace(random, this.userLength);
    this.hostLength = 3 + random.below(2);
    this.hostAddress = texts.letters + slicePlace(random, this.hostLength);
    for (let i = 0; i < 4; i++) this.card[i] = random.below(10000);
    this.city = random.below(texts.cities.address.length);
    this.state = random.below(texts.states.address.length);
    const email = this.userLength + this.hostLength + 5;
    this.extra(8 + texts.names.length[this.name] + email + 19 + texts.cities.length[this.city] + 2, 200);
  }
}

export class AuctionFields extends EventFields {
  id = 0;
  itemAddress = 0;
  itemLength = 0;
  descriptionAddress = 0;
  descriptionLength = 0;
  initialBid = 0;
  reserve = 0;
  expires = 0;
  seller = 0;
  category = 0;

  fill(n: number): void {
    this.begin(n);
    const { random } = this;
    this.id = lastAuction(n) + FIRST_ID;
    const person = random.below(4) > 0 ? Math.floor(lastPerson(n) / HOT_STRIDE) * HOT_STRIDE : this.activePerson(n);
    this.seller = person + FIRST_ID;
    this.category = 10 + random.below(5);
    this.initialBid = this.price();
    const horizon = this.timeOf(n + EVENTS_FOR_IN_FLIGHT) - this.time;
    this.expires = this.time + 1 + random.below(Math.max(horizon * 2, 1));
    this.#item();
    this.#description();
    this.reserve = this.initialBid + this.price();
    this.extra(8 + this.itemLength + this.descriptionLength + 40, 500);
  }

  #item(): void {
    const length = 3 + this.random.below(17);
    const start = this.texts.words + slicePlace(this.random, length);
    this.itemAddress = skipSpaces(start, start + length);
    this.itemLength = dropSpaces(this.itemAddress, start + length) - this.itemAddress;
  }

  #description(): void {
    const length = 3 + this.random.below(97);
    const start = this.texts.words + slicePlace(this.random, length);
    this.descriptionAddress = skipSpaces(start, start + length);
    this.descriptionLength = dropSpaces(this.descriptionAddress, start + length) - this.descriptionAddress;
  }
}

export class BidFields extends EventFields {
  auction = 0;
  bidder = 0;
  amount = 0;
  /** Index in texts().channels and texts().urls. */
  channel = 0;

  fill(n: number): void {
    this.begin(n);
    const { random } = this;
    const newest = lastAuction(n);
    if (random.below(2) > 0) this.auction = Math.floor(newest / HOT_STRIDE) * HOT_STRIDE + FIRST_ID;
    else {
      const oldest = Math.max(newest - IN_FLIGHT_AUCTIONS, 0);
      this.auction = oldest + random.below(newest - oldest + 1 + LEAD) + FIRST_ID;
    }
    const person = random.below(4) > 0 ? Math.floor(lastPerson(n) / HOT_STRIDE) * HOT_STRIDE + 1 : this.activePerson(n);
    this.bidder = person + FIRST_ID;
    this.amount = this.price();
    this.channel =
      random.below(2) > 0 ? random.below(HOT_CHANNEL_COUNT) : HOT_CHANNEL_COUNT + random.below(OTHER_CHANNEL_COUNT);
    this.extra(32, 100);
  }
}

function skipSpaces(start: number, end: number): number {
  while (start < end && U8[start] === SPACE) start++;
  return start;
}

function dropSpaces(start: number, end: number): number {
  while (end > start && U8[end - 1] === SPACE) end--;
  return end;
}
