/**
 * The scan kernel's view of one object (a message's value or its key): which fields to read, in tables as operators/kernels/json_layout.ts
 * lays them out.
 *
 *   bindColumns()  where the batch's columns are      bindRecords()  where the messages are      read()  runs the kernel over records up to the first odd one
 *
 * The tables are written once: a tick of a few messages would cost more to prepare than to read. The kernel guesses keys by the order of the
 * declared columns until messages teach it theirs, which it keeps from tick to tick; but names that are not declared are remembered where they
 * stand in a message, and are forgotten with it.
 */
import type { Arena } from '../../../operators/batch/arena.ts';
import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import { I32, I64, U8, U32 } from '../../../operators/batch/memory.ts';
import { KernelMemory } from '../../../operators/expr/kernel/kernel_memory.ts';
import { kernels } from '../../../operators/kernels/index.ts';
import * as layout from '../../../operators/kernels/json_layout.ts';
import type { TimeBounds } from '../format.ts';
import type { Columns } from './columns.ts';

/** Undeclared names that are remembered. */
const UNDECLARED = 32;
const ROOM_FOR_TEXTS = 65536;

interface Name {
  /** UTF-8 of the name, its closing quote and a colon. */
  bytes: Uint8Array;
  /** Bytes that it takes in the tables. */
  room: number;
  hash: number;
}

/** A value that the kernel left to the caller. */
export interface DeferredValue {
  field: number;
  start: number;
  end: number;
}

/** Generations of records are counted in 32 bits; tables that have seen so many begin anew. */
const MOST_RECORDS = 0x7fffffff;

export class ObjectScan {
  readonly #columns: Columns;
  /** Positions of the columns, in the order of the tables. */
  readonly fields: number[];
  readonly #memory = new KernelMemory();
  readonly #scan: number;
  readonly #table: number;
  readonly #keys: number;
  readonly #freeKeys: number;
  readonly #buckets: number;
  /** The tables as they were written, and how many bytes they have. */
  readonly #pristine: number;
  readonly #bytes: number;
  /** Tables of the fields that are columns of the batch, which lie elsewhere in each, and which columns they are. */
  readonly #moving: { at: number; place: number }[] = [];
  /** Whether the kernel keeps the bounds of a time. */
  readonly #timed: boolean;
  /** Those of fields whose DEFAULT may be another. */
  readonly #defaulted: { at: number; field: number }[] = [];
  #arena!: Arena;
  /** What times() gave last. */
  readonly #times: TimeBounds = { least: 0n, greatest: 0n };

