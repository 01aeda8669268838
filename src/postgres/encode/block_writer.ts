/**
 * Rows written by a kernel (operators/kernels/assembly/encode_rows.ts) into blocks of the shared memory, from which the socket takes them without a copy.
 * For the thread that has the sockets.
 *
 *   rows -> block of 64 KiB -> socket -> block given back              a row with an odd value, or longer than a block -> the plain writer
 *
 * The bytes are those of the plain writer. When odd rows are frequent, or there is no memory for a block, that one writes all of them.
 */
import type { Batch } from '../../../operators/batch/batch.ts';
import { BYTES, F64, I32, I64, PAGE_BYTES, U8, U32 } from '../../../operators/batch/memory.ts';
import { pages } from '../../../operators/batch/pages.ts';
import { OutOfMemory } from '../../../operators/errors.ts';
import { EPOCH_DIFF_SECONDS } from '../../../operators/expr/datetime/calendar.ts';
import { findZone, type Zone } from '../../../operators/expr/datetime/time_zone.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import * as l from '../../../operators/kernels/encode_layout.ts';
import { kernels } from '../../../operators/kernels/index.ts';
import { OID, physOf } from '../../../operators/types.ts';
import type { ResultColumn } from '../../engine.ts';
import type { Output } from '../wire/output.ts';
import { type Field, fieldOf } from './field.ts';
import type { RowForm } from './row_form.ts';
import type { RowWriter } from './row_writer.ts';

/** Fewer rows are not worth a block. */
const FEW_ROWS = 64;
/** When more than one row in so many is odd, the plain writer writes them all. */
const ROWS_PER_ODD = 64;
const QUARTER_MICROS = 900000000;

/** How lines of COPY in text look. */
export interface Lines {
  delimiter: number;
  null: Uint8Array;
  /** For each byte what follows the backslash, or 0. */
  escapes: Uint8Array;
}

export interface Shape {
  columns: ResultColumn[];
  formats: number[];
  context: EvalContext;
  type: number;
  lines: Lines | null;
}

export class BlockWriter implements RowWriter {
  readonly #plain: RowWriter;
  readonly #shape: Shape;
  readonly #kinds: number[];
  readonly #prefixes: number[];
  readonly #fixedBytes: number;
  readonly #zone: ZoneOffsets | null;
  #rows = 0;
  #odd = 0;

  private constructor(plain: RowWriter, shape: Shape, fields: Field[], kinds: number[], zone: ZoneOffsets | null) {
    this.#plain = plain;
    this.#shape = shape;
    this.#kinds = kinds;
    this.#prefixes = fields.map((field) => field.prefix + 1);
    this.#zone = zone;
    const { lines } = shape;
    let bytes = lines === null ? 7 : 6;
    for (const field of fields)
      bytes += (field.fixed?.maxBytes ?? 0) + (lines === null ? 5 : 1 + Math.max(4, lines.null.length));
    this.#fixedBytes = bytes;
  }

  /** `plain` itself where the kernel cannot write the columns. */
  static over(plain: RowWriter, shape: Shape): RowWriter {
    const { columns, formats, context } = shape;
    const fields: Field[] = [];
    const kinds: number[] = [];
    let zone: ZoneOffsets | null = null;
    for (const [i, { type }] of columns.entries()) {
      const format = formats.length === 0 ? 0 : formats.length === 1 ? formats[0] : formats[i];
      const phys = physOf(type.oid);
      const field = fieldOf(phys, type.oid, format, context);
      const kind = field.raw ? l.KIND_RAW : field.fixed === null ? 0 : kindOf(phys, type.oid, format);
      if (kind === 0) return plain;
      if (kind === l.KIND_ZONED) {
        zone ??= ZoneOffsets.of(context.timeZone);
        if (zone === null) return plain;
      }
      fields.push(field);
      kinds.push(kind);
    }
    return new BlockWriter(plain, shape, fields, kinds, zone);
  }

  form(): RowForm | null {
    return this.#plain.form();
  }

