/**
 * ASOF join.      a ++ the last b of the same key with b.time <= a.time  (strict: <)          left: a without one is padded with NULLs
 *
 *   b:  ----b1--------b2------------b3---        changing b2 re-points only the a between b2 and b3
 *   a:  --a1---a2-a3-------a4-a5--------a6
 *
 * Several b of one time: the last in full row order, so that replay gives the same. At most one b for an a; the weight is a's.
 * Each tick, for every key whose b changed: the a from the least changed time to the first b after the greatest are shown as they were (-)
 * and as they are (+). O(log n) a changed row plus those a. State: both inputs in order of time within the key, without rows that can
 * have no partner (NULL key or time).
 *
 * With T the time before which neither side changes any more (the lesser of the watermarks): a before T have their last b and are forgotten; of
 * the b before T only the last of a key can still be one, for an a to come. So with watermarks on both times the state is the open end of
 * time and one b a key. The calendar (expiry.ts) holds the key's hash for every row.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, isValid, readDatum, weightOf } from './batch/builder.ts';
import { type RowCopy, rowCopy } from './batch/row_copy.ts';
import { readSlot } from './batch/slots.ts';
import type { Datum } from './datum.ts';
import { type Comparator, comparatorOf } from './expr/compare.ts';
import type { Operator, Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { consolidator } from './state/consolidate.ts';
import { Deadline, type Watermarks } from './state/deadline.ts';
import { Expiry } from './state/expiry.ts';
import { Heap } from './state/heap.ts';
import { OrderedRuns } from './state/ordered_runs.ts';
import { RowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import { type ColType, type Phys, physOf } from './types.ts';

type AsofSpec = PlanNode & { op: 'asof' };

interface Side {
  types: ColType[];
  keys: number[];
  time: number;
  runs: OrderedRuns;
  /** Offset of the run's head in a key's payload. */
  head: number;
  copy: RowCopy;
  consolidate: ReturnType<typeof consolidator>;
  /** When a row's time is behind all changes to come; null when no watermark tells. */
  deadline: Deadline | null;
}

/** Least and greatest changed time of a key's right rows. */
interface Range {
  least: Datum;
  greatest: Datum;
}

export class AsofJoinOperator implements Operator {
  readonly #spec: AsofSpec;
  readonly #heap = new Heap();
  readonly #table: RowTable;
  readonly #expiry: Expiry;
  readonly #left: Side;
  readonly #right: Side;
  readonly #compare: Comparator;
  readonly #timePhys: Phys;
  readonly #timeOid: number;
  readonly #consolidateOutput: ReturnType<typeof consolidator>;

