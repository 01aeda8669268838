/**
 * Session windows of input that never retracts, read by its key, start and end only: one row a session, whose weight is the number of its rows.
 *
 *   sessions of a key:    [first .. last] x 7      [first .. last] x 2          more than the gap apart
 *   a row                 is a session of its own, or joins one, or joins two into one
 *
 * What session.ts does is what this gives after its rows are added up: so an aggregate above reads two rows a changed session and not all of its rows.
 * A row whose time is NULL or infinite belongs to no session and is left out.
 * State: 32 bytes a session, none for a row (kernels/assembly/sessions.ts). O(1) a row in order of time; O(sessions of the key) for one far behind.
 * A session that no row to come can reach is forgotten. The calendar has one entry a key, for its earliest session; it is made anew when that one went.
 */
import type { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { BatchBuilder } from './batch/builder.ts';
import { F64, I32, I64, U8, U32 } from './batch/memory.ts';
import { kernels } from './kernels/index.ts';
import type { Operator, Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { Deadline, type Watermarks } from './state/deadline.ts';
import { Expiry, type SavedExpiry } from './state/expiry.ts';
import { Heap } from './state/heap.ts';
import { placesOf, rowLayout } from './state/row_layout.ts';
import { RowTable, type SavedRowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import { touchLarge, touchRange } from './state/write_marks.ts';
import type { ColType } from './types.ts';

type SessionSpec = PlanNode & { op: 'session' };

/** Words of a key's bytes; bytes of a session and of one that is shown; offset of a session's last time. As the kernel has them. */
const RUN = 0;
const COUNT = 1;
const CAPACITY = 2;
const HEAD = 16;
const SESSION = 32;
const LAST = 8;
const SHOWN = 24;

type SavedSessions = { table: SavedRowTable; sessions: number; expiry: SavedExpiry };

export class MergedSessionOperator implements Operator {
  readonly #spec: SessionSpec;
  readonly #heap = new Heap();
  readonly #table: RowTable;
  readonly #deadline: Deadline | null;
  readonly #expiry: Expiry;
  #sessions = 0;

  constructor(spec: SessionSpec, inputTypes: ColType[]) {
    this.#spec = spec;
    this.#table = new RowTable(
      spec.keys.map((k) => inputTypes[k]),
      HEAD,
      'sql',
      this.#heap,
    );
    this.#expiry = new Expiry(this.#heap);
    this.#deadline =
      spec.frees === undefined || spec.frees.length === 0
        ? null
        : new Deadline(rowLayout([inputTypes[spec.time]]), spec.frees, () => 0);
  }

  step(inputs: Batch[], { arena }: Tick): Batch {
    const [delta] = inputs;
    const { n } = delta;
    const table = this.#table;
    const { payloadOffset } = table;
    const time = delta.columns[this.#spec.time];
    const weights = this.#timed(delta, arena);
    table.begin(
      this.#spec.keys.map((k) => delta.columns[k]),
      n,
    );
    const { slots, fresh, made } = table.findOrInsertAll({ n, weights, skipNulls: false }, arena);
    for (let i = 0; i < made; i++) this.#grow(U32[slots + U32[fresh + i]]);
    const old = arena.alloc(n * 2 * SHOWN);
    const touched = arena.alloc(n * 4);
    const counts = arena.allocZeroed(8);
    const add = (row: number): number =>
      kernels.addToSessions(slots * 4, time.data, weights, row, n, payloadOffset, this.#spec.gap, old, touched, counts);
    for (let row = add(0); row < n; row = add(row)) this.#grow(U32[slots + row]);
    const [olds, keys] = [U32[counts >>> 2], U32[(counts >>> 2) + 1]];
    const now = arena.alloc(n * SHOWN);
    const news = kernels.changedSessions(touched, keys, payloadOffset, now);
    this.#sessions += news - olds;
    if (this.#deadline !== null) for (let i = 0; i < made; i++) this.#note(U32[slots + U32[fresh + i]], this.#deadline);
    const out = new BatchBuilder(this.#spec.types, arena, olds + news);
    this.#show(old, olds, -1, out);
    this.#show(now, news, 1, out);
    return out.build();
  }

  /** The delta's weights, 0 for rows that are in no session; byte address. */
  #timed(delta: Batch, arena: Arena): number {
    const time = delta.columns[this.#spec.time];
    const weights = arena.alloc(delta.n * 4);
    for (let row = 0; row < delta.n; row++) {
      const word = (time.data >>> 2) + row * 2;
      const isNull = time.valid !== 0 && U8[time.valid + row] === 0;
      // The infinite times are the least and the greatest int64.
      const high = I32[word + 1];
      const mayBeInfinite = (high === 0x7fffffff && I32[word] === -1) || (high === -0x80000000 && I32[word] === 0);
      I32[(weights >>> 2) + row] = isNull || mayBeInfinite ? 0 : I32[(delta.weights >>> 2) + row];
    }
    return weights;
  }

  /** Room for more sessions of a key. */
  #grow(slot: number): void {
    const head = (slot + this.#table.payloadOffset) >>> 2;
    const run = U32[head + RUN];
    const capacity = U32[head + CAPACITY];
    const wanted = Math.max(1, capacity * 2);
    const bigger = this.#heap.alloc(wanted * SESSION);
    if (capacity > 0) {
      kernels.copyBytes(bigger, run, capacity * SESSION);
      this.#heap.free(run, capacity * SESSION);
    }
    U32[head + RUN] = bigger;
    U32[head + CAPACITY] = wanted;
  }

  /** Notes when the earliest session of a key is dead. */
  #note(slot: number, deadline: Deadline): void {
    this.#expiry.add(
      this.#deadlineOf(U32[((slot + this.#table.payloadOffset) >>> 2) + RUN], deadline),
      this.#table.hashOf(slot),
    );
  }

  #deadlineOf(session: number, deadline: Deadline): number {
    return deadline.ofTime(session + LAST);
  }

  /** Adds the n sessions of a list, with `sign`. */
  #show(list: number, n: number, sign: 1 | -1, out: BatchBuilder): void {
    const { spec, table } = { spec: this.#spec, table: this.#table };
    const first = out.addRows(n, 1);
    const slots = out.arena.alloc(n * 4) >>> 2;
    const width = spec.types.length - 2;
    const [time, start, end] = [spec.time, width, width + 1].map((c) => out.columns[c]);
    for (let i = 0; i < n; i++) {
      const at = (list + i * SHOWN) >>> 2;
      const row = first + i;
      U32[slots + i] = U32[at];
      I32[(out.weights >>> 2) + row] = sign * I32[at + 1];
      I64[time.data / 8 + row] = I64[at / 2 + 1];
      I64[start.data / 8 + row] = I64[at / 2 + 1];
      I64[end.data / 8 + row] = I64[at / 2 + 2] + spec.gap;
      U8[time.valid + row] = 1;
      U8[start.valid + row] = 1;
      U8[end.valid + row] = 1;
    }
    const places = placesOf(table.ops.layout);
    for (let c = 0; c < width; c++) {
      if (c === spec.time) continue;
      const { offset, width: bytes, flag } = places[spec.keys.indexOf(c)];
      const { data, valid } = out.columns[c];
      const { rowOffset } = table;
      kernels.loadColumn(
        slots * 4,
        n,
        rowOffset + offset,
        bytes,
        rowOffset + flag,
        data + first * bytes,
        valid + first,
      );
    }
  }

  integral({ arena }: Tick): Batch {
    const list = arena.alloc(this.#sessions * SHOWN);
    let n = 0;
    this.#table.forEach((slot) => {
      const head = (slot + this.#table.payloadOffset) >>> 2;
      for (let s = 0; s < U32[head + COUNT]; s++) {
        const from = U32[head + RUN] + s * SESSION;
        const to = list + n++ * SHOWN;
        U32[to >>> 2] = slot;
        I32[(to >>> 2) + 1] = F64[from / 8 + 2];
        I64[to / 8 + 1] = I64[from / 8];
        I64[to / 8 + 2] = I64[from / 8 + 1];
      }
    });
    const out = new BatchBuilder(this.#spec.types, arena, n);
    this.#show(list, n, 1, out);
    return out.build();
  }

  free(watermarks: Watermarks): boolean {
    const deadline = this.#deadline;
    if (deadline === null) return true;
    const watermark = deadline.watermark(watermarks);
    return this.#expiry.takeStretches(watermark, (hashes, n) => {
      this.#table.forEachOfHashes(hashes, n, (slot) => this.#dropDead(slot, watermark, deadline));
    });
  }

  /** Forgets the first sessions of a key, those that are dead; the key with the last. */
  #dropDead(slot: number, watermark: number, deadline: Deadline): void {
    const head = (slot + this.#table.payloadOffset) >>> 2;
    const run = U32[head + RUN];
    const count = U32[head + COUNT];
    let dead = 0;
    while (dead < count && this.#deadlineOf(run + dead * SESSION, deadline) < watermark) dead++;
    this.#sessions -= dead;
    if (dead === count) {
      this.#heap.free(run, U32[head + CAPACITY] * SESSION);
      this.#table.remove(slot);
      return;
    }
    if (dead > 0) {
      touchLarge(run, count * SESSION);
      kernels.copyBytes(run, run + dead * SESSION, (count - dead) * SESSION);
      touchRange(head * 4, HEAD);
      U32[head + COUNT] = count - dead;
    }
    this.#note(slot, deadline);
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