  write(out: Output, batch: Batch, from: number, to: number, sentLimit: number): number {
    if (to - from < FEW_ROWS || this.#odd * ROWS_PER_ODD > this.#rows + 16 * ROWS_PER_ODD)
      return this.#plain.write(out, batch, from, to, sentLimit);
    const record = allocate(RECORD_PAGES);
    if (record === 0) return this.#plain.write(out, batch, from, to, sentLimit);
    try {
      this.#describe(record, batch);
      let row = from;
      while (row < to && !out.blocked && !out.closed && out.sent < sentLimit) {
        const block = allocate(1);
        if (block === 0) return this.#plain.write(out, batch, row, to, sentLimit);
        row = this.#fill(out, record, batch, row, to, block);
      }
      this.#rows += row - from;
      return row;
    } finally {
      pages.release(record, RECORD_PAGES);
    }
  }

  /** Writes as many rows as the block takes, and the one after it in the general way where it is odd. */
  #fill(out: Output, record: number, batch: Batch, from: number, to: number, block: number): number {
    const at = record >>> 2;
    let row = from;
    let used = 0;
    // Times of a row whose offsets have one place in the table drive each other out: that row is an odd one.
    for (let learnt = -1; ; ) {
      row = kernels.encodeRows(record, row, to, block + used, block + PAGE_BYTES);
      used += U32[at + l.ENCODE_WRITTEN / 4];
      if (U32[at + l.ENCODE_STOPPED / 4] !== l.STOP_OFFSET || row === learnt) break;
      this.#learnOffsets(record, batch, row);
      learnt = row;
    }
    if (used === 0) pages.release(block, 1);
    else out.handOver(BYTES.subarray(block, block + used), () => pages.release(block, 1));
    const stopped = U32[at + l.ENCODE_STOPPED / 4];
    const isLong = stopped === l.STOP_ROOM && used === 0;
    if (stopped !== l.STOP_ODD && stopped !== l.STOP_OFFSET && !isLong) return row;
    this.#odd++;
    return this.#plain.write(out, batch, row, row + 1, Number.POSITIVE_INFINITY);
  }

  #learnOffsets(record: number, batch: Batch, row: number): void {
    batch.columns.forEach(({ data, valid }, i) => {
      if (this.#kinds[i] !== l.KIND_ZONED || (valid !== 0 && U8[valid + row] === 0)) return;
      this.#zone?.learn(I64[data / 8 + row], record + PAGE_BYTES);
    });
  }

  #describe(record: number, batch: Batch): void {
    const { type, lines } = this.#shape;
    const at = record >>> 2;
    U32[at + l.ENCODE_FIELDS / 4] = this.#kinds.length;
    U32[at + l.ENCODE_TYPE / 4] = type;
    U32[at + l.ENCODE_LINES / 4] = lines === null ? 0 : 1;
    U32[at + l.ENCODE_FIXED_BYTES / 4] = this.#fixedBytes;
    const fields = at + l.ENCODE_HEAD_BYTES / 4;
    this.#kinds.forEach((kind, i) => {
      const field = fields + (i * l.FIELD_BYTES) / 4;
      U32[field + l.FIELD_KIND / 4] = kind;
      U32[field + l.FIELD_DATA / 4] = batch.columns[i].data;
      U32[field + l.FIELD_VALID / 4] = batch.columns[i].valid;
      U32[field + l.FIELD_PREFIX / 4] = this.#prefixes[i];
    });
    if (lines !== null) this.#describeLines(record, lines);
    const zone = this.#zone;
    I32[at + l.ENCODE_OFFSET / 4] = zone?.fixed ?? 0;
    U32[at + l.ENCODE_QUARTERS / 4] = zone === null || zone.fixed !== null ? 0 : record + PAGE_BYTES;
    if (zone?.fixed === null) zone.copyTo(record + PAGE_BYTES);
  }

  #describeLines(record: number, { delimiter, null: empty, escapes }: Lines): void {
    const at = record >>> 2;
    const end = record + l.ENCODE_HEAD_BYTES + this.#kinds.length * l.FIELD_BYTES;
    U8.set(escapes, end);
    U8.set(empty, end + 256);
    U32[at + l.ENCODE_DELIMITER / 4] = delimiter;
    U32[at + l.ENCODE_ESCAPES / 4] = end;
    U32[at + l.ENCODE_NULL / 4] = end + 256;
    U32[at + l.ENCODE_NULL_BYTES / 4] = empty.length;
  }
}