  /** Key columns and time columns of the two inputs have the same types in pairs. */
  constructor(spec: AsofSpec, inputTypes: ColType[][]) {
    this.#spec = spec;
    this.#expiry = new Expiry(this.#heap);
    const side = (input: number, keys: number[], time: number): Side => {
      const types = inputTypes[input];
      const runs = new OrderedRuns(types, [{ col: time, desc: false, nullsFirst: false }], this.#heap);
      const frees = (spec.frees ?? []).filter((f) => f.input === input);
      return {
        types,
        keys,
        time,
        runs,
        head: input * OrderedRuns.HEAD,
        copy: rowCopy(types),
        consolidate: consolidator(types),
        deadline: frees.length === 0 ? null : new Deadline(runs.rows.layout, frees),
      };
    };
    this.#left = side(0, spec.leftKeys, spec.leftTime);
    this.#right = side(1, spec.rightKeys, spec.rightTime);
    const keyTypes = spec.leftKeys.map((k) => inputTypes[0][k]);
    this.#table = new RowTable(keyTypes, 2 * OrderedRuns.HEAD, 'sql', this.#heap);
    this.#timeOid = inputTypes[0][spec.leftTime].oid;
    this.#timePhys = physOf(this.#timeOid);
    this.#compare = comparatorOf(this.#timeOid);
    this.#consolidateOutput = consolidator(spec.types);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const left = this.#left.consolidate(inputs[0], tick.arena);
    const right = this.#right.consolidate(inputs[1], tick.arena);
    const out = new BatchBuilder(this.#spec.types, tick.arena, left.n + right.n);
    this.#table.begin(
      this.#left.keys.map((k) => left.columns[k]),
      left.n + right.n,
    );
    const leftSlots = this.#slots(this.#left, left);
    this.#table.bind(this.#right.keys.map((k) => right.columns[k]));
    const rightSlots = this.#slots(this.#right, right);
    const changed = this.#ranges(right, rightSlots);
    for (const [slot, range] of changed) this.#show(slot, range, -1, out);
    this.#add(this.#right, right, rightSlots);
    this.#add(this.#left, left, leftSlots);
    for (const [slot, range] of changed) this.#show(slot, range, 1, out);
    this.#showNew(left, leftSlots, changed, out);
    for (const slot of new Set([...leftSlots, ...rightSlots])) if (slot !== 0) this.#dropIfEmpty(slot);
    return this.#consolidateOutput(out.build(), tick.arena);
  }

  /** Key slot of every row of a bound delta; 0 for a row that can have no partner. */
  #slots(side: Side, delta: Batch): number[] {
    const slots: number[] = [];
    const columns = [...side.keys, side.time].map((c) => delta.columns[c]);
    for (let row = 0; row < delta.n; row++) {
      slots.push(columns.every((column) => isValid(column, row)) ? this.#table.findOrInsert(row) : 0);
    }
    return slots;
  }

  #ranges(right: Batch, slots: number[]): Map<number, Range> {
    const ranges = new Map<number, Range>();
    for (let row = 0; row < right.n; row++) {
      if (slots[row] === 0) continue;
      const time = readDatum(right.columns[this.#right.time], row);
      const range = ranges.get(slots[row]);
      if (range === undefined) ranges.set(slots[row], { least: time, greatest: time });
      else if (this.#compare(time, range.least) < 0) range.least = time;
      else if (this.#compare(time, range.greatest) > 0) range.greatest = time;
    }
    return ranges;
  }

  #add(side: Side, delta: Batch, slots: number[]): void {
    const { runs } = side;
    runs.bind(delta.columns);
    for (let row = 0; row < delta.n; row++) {
      if (slots[row] === 0) continue;
      const rows = runs.size;
      const position = runs.add(this.#head(side, slots[row]), row, weightOf(delta, row));
      if (runs.size > rows) this.#note(side, slots[row], position);
    }
    if (this.#expiry.isStale(this.#left.runs.size + this.#right.runs.size)) this.#noteAll();
  }

  #note(side: Side, slot: number, position: number): void {
    if (side.deadline === null) return;
    const row = side.runs.entry(this.#head(side, slot), position) + side.runs.rowOffset;
    this.#expiry.add(side.deadline.of(row), this.#table.hashOf(slot));
  }

  #noteAll(): void {
    this.#expiry.clear();
    this.#table.forEach((slot) => {
      for (const side of [this.#left, this.#right])
        for (let i = side.runs.count(this.#head(side, slot)) - 1; i >= 0; i--) this.#note(side, slot, i);
    });
  }

  free(watermarks: Watermarks): boolean {
    const left = this.#left.deadline;
    const right = this.#right.deadline;
    if (left === null || right === null) return true;
    const watermark = Math.min(left.watermark(watermarks), right.watermark(watermarks));
    return this.#expiry.take(watermark, (hash) => {
      this.#table.forEachOfHash(hash, (slot) => {
        const leftHead = this.#head(this.#left, slot);
        this.#left.runs.dropFirst(
          leftHead,
          this.#left.runs.prefix(leftHead, (row) => left.of(row) < watermark),
        );
        const rightHead = this.#head(this.#right, slot);
        const past = this.#right.runs.prefix(rightHead, (row) => right.of(row) < watermark);
        this.#right.runs.dropFirst(rightHead, Math.max(0, past - 1));
        this.#dropIfEmpty(slot);
      });
    });
  }

  #head(side: Side, slot: number): number {
    return slot + this.#table.payloadOffset + side.head;
  }

  #timeOf(side: Side, head: number, i: number): Datum {
    const row = side.runs.entry(head, i) + side.runs.rowOffset;
    return readSlot(this.#timePhys, this.#timeOid, row + side.runs.rows.layout.offsets[side.time]);
  }