  /** Reads the columns of `fields` (positions) and skips all other names. `time`: the position of the one whose bounds times() tells. */
  constructor(columns: Columns, fields: number[], time = -1) {
    this.#columns = columns;
    this.fields = fields;
    const names = fields.map((field) => nameOf(columns, field));
    let buckets = 16;
    while (buckets < fields.length + UNDECLARED) buckets *= 2;
    const textBytes = names.reduce((sum, name) => sum + name.room, 0);
    this.#bytes =
      layout.SCAN_BYTES +
      textBytes +
      fields.length * (layout.COLUMN_BYTES + layout.DEFERRED_BYTES + layout.KEY_BYTES) +
      UNDECLARED * layout.KEY_BYTES +
      buckets * 4;
    this.#scan = this.#memory.zeroed(this.#bytes);
    this.#table = this.#scan + layout.SCAN_BYTES + textBytes;
    this.#keys = this.#table + fields.length * layout.COLUMN_BYTES;
    this.#freeKeys = this.#keys + fields.length * layout.KEY_BYTES;
    this.#buckets = this.#freeKeys + UNDECLARED * layout.KEY_BYTES;
    this.#writeTables(buckets);
    this.#timed = time >= 0 && fields.includes(time) && columns.place[time] >= 0;
    if (this.#timed) put(this.#scan + layout.SCAN_TIME, this.#table + fields.indexOf(time) * layout.COLUMN_BYTES);
    this.#writeKeys(names, buckets);
    this.#pristine = this.#memory.alloc(this.#bytes);
    kernels.copyBytes(this.#pristine, this.#scan, this.#bytes);
  }

  #writeTables(buckets: number): void {
    const scan = this.#scan;
    const columns = this.#columns;
    put(scan + layout.SCAN_COLUMNS, this.#table);
    put(scan + layout.SCAN_COLUMN_COUNT, this.fields.length);
    put(scan + layout.SCAN_BUCKETS, this.#buckets);
    put(scan + layout.SCAN_BUCKET_MASK, buckets - 1);
    put(scan + layout.SCAN_FIRST_KEY, this.fields.length === 0 ? 0 : this.#keys);
    put(scan + layout.SCAN_FREE_KEY, this.#freeKeys);
    put(scan + layout.SCAN_FREE_KEY_END, this.#buckets);
    put(scan + layout.SCAN_DEFERRED, this.#buckets + buckets * 4);
    this.fields.forEach((field, i) => {
      const at = this.#table + i * layout.COLUMN_BYTES;
      put(at + layout.COLUMN_FORM, columns.form[field]);
      put(at + layout.COLUMN_WIDTH, columns.width[field]);
      put(at + layout.COLUMN_NOT_NULL, columns.all[field].notNull ? 1 : 0);
      put(at + layout.COLUMN_PRECISION, columns.precision[field]);
      put(at + layout.COLUMN_SCALE, columns.scale[field]);
      put(at + layout.COLUMN_MISSING, columns.missing[field]);
      put(at + layout.COLUMN_DATA, columns.spare);
      put(at + layout.COLUMN_VALID, columns.spareValid);
      const place = columns.place[field];
      put(at + layout.COLUMN_STEP, place < 0 ? 0 : columns.width[field]);
      put(at + layout.COLUMN_VALID_STEP, place < 0 ? 0 : 1);
      if (place >= 0) this.#moving.push({ at, place });
      if (columns.isDefaulted(field)) this.#defaulted.push({ at, field });
    });
  }

  #writeKeys(names: Name[], buckets: number): void {
    let texts = this.#scan + layout.SCAN_BYTES;
    names.forEach(({ bytes, room, hash }, i) => {
      const key = this.#keys + i * layout.KEY_BYTES;
      const bucket = this.#buckets + (hash & (buckets - 1)) * 4;
      U8.set(bytes, texts);
      put(key + layout.KEY_COLUMN, this.#table + i * layout.COLUMN_BYTES);
      put(key + layout.KEY_NEXT, i + 1 < names.length ? key + layout.KEY_BYTES : 0);
      put(key + layout.KEY_CHAIN, U32[bucket >>> 2]);
      put(key + layout.KEY_TEXT, texts);
      put(key + layout.KEY_LENGTH, bytes.length);
      put(key + layout.KEY_HASH, hash);
      put(key + layout.KEY_MASK, bytes.length < 16 ? (1 << bytes.length) - 1 : 0xffff);
      put(bucket, key);
      texts += room;
    });
  }

  /** For one decode() into the columns of `out`, which are bound. */
  bindColumns({ arena, columns, weights }: BatchBuilder): void {
    const scan = this.#scan;
    this.#arena = arena;
    const learnt = U32[(scan + layout.SCAN_FREE_KEY) >>> 2] !== this.#freeKeys;
    if (learnt || U32[(scan + layout.SCAN_GENERATION) >>> 2] > MOST_RECORDS)
      kernels.copyBytes(scan, this.#pristine, this.#bytes);
    put(scan + layout.SCAN_WEIGHTS, weights);
    put(scan + layout.SCAN_SCRATCH, 0);
    put(scan + layout.SCAN_SCRATCH_END, 0);
    put(scan + layout.SCAN_NULLS, 0);
    if (this.#timed) this.#noTimes();
    const moving = this.#moving;
    for (let i = 0; i < moving.length; i++) {
      const { at, place } = moving[i];
      const { data, valid } = columns[place];
      put(at + layout.COLUMN_DATA, data);
      put(at + layout.COLUMN_VALID, valid);
    }
    for (const { at, field } of this.#defaulted) put(at + layout.COLUMN_MISSING, this.#columns.missing[field]);
  }

  #noTimes(): void {
    put(this.#scan + layout.SCAN_LEAST, 0xffffffff);
    put(this.#scan + layout.SCAN_LEAST + 4, 0x7fffffff);
    put(this.#scan + layout.SCAN_GREATEST, 0);
    put(this.#scan + layout.SCAN_GREATEST + 4, 0x80000000);
  }

  /** Bounds of the time in the rows that read() has made since bindColumns(); null: it was NULL in all of them; undefined: it is not asked for, or no field. Good until the next call. */
  times(): TimeBounds | null | undefined {
    if (!this.#timed) return undefined;
    const least = I64[(this.#scan + layout.SCAN_LEAST) / 8];
    const greatest = I64[(this.#scan + layout.SCAN_GREATEST) / 8];
    if (least > greatest) return null;
    this.#times.least = least;
    this.#times.greatest = greatest;
    return this.#times;
  }

  /** Whether the kernel has put a NULL into a column since bindColumns(). */
  get anyNull(): boolean {
    return U32[(this.#scan + layout.SCAN_NULLS) >>> 2] !== 0;
  }

  /** The next records: addresses of their first bytes and of the bytes behind their last, as i32 that `shift` makes addresses. */
  bindRecords(starts: number, ends: number, shift: number): void {
    const scan = this.#scan;
    put(scan + layout.SCAN_STARTS, starts);
    put(scan + layout.SCAN_ENDS, ends);
    put(scan + layout.SCAN_SHIFT, shift);
  }

  /** Why the last read() stopped. */
  get status(): number {
    return U32[(this.#scan + layout.SCAN_STATUS) >>> 2];
  }

  /** Reads records from .. into rows `row` .., which are good and have weight 1; gives the first record that is not done, `to` after the last. */
  read(from: number, to: number, row: number): number {
    for (;;) {
      const reached = kernels.scanJson(this.#scan, from, to, row);
      if (this.status !== layout.STATUS_SCRATCH) return reached;
      this.#makeRoom(reached);
      row += reached - from;
      from = reached;
    }
  }

  /** Reads a lone value between two addresses into the first field's slot. */
  readScalar(start: number, end: number, row: number): boolean {
    return kernels.scanJsonScalar(this.#scan, start, end, row) === layout.STATUS_DONE;
  }

  /** Fresh memory for texts with escapes: enough for all of the record's. */
  #makeRoom(record: number): void {
    const position = (address: number) => I32[(U32[(this.#scan + address) >>> 2] >>> 2) + record];
    const length = position(layout.SCAN_ENDS) - position(layout.SCAN_STARTS);
    const room = ROOM_FOR_TEXTS + length * 4;
    const address = this.#arena.alloc(room);
    put(this.#scan + layout.SCAN_SCRATCH, address);
    put(this.#scan + layout.SCAN_SCRATCH_END, address + room);
  }

  /** Values of the record at which read() stopped with STATUS_DEFERRED. */
  *deferred(): Generator<DeferredValue> {
    const word = U32[(this.#scan + layout.SCAN_DEFERRED) >>> 2] >>> 2;
    const count = U32[(this.#scan + layout.SCAN_DEFERRED_COUNT) >>> 2];
    for (let i = 0, at = word; i < count; i++, at += layout.DEFERRED_BYTES / 4) {
      const index = (U32[at + layout.DEFERRED_COLUMN / 4] - this.#table) / layout.COLUMN_BYTES;
      const start = U32[at + layout.DEFERRED_START / 4];
      yield { field: this.fields[index], start, end: U32[at + layout.DEFERRED_END / 4] };
    }
  }

  release(): void {
    this.#memory.release();
  }
}

function nameOf(columns: Columns, field: number): Name {
  const { origin, name } = columns.all[field];
  if (origin.k !== 'field') throw new Error(`column ${name} is no field`);
  const bytes = Buffer.from(`${origin.name}":`, 'utf8');
  return { bytes, room: (bytes.length + 31) & ~15, hash: hashOf(bytes.subarray(0, bytes.length - 2)) };
}

function put(address: number, value: number): void {
  U32[address >>> 2] = value;
}

/** As assembly/json/keys.ts has it. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