/** The record, and offsets by quarter of an hour. */
const RECORD_PAGES = 2;

/** 0: there is no memory. */
function allocate(count: number): number {
  try {
    return pages.allocate(count);
  } catch (error) {
    if (error instanceof OutOfMemory) return 0;
    throw error;
  }
}

/** Of a type that has a fixed writer. 0: the kernel has none. */
function kindOf(phys: ReturnType<typeof physOf>, oid: number, format: number): number {
  if (format === 0) return TEXT_KINDS.get(oid) ?? 0;
  switch (phys) {
    case 'bool':
      return l.KIND_PLAIN_1;
    case 'i32':
      return oid === OID.int2 ? l.KIND_TURNED_2 : l.KIND_TURNED_4;
    case 'u32':
      return l.KIND_TURNED_4;
    case 'i64':
      return l.KIND_TURNED_8;
    case 'f64':
      return oid === OID.float4 ? 0 : l.KIND_TURNED_8;
    case 'uuid':
      return l.KIND_PLAIN_16;
    default:
      return 0;
  }
}

const TEXT_KINDS = new Map<number, number>([
  [OID.bool, l.KIND_BOOL],
  [OID.int2, l.KIND_INT],
  [OID.int4, l.KIND_INT],
  [OID.oid, l.KIND_UINT],
  [OID.xid, l.KIND_UINT],
  [OID.cid, l.KIND_UINT],
  [OID.int8, l.KIND_BIG],
  [OID.date, l.KIND_DATE],
  [OID.time, l.KIND_TIME],
  [OID.timestamp, l.KIND_TIMESTAMP],
  [OID.timestamptz, l.KIND_ZONED],
  [OID.numeric, l.KIND_NUMERIC],
  [OID.uuid, l.KIND_UUID],
]);

const UTC = /^(Etc\/)?(UTC|UCT|GMT|Zulu|Universal)$/i;

/** Offsets of a zone since 1972, as the kernel reads them; learnt when they are asked for. */
class ZoneOffsets {
  /** The only one. */
  readonly fixed: number | null;
  readonly #zone: Zone;
  readonly #quarters = new Float64Array(l.QUARTER_PLACES).fill(Number.NaN);
  readonly #offsets = new Int32Array(l.QUARTER_PLACES);

  private constructor(zone: Zone) {
    this.#zone = zone;
    this.fixed = UTC.test(zone.name) ? 0 : null;
  }

  /** Null when there is no such zone. */
  static of(name: string): ZoneOffsets | null {
    const zone = findZone(name);
    return zone === undefined ? null : new ZoneOffsets(zone);
  }

  copyTo(table: number): void {
    for (let place = 0; place < l.QUARTER_PLACES; place++) this.#put(table, place);
  }

  /** Microseconds since 2000-01-01 UTC. */
  learn(micros: bigint, table: number): void {
    const quarter = Math.floor(Number(micros) / QUARTER_MICROS);
    const place = quarter & (l.QUARTER_PLACES - 1);
    if (this.#quarters[place] !== quarter) {
      this.#quarters[place] = quarter;
      this.#offsets[place] = this.#zone.offsetAt((quarter * QUARTER_MICROS) / 1000000 + EPOCH_DIFF_SECONDS);
    }
    this.#put(table, place);
  }

  #put(table: number, place: number): void {
    const at = table + place * 16;
    F64[at / 8] = this.#quarters[place];
    I32[(at >>> 2) + 2] = this.#offsets[place];
  }
}
