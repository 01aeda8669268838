/**
 * Events as JSON messages, written byte by byte: {"auction":1000,"bidder":1001,...,"date_time":"2026-01-01 00:00:00.000","extra":"..."}.
 * Field names and their order are those of the streams; no text needs an escape.
 */
import { BYTES, U8 } from '../../../operators/batch/memory.ts';
import type { AuctionFields, BidFields, PersonFields } from './events.ts';
import { type TextTable, texts } from './texts.ts';

/** No message of any table is longer. */
export const LONGEST_MESSAGE = 1024;
const LOOP_COPY = 24;

const literals = new Map<string, Uint8Array>();

/** Writes into a buffer of the caller's size: room for LONGEST_MESSAGE bytes must be left before each message. */
export class MessageWriter {
  readonly buffer: Buffer;
  at = 0;
  #second = Number.NaN;
  readonly #secondText = Buffer.alloc(20);

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
  }

  person(e: PersonFields): void {
    const t = texts();
    this.#number('{"id":', e.id);
    this.#entry(',"name":"', t.names, e.name);
    this.#text('","email_address":"', e.userAddress, e.userLength);
    this.#text('@', e.hostAddress, e.hostLength);
    this.#literal('.com","credit_card":"');
    for (let i = 0; i < 4; i++) {
      if (i > 0) this.buffer[this.at++] = 32;
      this.#digits(e.card[i], 4);
    }
    this.#entry('","city":"', t.cities, e.city);
    this.#entry('","state":"', t.states, e.state);
    this.#time('","date_time":"', e.time);
    this.#text('","extra":"', e.extraAddress, e.extraLength);
    this.#literal('"}');
  }

  auction(e: AuctionFields): void {
    this.#number('{"id":', e.id);
    this.#text(',"item_name":"', e.itemAddress, e.itemLength);
    this.#text('","description":"', e.descriptionAddress, e.descriptionLength);
    this.#number('","initial_bid":', e.initialBid);
    this.#number(',"reserve":', e.reserve);
    this.#time(',"date_time":"', e.time);
    this.#time('","expires":"', e.expires);
    this.#number('","seller":', e.seller);
    this.#number(',"category":', e.category);
    this.#text(',"extra":"', e.extraAddress, e.extraLength);
    this.#literal('"}');
  }

  bid(e: BidFields): void {
    const t = texts();
    this.#number('{"auction":', e.auction);
    this.#number(',"bidder":', e.bidder);
    this.#number(',"price":', e.amount);
    this.#entry(',"channel":"', t.channels, e.channel);
    this.#entry('","url":"', t.urls, e.channel);
    this.#time('","date_time":"', e.time);
    this.#text('","extra":"', e.extraAddress, e.extraLength);
    this.#literal('"}');
  }

  #literal(text: string): void {
    let bytes = literals.get(text);
    if (bytes === undefined) {
      bytes = Buffer.from(text, 'latin1');
      literals.set(text, bytes);
    }
    const { buffer } = this;
    let at = this.at;
    for (let i = 0; i < bytes.length; i++) buffer[at++] = bytes[i];
    this.at = at;
  }

  #text(before: string, address: number, length: number): void {
    this.#literal(before);
    if (length <= LOOP_COPY) {
      const { buffer, at } = this;
      for (let i = 0; i < length; i++) buffer[at + i] = U8[address + i];
    } else BYTES.copy(this.buffer, this.at, address, address + length);
    this.at += length;
  }

  #entry(before: string, table: TextTable, index: number): void {
    this.#text(before, table.address[index], table.length[index]);
  }

  #number(before: string, value: number): void {
    this.#literal(before);
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    this.#digits(value, digits);
  }

  #digits(value: number, digits: number): void {
    for (let at = this.at + digits - 1; at >= this.at; at--) {
      const rest = Math.floor(value / 10);
      this.buffer[at] = 48 + value - rest * 10;
      value = rest;
    }
    this.at += digits;
  }

  /** 'YYYY-MM-DD HH:MM:SS.mmm'; the part up to the point is kept for the rows of one second. */
  #time(before: string, ms: number): void {
    this.#literal(before);
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText.write(new Date(second * 1000).toISOString().slice(0, 20).replace('T', ' '), 'latin1');
    }
    const { buffer, at } = this;
    for (let i = 0; i < 20; i++) buffer[at + i] = this.#secondText[i];
    this.at += 20;
    this.#digits(ms - second * 1000, 3);
  }
}