  /** First position whose time is after `time`, or (`orAt`) at it or after. */
  #firstAfter(side: Side, head: number, time: Datum, orAt: boolean): number {
    let low = 0;
    let high = side.runs.count(head);
    while (low < high) {
      const mid = (low + high) >>> 1;
      const c = this.#compare(this.#timeOf(side, head, mid), time);
      if (c < 0 || (c === 0 && !orAt)) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** The left times from `least` to the first right time after `greatest`, which is the same before and after the change. */
  #lastAffected(slot: number, range: Range): Datum {
    const head = this.#head(this.#right, slot);
    const next = this.#firstAfter(this.#right, head, range.greatest, false);
    return next < this.#right.runs.count(head) ? this.#timeOf(this.#right, head, next) : null;
  }

  #isAffected(time: Datum, range: Range, last: Datum): boolean {
    return this.#compare(time, range.least) >= 0 && (last === null || this.#compare(time, last) <= 0);
  }

  #show(slot: number, range: Range, sign: 1 | -1, out: BatchBuilder): void {
    const { runs, types } = this.#left;
    const head = this.#head(this.#left, slot);
    const last = this.#lastAffected(slot, range);
    const count = runs.count(head);
    for (let i = this.#firstAfter(this.#left, head, range.least, true); i < count; i++) {
      const time = this.#timeOf(this.#left, head, i);
      if (!this.#isAffected(time, range, last)) break;
      const entry = runs.entry(head, i);
      const partner = this.#partner(slot, time);
      if (partner === 0 && !this.#spec.left) continue;
      const row = out.addRow(sign * runs.weight(entry));
      runs.rows.load(entry + runs.rowOffset, out.columns.slice(0, types.length), row);
      this.#writePartner(partner, out, row);
    }
  }

  /** Left rows of the delta that no change of the right side reaches. */
  #showNew(left: Batch, slots: number[], changed: Map<number, Range>, out: BatchBuilder): void {
    const own = out.columns.slice(0, this.#left.types.length);
    this.#left.copy.bind(left.columns);
    for (let row = 0; row < left.n; row++) {
      const weight = weightOf(left, row);
      const slot = slots[row];
      let partner = 0;
      if (slot !== 0) {
        const time = readDatum(left.columns[this.#left.time], row);
        const range = changed.get(slot);
        if (range !== undefined && this.#isAffected(time, range, this.#lastAffected(slot, range))) continue;
        partner = this.#partner(slot, time);
      }
      if (weight === 0 || (partner === 0 && !this.#spec.left)) continue;
      const to = out.addRow(weight);
      this.#left.copy.copy(row, own, to);
      this.#writePartner(partner, out, to);
    }
  }

  /** Address of the right row for a left time, or 0. */
  #partner(slot: number, time: Datum): number {
    const head = this.#head(this.#right, slot);
    const after = this.#firstAfter(this.#right, head, time, this.#spec.strict);
    return after === 0 ? 0 : this.#right.runs.entry(head, after - 1) + this.#right.runs.rowOffset;
  }

  #writePartner(address: number, out: BatchBuilder, row: number): void {
    const from = this.#left.types.length;
    if (address !== 0) this.#right.runs.rows.load(address, out.columns.slice(from), row);
    else for (let c = 0; c < this.#right.types.length; c++) out.setNull(from + c, row);
  }

  #dropIfEmpty(slot: number): void {
    const isEmpty = (side: Side) => side.runs.count(this.#head(side, slot)) === 0;
    if (isEmpty(this.#left) && isEmpty(this.#right)) this.#table.remove(slot);
  }

  endTick(): void {
    this.#heap.endTick();
  }

  state() {
    return { rows: this.#left.runs.size + this.#right.runs.size, bytes: this.#heap.liveBytes };
  }

  save() {
    return {
      table: this.#table.save(),
      left: this.#left.runs.save(),
      right: this.#right.runs.save(),
      expiry: this.#expiry.save(),
    };
  }

  load(saved: Saved): void {
    const { table, left, right, expiry } = saved as ReturnType<typeof this.save>;
    this.#table.load(table);
    this.#left.runs.load(left);
    this.#right.runs.load(right);
    this.#expiry.load(expiry);
  }

  release(): void {
    this.#expiry.forget();
    this.#table.release();
  }
}
