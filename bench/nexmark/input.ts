/**
 * Nexmark events in memory, a tick at a time and the three tables in step: a tick of 10,000 events has 200 people, 600 auctions, 9,200 bids.
 *
 *   chunk of events -> messages (JSON bytes of each table) -> ticks of raw batches        for the engine and for JSON.parse
 *                                                          -> objects                     for the hand-written programs
 *
 * Events are made a chunk at a time between measurements, so ten million of them do not have to fit in memory at once.
 */
import { LONGEST_MESSAGE, MessageWriter } from '../../src/sources/nexmark/json.ts';
import { eventOfRow, type NexmarkTable, rowsBefore } from '../../src/sources/nexmark/numbering.ts';
import { type NexmarkOptions, parseNexmarkOptions } from '../../src/sources/nexmark/options.ts';
import { eventWriter } from '../../src/sources/nexmark/source.ts';
import type { RawBatch } from '../../src/sources/source.ts';
import type { Auction, Bid, Events, Person } from '../hand_written/program.ts';
import { type MessageRoom, messageRoom } from './message_room.ts';

export const TABLES: NexmarkTable[] = ['person', 'auction', 'bid'];

/** Messages of one table for a range of events. */
interface Messages {
  options: NexmarkOptions;
  firstRow: number;
  room: MessageRoom;
  start: Int32Array;
  end: Int32Array;
}

/** One tick's input: a batch for each table that is read. */
export type RawTick = Map<NexmarkTable, RawBatch>;

export class Chunk {
  readonly #from: number;
  readonly #to: number;
  readonly #messages = new Map<NexmarkTable, Messages>();

  /** Events from <= n < to of these tables, so many a second of event time. */
  constructor(tables: NexmarkTable[], from: number, to: number, eventTimeRate = 10_000) {
    this.#from = from;
    this.#to = to;
    for (const table of tables) {
      const options = parseNexmarkOptions({ table, seed: '1', event_time_rate: String(eventTimeRate) });
      this.#messages.set(table, write(options, from, to));
    }
  }

  /** Messages in the chunk. */
  get count(): number {
    let n = 0;
    for (const messages of this.#messages.values()) n += messages.start.length;
    return n;
  }

  /** JSON.parse of every message, one by one, as a program that reads a topic would do it; nothing is done with the objects. */
  parseAll(): void {
    let missing = 0;
    for (const { room, start, end } of this.#messages.values()) {
      const { bytes } = room;
      for (let i = 0; i < start.length; i++)
        missing += JSON.parse(bytes.toString('utf8', start[i], end[i])) === null ? 1 : 0;
    }
    if (missing > 0) throw new Error('a message is null');
  }

  /** What its ticks have of it is not read any more. */
  release(): void {
    for (const { room } of this.#messages.values()) room.release();
  }

  rawTicks(tickEvents: number): RawTick[] {
    const ticks: RawTick[] = [];
    for (let from = this.#from; from < this.#to; from += tickEvents) {
      const tick: RawTick = new Map();
      for (const [table, messages] of this.#messages) {
        const batch = rawBatch(messages, from, Math.min(from + tickEvents, this.#to));
        if (batch.n > 0) tick.set(table, batch);
      }
      ticks.push(tick);
    }
    return ticks;
  }

  /** The same ticks as objects, times as milliseconds. */
  objectTicks(tickEvents: number): Events[] {
    return this.rawTicks(tickEvents).map((tick) => ({
      people: objects<Person>(tick.get('person')),
      auctions: objects<Auction>(tick.get('auction')),
      bids: objects<Bid>(tick.get('bid')),
    }));
  }
}

function write(options: NexmarkOptions, from: number, to: number): Messages {
  const { table } = options;
  const firstRow = rowsBefore(table, from);
  const n = rowsBefore(table, to) - firstRow;
  const writer = new MessageWriter(n * LONGEST_MESSAGE);
  const message = eventWriter(options, writer);
  const start = new Int32Array(n);
  const end = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    start[i] = writer.at;
    message(eventOfRow(table, firstRow + i));
    end[i] = writer.at;
  }
  return { options, firstRow, room: messageRoom(writer.buffer.subarray(0, writer.at)), start, end };
}

function rawBatch(messages: Messages, from: number, to: number): RawBatch {
  const { table, baseTime, eventTimeRate } = messages.options;
  const first = rowsBefore(table, from);
  const n = rowsBefore(table, to) - first;
  const at = first - messages.firstRow;
  return {
    partition: 0,
    baseOffset: BigInt(first),
    nextOffset: BigInt(first + n),
    n,
    bytes: messages.room.bytes,
    address: messages.room.address,
    valueStart: messages.start.subarray(at, at + n),
    valueEnd: messages.end.subarray(at, at + n),
    keyStart: new Int32Array(n).fill(-1),
    keyEnd: new Int32Array(n),
    offset: Float64Array.from({ length: n }, (_, i) => first + i),
    timestamp: Float64Array.from(
      { length: n },
      (_, i) => baseTime + Math.floor((eventOfRow(table, first + i) * 1000) / eventTimeRate),
    ),
    headers: () => [],
  };
}

const TIMES = new Set(['date_time', 'expires']);

function objects<T>(batch: RawBatch | undefined): T[] {
  const out: T[] = [];
  for (let i = 0; batch !== undefined && i < batch.n; i++) {
    const text = batch.bytes.toString('utf8', batch.valueStart[i], batch.valueEnd[i]);
    out.push(
      JSON.parse(text, (key, value) => (TIMES.has(key) ? Date.parse(`${value.replace(' ', 'T')}Z`) : value)) as T,
    );
  }
  return out;
}
