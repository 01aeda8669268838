/**
 * Events straight to columns, without bytes in between: the decoder of a Nexmark stream whose columns have the usual names and types.
 * Short texts lie in their slots, long ones are pointed to where they stand (texts.ts): nothing but the e-mail address and the card
 * number is copied.
 */

import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import { BYTES, I32, U8 } from '../../../operators/batch/memory.ts';
import { type Allocator, pointVarlen } from '../../../operators/batch/slots.ts';
import { SqlError } from '../../../operators/errors.ts';
import { EPOCH_DIFF_MS } from '../../../operators/expr/datetime/calendar.ts';
import { OID, PHYS_WIDTH } from '../../../operators/types.ts';
import { Defaults } from '../../formats/defaults.ts';
import type { BadRow, Decoder, DecoderSpec } from '../../formats/format.ts';
import { missing, RowError } from '../../formats/row_error.ts';
import type { RawBatch } from '../source.ts';
import { AuctionFields, BidFields, PersonFields } from './events.ts';
import { eventOfRow, type NexmarkTable } from './numbering.ts';
import type { NexmarkOptions } from './options.ts';
import { type TextTable, texts } from './texts.ts';

/** Writes one column of the current event into the slot at `address`. */
type ColumnWriter = (address: number) => void;

const EMAIL_ROOM = 32;
const CARD_LENGTH = 19;

/**
 * The decoder of a stream declared with the suite's own columns (any of them, any order) and columns with a DEFAULT; null when a name or
 * type differs.
 */
export function nexmarkColumns(options: NexmarkOptions, spec: DecoderSpec): Decoder | null {
  const arena: { current: Allocator | null } = { current: null };
  const table = tableColumns(options, () => arena.current!);
  const known = (position: number) => {
    const { origin } = spec.columns[position];
    return origin.k === 'field' ? table.columns[origin.name] : undefined;
  };
  const added: number[] = [];
  for (const [position, { type, default: missing }] of spec.columns.entries()) {
    const column = known(position);
    if (column === undefined && missing !== undefined) added.push(position);
    else if (column?.oid !== type.oid) return null;
  }
  const defaults = new Defaults(spec.columns);

  const decode = (raw: RawBatch, from: number, to: number, out: BatchBuilder, now: bigint): BadRow[] => {
    defaults.setClock(now);
    const reason = failureOf(spec, added, defaults);
    if (reason !== null) return Array.from({ length: to - from }, (_, i) => ({ index: from + i, ...reason }));
    arena.current = out.arena;
    out.reserve(to - from);
    const start = Number(raw.baseOffset);
    const first = out.n;
    const columns: { write: ColumnWriter; data: number; width: number }[] = [];
    for (const [c, position] of spec.needed.entries()) {
      const { data, valid, phys } = out.columns[c];
      const column = known(position);
      if (column === undefined) continue;
      U8.fill(1, valid + first, valid + first + to - from);
      columns.push({ write: column.write, data, width: PHYS_WIDTH[phys] });
    }
    for (let i = from; i < to; i++) {
      table.fill(eventOfRow(options.table, start + i));
      const row = out.addRow(1);
      for (const { write, data, width } of columns) write(data + row * width);
    }
    for (const [c, position] of spec.needed.entries()) {
      if (!added.includes(position)) continue;
      for (let row = first; row < out.n; row++) out.setDatum(c, row, defaults.value(position));
    }
    return [];
  };
  // There are no messages.
  return { decode, bytes: 0, anyNull: added.length > 0, release: () => undefined };
}

/** Why no row can be made: a default that fails or is NULL where it may not be. */
function failureOf(spec: DecoderSpec, added: number[], defaults: Defaults): Omit<BadRow, 'index'> | null {
  for (const position of added) {
    try {
      missing(position, spec.columns[position], defaults);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      return { reason: error.message, sqlstate: error.sqlstate, column: error.column };
    }
  }
  return null;
}

/** A column that the generator does not have and that has no DEFAULT would be NULL for ever: a slip of the pen. */
export function checkNexmarkColumns(options: NexmarkOptions, spec: DecoderSpec): void {
  const names = Object.keys(tableColumns(options, () => never()).columns);
  for (const { name, origin, default: missing } of spec.columns) {
    if (origin.k !== 'field' || names.includes(origin.name) || missing !== undefined) continue;
    throw new SqlError('42703', `the nexmark table "${options.table}" has no column "${name}"`, {
      hint: `Its columns are: ${names.join(', ')}. A column of your own needs a DEFAULT.`,
    });
  }
}

function never(): never {
  throw new Error('nothing is written');
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
  writeInt(slot, (ms - EPOCH_DIFF_MS) * 1000);
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
