/**
 * Events straight to columns, without bytes in between: the decoder of a Nexmark stream whose columns have the usual names and types.
 * Short texts lie in their slots, long ones are pointed to where they stand (texts.ts): nothing but the e-mail address and the card
 * number is copied.
 */

import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import { BYTES, I32, U8 } from '../../../operators/batch/memory.ts';
import { type Allocator, pointVarlen } from '../../../operators/batch/slots.ts';
import { OID } from '../../../operators/types.ts';
import type { BadRow, Decoder, DecoderSpec } from '../../formats/format.ts';
import type { RawBatch } from '../source.ts';
import { AuctionFields, BidFields, PersonFields } from './events.ts';
import { eventOfRow, type NexmarkTable } from './numbering.ts';
import type { NexmarkOptions } from './options.ts';
import { type TextTable, texts } from './texts.ts';

/** Writes one column of the current event into the slot at `address`. */
type ColumnWriter = (address: number) => void;

const POSTGRES_EPOCH_MS = 946_684_800_000;
const EMAIL_ROOM = 32;
const CARD_LENGTH = 19;

/** The decoder of a stream declared with the suite's own columns (any of them, any order); null when a name or type differs. */
export function nexmarkColumns(options: NexmarkOptions, spec: DecoderSpec): Decoder | null {
  const arena: { current: Allocator | null } = { current: null };
  const table = tableColumns(options, () => arena.current!);
  const writers: ColumnWriter[] = [];
  for (const column of spec.columns) {
    const known = column.origin.k === 'field' ? table.columns[column.origin.name] : undefined;
    if (known === undefined || known.oid !== column.type.oid) return null;
  }
  for (const position of spec.needed) {
    const { origin } = spec.columns[position];
    if (origin.k === 'field') writers.push(table.columns[origin.name].write);
  }

  const decode = (raw: RawBatch, from: number, to: number, out: BatchBuilder): BadRow[] => {
    arena.current = out.arena;
    out.reserve(to - from);
    const start = Number(raw.baseOffset);
    const width = out.columns.map((column) => (column.phys === 'i64' ? 8 : 16));
    for (const column of out.columns) U8.fill(1, column.valid + out.n, column.valid + out.n + to - from);
    for (let i = from; i < to; i++) {
      table.fill(eventOfRow(options.table, start + i));
      const row = out.addRow(1);
      for (let c = 0; c < writers.length; c++) writers[c](out.columns[c].data + row * width[c]);
    }
    return [];
  };
  return { decode };
}

interface TableColumns {
  fill(event: number): void;
  columns: Record<string, { oid: number; write: ColumnWriter }>;
}

function tableColumns(options: NexmarkOptions, arena: () => Allocator): TableColumns {
  const make: Record<NexmarkTable, () => TableColumns> = {
    person: () => personColumns(new PersonFields(options), arena),
    auction: () => auctionColumns(new AuctionFields(options)),
    bid: () => bidColumns(new BidFields(options)),
  };
  return make[options.table]();
}

function personColumns(e: PersonFields, arena: () => Allocator): TableColumns {
  const t = texts();
  return {
    fill: (event) => e.fill(event),
    columns: {
      id: int8((slot) => writeInt(slot, e.id)),
      name: text((slot) => pointEntry(slot, t.names, e.name)),
      email_address: text((slot) => writeEmail(slot, e, arena())),
      credit_card: text((slot) => writeCard(slot, e.card, arena())),
      city: text((slot) => pointEntry(slot, t.cities, e.city)),
      state: text((slot) => pointEntry(slot, t.states, e.state)),
      date_time: timestamp((slot) => writeTime(slot, e.time)),
      extra: text((slot) => pointVarlen(slot, e.extraAddress, e.extraLength)),
    },
  };
}

function auctionColumns(e: AuctionFields): TableColumns {
  return {
    fill: (event) => e.fill(event),
    columns: {
      id: int8((slot) => writeInt(slot, e.id)),
      item_name: text((slot) => pointVarlen(slot, e.itemAddress, e.itemLength)),
      description: text((slot) => pointVarlen(slot, e.descriptionAddress, e.descriptionLength)),
      initial_bid: int8((slot) => writeInt(slot, e.initialBid)),
      reserve: int8((slot) => writeInt(slot, e.reserve)),
      date_time: timestamp((slot) => writeTime(slot, e.time)),
      expires: timestamp((slot) => writeTime(slot, e.expires)),
      seller: int8((slot) => writeInt(slot, e.seller)),
      category: int8((slot) => writeInt(slot, e.category)),
      extra: text((slot) => pointVarlen(slot, e.extraAddress, e.extraLength)),
    },
  };
}

function bidColumns(e: BidFields): TableColumns {
  const t = texts();
  return {
    fill: (event) => e.fill(event),
    columns: {
      auction: int8((slot) => writeInt(slot, e.auction)),
      bidder: int8((slot) => writeInt(slot, e.bidder)),
      price: int8((slot) => writeInt(slot, e.amount)),
      channel: text((slot) => pointEntry(slot, t.channels, e.channel)),
      url: text((slot) => pointEntry(slot, t.urls, e.channel)),
      date_time: timestamp((slot) => writeTime(slot, e.time)),
      extra: text((slot) => pointVarlen(slot, e.extraAddress, e.extraLength)),
    },
  };
}

const int8 = (write: ColumnWriter) => ({ oid: OID.int8, write });
const text = (write: ColumnWriter) => ({ oid: OID.text, write });
const timestamp = (write: ColumnWriter) => ({ oid: OID.timestamp, write });

/** Exact for |value| < 2^53. */
function writeInt(slot: number, value: number): void {
  I32[slot >>> 2] = value;
  I32[(slot >>> 2) + 1] = Math.floor(value / 4294967296);
}

function writeTime(slot: number, ms: number): void {
  writeInt(slot, (ms - POSTGRES_EPOCH_MS) * 1000);
}

function pointEntry(slot: number, table: TextTable, index: number): void {
  pointVarlen(slot, table.address[index], table.length[index]);
}

function writeEmail(slot: number, e: PersonFields, arena: Allocator): void {
  const address = arena.alloc(EMAIL_ROOM);
  let at = address;
  for (let i = 0; i < e.userLength; i++) U8[at++] = U8[e.userAddress + i];
  U8[at++] = 64;
  for (let i = 0; i < e.hostLength; i++) U8[at++] = U8[e.hostAddress + i];
  at += BYTES.latin1Write('.com', at, 4);
  pointVarlen(slot, address, at - address);
}

function writeCard(slot: number, card: Int32Array, arena: Allocator): void {
  const address = arena.alloc(CARD_LENGTH);
  let at = address;
  for (let i = 0; i < 4; i++) {
    if (i > 0) U8[at++] = 32;
    const group = card[i];
    U8[at++] = 48 + Math.floor(group / 1000);
    U8[at++] = 48 + (Math.floor(group / 100) % 10);
    U8[at++] = 48 + (Math.floor(group / 10) % 10);
    U8[at++] = 48 + (group % 10);
  }
  pointVarlen(slot, address, CARD_LENGTH);
}
