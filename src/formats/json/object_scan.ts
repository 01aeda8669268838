/**
 * The scan kernel's view of one object (a message's value or its key): which fields to read, in tables in the batch's arena as
 * operators/kernels/json_layout.ts lays them out.
 *
 *   bind()  writes the tables for one decode() (about a microsecond)      read()  runs the kernel over records up to the first odd one
 *
 * The kernel guesses keys by the order of the declared columns until messages teach it theirs.
 */
import type { Arena } from '../../../operators/batch/arena.ts';
import { I32, U8, U32 } from '../../../operators/batch/memory.ts';
import { kernels } from '../../../operators/kernels/index.ts';
import * as layout from '../../../operators/kernels/json_layout.ts';
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

export class ObjectScan {
  readonly #columns: Columns;
  /** Positions of the columns, in the order of the tables. */
  readonly fields: number[];
  readonly #names: Name[];
  readonly #buckets: number;
  readonly #bytes: number;
  #arena!: Arena;
  #scan = 0;
  #table = 0;

  /** Reads the columns of `fields` (positions) and skips all other names. */
  constructor(columns: Columns, fields: number[]) {
    this.#columns = columns;
    this.fields = fields;
    this.#names = fields.map((field) => {
      const { origin } = columns.all[field];
      if (origin.k !== 'field') throw new Error(`column ${columns.all[field].name} is no field`);
      const bytes = Buffer.from(`${origin.name}":`, 'utf8');
      return { bytes, room: (bytes.length + 31) & ~15, hash: hashOf(bytes.subarray(0, bytes.length - 2)) };
    });
    let buckets = 16;
    while (buckets < fields.length + UNDECLARED) buckets *= 2;
    this.#buckets = buckets;
    this.#bytes =
      layout.SCAN_BYTES +
      this.#names.reduce((sum, name) => sum + name.room, 0) +
      fields.length * (layout.COLUMN_BYTES + layout.DEFERRED_BYTES + layout.KEY_BYTES) +
      UNDECLARED * layout.KEY_BYTES +
      buckets * 4;
  }

  /**
   * Prepares for records whose positions stand in an array of i32 pairs (first byte, the byte behind the last); positions plus `shift` are
   * addresses. The columns must be bound.
   */
  bind(arena: Arena, weights: number, positions: number, shift: number): void {
    const n = this.fields.length;
    const scan = arena.allocZeroed(this.#bytes);
    let at = scan + layout.SCAN_BYTES;
    const texts = at;
    for (const name of this.#names) at += name.room;
    this.#arena = arena;
    this.#scan = scan;
    this.#table = at;
    const keys = at + n * layout.COLUMN_BYTES;
    const freeKeys = keys + n * layout.KEY_BYTES;
    const buckets = freeKeys + UNDECLARED * layout.KEY_BYTES;
    put(scan + layout.SCAN_COLUMNS, this.#table);
    put(scan + layout.SCAN_COLUMN_COUNT, n);
    put(scan + layout.SCAN_BUCKETS, buckets);
    put(scan + layout.SCAN_BUCKET_MASK, this.#buckets - 1);
    put(scan + layout.SCAN_FIRST_KEY, n === 0 ? 0 : keys);
    put(scan + layout.SCAN_FREE_KEY, freeKeys);
    put(scan + layout.SCAN_FREE_KEY_END, buckets);
    put(scan + layout.SCAN_POSITIONS, positions);
    put(scan + layout.SCAN_SHIFT, shift);
    put(scan + layout.SCAN_WEIGHTS, weights);
    put(scan + layout.SCAN_DEFERRED, buckets + this.#buckets * 4);
    this.#bindColumns();
    this.#bindKeys(keys, texts, buckets);
  }

  #bindColumns(): void {
    const columns = this.#columns;
    let at = this.#table;
    for (const field of this.fields) {
      put(at + layout.COLUMN_FORM, columns.form[field]);
      put(at + layout.COLUMN_WIDTH, columns.width[field]);
      put(at + layout.COLUMN_NOT_NULL, columns.all[field].notNull ? 1 : 0);
      put(at + layout.COLUMN_MISSING, columns.missing[field]);
      put(at + layout.COLUMN_DATA, columns.data[field]);
      put(at + layout.COLUMN_STEP, columns.step[field]);
      put(at + layout.COLUMN_VALID, columns.valid[field]);
      put(at + layout.COLUMN_VALID_STEP, columns.validStep[field]);
      put(at + layout.COLUMN_PRECISION, columns.precision[field]);
      put(at + layout.COLUMN_SCALE, columns.scale[field]);
      at += layout.COLUMN_BYTES;
    }
  }

  #bindKeys(keys: number, texts: number, buckets: number): void {
    const names = this.#names;
    for (let i = 0; i < names.length; i++) {
      const { bytes, room, hash } = names[i];
      const key = keys + i * layout.KEY_BYTES;
      const bucket = buckets + (hash & (this.#buckets - 1)) * 4;
      U8.set(bytes, texts);
      put(key + layout.KEY_COLUMN, this.#table + i * layout.COLUMN_BYTES);
      put(key + layout.KEY_NEXT, i + 1 < names.length ? key + layout.KEY_BYTES : 0);
      put(key + layout.KEY_CHAIN, U32[bucket >>> 2]);
      put(key + layout.KEY_TEXT, texts);
      put(key + layout.KEY_LENGTH, bytes.length);
      put(key + layout.KEY_HASH, hash);
      put(bucket, key);
      texts += room;
    }
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
    const at = (U32[(this.#scan + layout.SCAN_POSITIONS) >>> 2] >>> 2) + record * 2;
    const length = I32[at + 1] - I32[at];
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
