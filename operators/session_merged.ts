/**
 * Session windows of input that never retracts, read by its key, start and end only: one row a session, whose weight is the number of its rows. `counted`:
 * that number is its last column, and its weight is 1; this is the session with a count(*) by its key, start and end.
 *
 *   sessions of a key:    [first .. last] x 7      [first .. last] x 2          more than the gap apart
 *   a row                 is a session of its own, or joins one, or joins two into one
 *
 * What session.ts does is what this gives after its rows are added up: so an aggregate above reads two rows a changed session and not all of its rows.
 * A row whose time is NULL or infinite belongs to no session and is left out.
 * State: a slot a key, which has the key's session in 16 bytes; 24 bytes a session where there are several. None for a row (kernels/assembly/sessions.ts).
 * O(1) a row in order of time; O(sessions of the key) for one far behind.
 * A session that no row to come can reach is forgotten. The calendar has one entry a key, for its earliest session; it is made anew when that one went.
 */
import { Arena } from './batch/arena.ts';
import type { Batch, Column } from './batch/batch.ts';
import { U32 } from './batch/memory.ts';
import { kernels } from './kernels/index.ts';
import type { Operator, Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { Deadline, type Watermarks } from './state/deadline.ts';
import { Expiry, type SavedExpiry } from './state/expiry.ts';
import { Heap } from './state/heap.ts';
import { placesOf, rowLayout, type SlotPlace } from './state/row_layout.ts';
import { RowTable, type SavedRowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import type { ColType } from './types.ts';

type SessionSpec = PlanNode & { op: 'session' };

/** Bytes of a key, of a run before its sessions, of a session of a run, and of one that is shown; words of a key with a run. As the kernel has them. */
const KEY_BYTES = 16;
const RUN_HEAD = 8;
const SESSION = 24;
const SHOWN = 24;
const RUN = 0;
const CAPACITY = 3;
const FIRST_CAPACITY = 2;

type SavedSessions = { table: SavedRowTable; sessions: number; expiry: SavedExpiry };

export class MergedSessionOperator implements Operator {
  readonly #spec: SessionSpec;
  readonly #heap = new Heap();
  readonly #table: RowTable;
  readonly #places: SlotPlace[];
  readonly #deadline: Deadline | null;
  /** What a session's last time is dead after; NaN: it never is. */
  readonly #lag: number;
  readonly #expiry: Expiry;
  #sessions = 0;

  constructor(spec: SessionSpec, inputTypes: ColType[]) {
    this.#spec = spec;
    this.#table = new RowTable(
      spec.keys.map((k) => inputTypes[k]),
      KEY_BYTES,
      'sql',
      this.#heap,
    );
    this.#places = placesOf(this.#table.ops.layout);
    this.#expiry = new Expiry(this.#heap);
    this.#deadline =
      spec.frees === undefined || spec.frees.length === 0
        ? null
        : new Deadline(rowLayout([inputTypes[spec.time]]), spec.frees, () => 0);
    this.#lag = this.#deadline?.lag ?? Number.NaN;
  }

  step(inputs: Batch[], { arena }: Tick): Batch {
    const [delta] = inputs;
    const { n } = delta;
    const table = this.#table;
    const { payloadOffset } = table;
    const time = delta.columns[this.#spec.time];
    const weights = arena.alloc(n * 4);
    kernels.timedWeights(time.data, time.valid, delta.weights, n, weights);
    table.begin(
      this.#spec.keys.map((k) => delta.columns[k]),
      n,
    );
    const { slots, fresh, made } = table.findOrInsertAll({ n, weights, skipNulls: false }, arena);
    // A row shows two sessions that were and one that is, at the most.
    const list = arena.alloc(n * 3 * SHOWN);
    const touched = arena.alloc(n * 4);
    const counts = arena.allocZeroed(8);
    for (let row = 0; row < n; ) {
      row = kernels.addToSessions(
        slots * 4,
        time.data,
        weights,
        row,
        n,
        payloadOffset,
        this.#spec.gap,
        list,
        touched,
        counts,
      );
      if (row < n) this.#grow(U32[slots + row]);
    }
    const [olds, keys] = [U32[counts >>> 2], U32[(counts >>> 2) + 1]];
    const news = kernels.changedSessions(touched, keys, payloadOffset, list + olds * SHOWN);
    this.#sessions += news - olds;
    if (this.#deadline !== null && made > 0) {
      const noted = arena.alloc(made * 4);
      kernels.freshSlots(slots * 4, fresh * 4, made, 0, noted);
      this.#note(noted, made, arena);
    }
    const out = this.#rows(list, olds + news, olds, arena);
    // A session that changes has more rows than before; where these are its weight, the row may be the same.
    if (this.#spec.counted === true) out.net = true;
    return out;
  }

  /** Enters keys in the calendar whose slots are at an address. */
  #note(slots: number, n: number, arena: Arena): void {
    const dues = arena.alloc(n * 8);
    kernels.sessionDues(slots, n, this.#table.payloadOffset, this.#lag, dues);
    this.#expiry.addAll(dues / 8, slots >>> 2, n);
  }

  /** Room for more sessions of a key. */
  #grow(slot: number): void {
    const key = slot + this.#table.payloadOffset;
    if (!hasRun(key)) {
      kernels.beginRun(key, this.#heap.alloc(runBytes(FIRST_CAPACITY)), FIRST_CAPACITY);
      return;
    }
    const head = key >>> 2;
    const capacity = U32[head + CAPACITY];
    const bigger = this.#heap.alloc(runBytes(capacity * 2));
    kernels.copyBytes(bigger, U32[head + RUN], runBytes(capacity));
    this.#heap.free(U32[head + RUN], runBytes(capacity));
    U32[head + RUN] = bigger;
    U32[head + CAPACITY] = capacity * 2;
  }

  /** n sessions of a list as output rows; the first `before` are taken back. */
  #rows(list: number, n: number, before: number, arena: Arena): Batch {
    const { types, gap, keys, time, counted } = this.#spec;
    const { rowOffset } = this.#table;
    const [weights, slots] = [arena.alloc(n * 4), arena.alloc(n * 4)];
    const [starts, ends] = [arena.alloc(n * 8), arena.alloc(n * 8)];
    const numbers = counted ? arena.alloc(n * 8) : 0;
    kernels.sessionColumns(list, n, before, gap, slots, weights, starts, ends, numbers);
    const { phys } = this.#table.ops.layout;
    const width = types.length - (counted ? 3 : 2);
    const columns = types.map((type, c): Column => {
      if (c === time || c === width) return { type, phys: 'i64', data: starts, valid: 0 };
      if (c > width) return { type, phys: 'i64', data: c === width + 1 ? ends : numbers, valid: 0 };
      const key = keys.indexOf(c);
      const { offset, width: bytes, flag } = this.#places[key];
      const [data, valid] = [arena.alloc(n * bytes), arena.alloc(n)];
      kernels.loadColumn(slots, n, rowOffset + offset, bytes, rowOffset + flag, data, valid);
      return { type, phys: phys[key], data, valid };
    });
    return { n, columns, weights };
  }

  integral({ arena }: Tick): Batch {
    const list = arena.alloc(this.#sessions * SHOWN);
    const slots = arena.alloc(this.#table.size * 4);
    let n = 0;
    this.#table.forEach((slot) => {
      U32[(slots >>> 2) + n++] = slot;
    });
    kernels.allSessions(slots, n, this.#table.payloadOffset, list);
    return this.#rows(list, this.#sessions, 0, arena);
  }

  free(watermarks: Watermarks): boolean {
    if (this.#deadline === null) return true;
    const watermark = this.#deadline.watermark(watermarks);
    const table = this.#table;
    if (this.#expiry.isBefore(watermark)) return true;
    const scratch = new Arena();
    const done = this.#expiry.takeStretches(watermark, (hashes, n) => {
      this.#dropDead(hashes, n, watermark, scratch);
    });
    scratch.release();
    table.settle();
    return done;
  }

  /** Forgets sessions that are dead of keys with these hashes, and keys with the last. */
  #dropDead(hashes: number, n: number, watermark: number, scratch: Arena): void {
    const table = this.#table;
    const { payloadOffset } = table;
    const { directory, mask } = table.place;
    const lost = scratch.alloc(4);
    const found = kernels.deadSessions(directory, mask, hashes, n, payloadOffset, this.#lag, watermark, lost);
    const staying = Math.floor(found / 4294967296);
    const empty = found - staying * 4294967296;
    this.#sessions -= U32[lost >>> 2];
    for (let i = hashes >>> 2, end = i + empty; i < end; i++) {
      const key = U32[i] + payloadOffset;
      if (hasRun(key)) this.#heap.free(U32[(key >>> 2) + RUN], runBytes(U32[(key >>> 2) + CAPACITY]));
    }
    table.removeAll(hashes, empty);
    if (staying > 0) this.#note(hashes + empty * 4, staying, scratch);
  }

  endTick(): void {
    this.#table.endTick();
  }

  state() {
    return { rows: this.#sessions, bytes: this.#table.bytes };
  }

  save(): SavedSessions {
    return { table: this.#table.save(), sessions: this.#sessions, expiry: this.#expiry.save() };
  }

  load(saved: Saved): void {
    const { table, sessions, expiry } = saved as SavedSessions;
    this.#table.load(table);
    this.#sessions = sessions;
    this.#expiry.load(expiry);
  }

  release(): void {
    this.#expiry.forget();
    this.#table.release();
    this.#sessions = 0;
  }
}

function runBytes(capacity: number): number {
  return RUN_HEAD + capacity * SESSION;
}

/** Whether a key has a run: then the second half of its first word is 0. */
function hasRun(key: number): boolean {
  return U32[key >>> 2] !== 0 && U32[(key >>> 2) + 1] === 0;
}
