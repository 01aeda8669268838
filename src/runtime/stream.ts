/**
 * A stream or keyed table that reads from a source: pulls raw batches, decodes the needed columns, refuses late rows, keeps the history of
 * ticks so that a view made later sees exactly what an earlier one saw.
 *
 *   raw batch -> rows + bad rows (error ledger) -> rows not older than the watermark + late rows (late ledger) -> the tick's delta
 *
 * Watermark of a partition = greatest time seen - delay; of the stream = least over partitions that are not idle (partitions.ts); it moves after the
 * tick, so what is late is decided by the watermark before the tick; the history keeps which records that were.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { BatchBuilder } from '../../operators/batch/builder.ts';
import { empty } from '../../operators/lists.ts';
import type { Undo } from '../../operators/state/undo.ts';
import { typeObjectOf } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { ConnectorSpec } from '../catalog/objects.ts';
import { keptRecords } from '../durable/kept_records.ts';
import type { OffsetRange, StreamInput } from '../durable/records.ts';
import type { BadRow, Decoder, PartialRow, TimeBounds } from '../formats/format.ts';
import type { RawBatch, Source } from '../sources/source.ts';
import { BadRecords } from './bad_records.ts';
import { eachRecord, lateColumns, rowsBefore, without } from './late_rows.ts';
import { type Look, Partitions } from './partitions.ts';
import { RecentRows } from './recent_rows.ts';
import type { SavedStream, StreamFacts, StreamStatistics } from './saved_stream.ts';
import { SourceStatus } from './source_status.ts';
import type { StoredRelation } from './stored_relation.ts';
import { StreamColumns } from './stream_columns.ts';
import { StreamHistory } from './stream_history.ts';
import { NO_BATCH, nothingPending, type Pending, Taken } from './taken.ts';
import { timeBounds } from './time_bounds.ts';
import { upsertDelta } from './upsert_delta.ts';

const NO_ROWS: number[] = [];

export class StreamRuntime {
  readonly oid: number;
  readonly relation: Relation;
  readonly spec: ConnectorSpec;
  readonly errors = new BadRecords();
  readonly late: RecentRows;
  /** Of streams only: a keyed table's rows are kept. */
  readonly history = new StreamHistory();
  readonly source: Source;
  /** Exact below 2^53. */
  readonly #counts = { rows: 0, bytes: 0, late: 0 };
  readonly #partitions = new Partitions();
  /** The same object at each look. */
  readonly #seen: Look = {
    end: (partition) => this.endOf(partition),
    pending: undefined,
    awakeMs: 0,
  };
  readonly #idleMs: number;
  /** A column has an enum type: what is no label may be one later. */
  readonly #labelled: boolean;
  /** True when a column's DEFAULT depends on the clock. */
  readonly #clocked: boolean;
  readonly columns: StreamColumns;
  /** Null, or the one that stays. */
  #pending: Pending | null = null;
  readonly #one = nothingPending();
  /** That which the next tick will have; null: no row had a time yet. */
  #watermark: bigint | null = null;
  /** What the tick has taken so far; it counts when the tick has passed. */
  readonly #took = new Taken();
  /** The clock of the tick. */
  #now = 0n;
  #rows = 0;
  /** Some of its values may be NULL. */
  #anyNull = false;
  /** Those of them that are behind the watermark. */
  #late: number[] = NO_ROWS;
  #again: RawBatch[] = [];
  /** Late rows of the tick, with the watermark that they were behind. */
  #refused: Batch | null = null;
  /** What the tick log has not been told yet, with the records where each comes once. */
  #taken: OffsetRange[] = [];
  #kept: RawBatch[] = [];
  #toldWatermark: bigint | null = null;
  /** The list of needed columns that the tick log was told last. */
  #toldColumns: number[] | null = null;
  #opened = false;
  /** While held (a backfill is about to end), nothing new is taken in. */
  held = false;
  /** A sink that is too far behind (sink_hold.ts): nothing new is taken in; null: none. */
  waitsFor: string | null = null;
  /** True while onReady is asked of the source. */
  listening = false;
  readonly status = new SourceStatus();

  constructor(oid: number, relation: Relation, spec: ConnectorSpec, source: Source) {
    this.oid = oid;
    this.relation = relation;
    this.spec = spec;
    this.source = source;
    this.#idleMs = Number(spec.options.idle_timeout_ms ?? 1000);
    this.#labelled = spec.decoder.columns.some(({ type }) => typeObjectOf(type) !== 0);
    this.#clocked = spec.decoder.columns.some((column) => column.default?.clocked);
    this.late = new RecentRows(lateColumns(relation).map((c) => c.type));
    const read = source.form === undefined ? spec : { ...spec, options: { format: source.form } };
    this.columns = new StreamColumns(relation, read, source.schemas);
  }

  get watermark(): bigint | null {
    return this.#watermark;
  }

  get statistics(): StreamStatistics {
    const { rows, bytes, late } = this.#counts;
    return { rows: BigInt(rows), bytes: BigInt(bytes), late: BigInt(late) };
  }

  /** Rows that were late, ever. */
  get lateCount(): bigint {
    return BigInt(this.#counts.late);
  }

  get opened(): boolean {
    return this.#opened;
  }

  partitionPositions(): Map<number, bigint> {
    return this.#partitions.positions();
  }

  /** Where the partition ends; undefined while nobody knows it: a broker or a registry is away. */
  endOf(partition: number): bigint | undefined {
    return this.status.of(null) === null ? this.source.highWatermark(partition) : undefined;
  }

  /** Starts reading at these offsets. */
  open(offsets: Map<number, bigint>): void {
    if (this.#opened) return;
    this.#opened = true;
    for (const [partition, offset] of offsets) this.#partitions.add(partition, offset);
    this.source.open(offsets);
  }

  /** A partition that appeared later is read from its first record. */
  addPartition(partition: number, earliest: bigint): void {
    if (!this.#opened || this.#partitions.has(partition)) return;
    this.#partitions.add(partition, earliest);
    this.source.open(new Map([[partition, earliest]]));
  }

  /** Nothing new is taken in now. */
  get waits(): boolean {
    return this.held || this.waitsFor !== null;
  }

  /** True when take() would give rows now. */
  ready(): boolean {
    // One that shares moments goes on with the others, with what it had polled already, too.
    if (this.waits || !this.#opened || this.source.moments?.held) return false;
    if (this.#pending === null) {
      const raw = (this.#again.length === 0 ? undefined : this.#again.shift()) ?? this.source.poll();
      if (raw !== null) this.#setPending(raw, 0);
    }
    return this.#pending !== null;
  }

  #setPending(raw: RawBatch, next: number): void {
    this.#one.raw = raw;
    this.#one.next = next;
    this.#pending = this.#one;
  }

  /**
   * Up to `maxRows` records of input as a delta of the tick at `now`, or null. The batch has holes where no column is needed. The tick then calls enter(),
   * and when it has passed accept(), else giveBack().
   */
  take(maxRows: number, arena: Arena, now: bigint): Batch | null {
    // Moments have admitted what belongs to the tick.
    let left = this.source.moments === undefined ? maxRows : Number.POSITIVE_INFINITY;
    const first = this.ready() ? (this.#pending as Pending) : null;
    // Columns for as many rows as are there lie close together: those of a small tick stay in the processor's cache from tick to tick.
    const builder = this.columns.tickBuilder(
      arena,
      first === null ? 1 : Math.max(1, Math.min(left, first.raw.n - first.next)),
    );
    this.#now = now;
    while (left > 0 && this.ready()) {
      const pending = this.#pending as Pending;
      const { raw } = pending;
      const from = pending.next;
      this.#took.addPolled(raw, from);
      const to = Math.min(raw.n, from + left);
      this.#consume(raw, from, to, builder, now);
      left -= Math.max(1, to - from);
      const start = from === 0 ? raw.baseOffset : BigInt(raw.offset[from]);
      const end = to === raw.n ? raw.nextOffset : BigInt(raw.offset[to]);
      this.#took.addRange(raw.partition, start, end, to - from);
      pending.next = to;
      if (to < raw.n) continue;
      pending.raw = NO_BATCH;
      this.#pending = null;
    }
    return this.#finish(builder, arena);
  }

  /** What was taken of the source has happened. */
  #advance(isLogged: boolean): void {
    const { history } = this;
    const counts = this.#counts;
    const isAppend = this.spec.envelope === 'append';
    history.mark(this.#watermark);
    for (let i = 0; i < this.#took.records.length; i++) {
      const { raw, bytes, least, greatest } = this.#took.records.at(i);
      counts.bytes += bytes;
      if (this.columns.time >= 0) this.#partitions.took(raw.partition, least, greatest);
    }
    for (let i = 0; i < this.#took.ranges.length; i++) {
      const range = this.#took.ranges.at(i);
      if (isLogged) this.#taken.push({ ...range });
      if (isAppend) history.add(range, this.#clocked ? this.#now : null);
      this.#partitions.of(range.partition).position = range.to;
    }
    if (this.source.moments !== undefined) this.#settle(isLogged);
    counts.rows += this.#rows;
    counts.late += this.#late.length;
    if (!isAppend || (this.#late.length === 0 && !this.#labelled)) return;
    const records = this.#took.records.list();
    const isBad = this.#labelled && records.some(({ bad }) => bad.length > 0);
    if (this.#late.length === 0 && !isBad) return;
    const refused = new Set(this.#late);
    const refuse = (partition: number, offset: number) => history.addRefused(partition, offset);
    eachRecord(
      records,
      (row, partition, offset) => {
        if (refused.has(row)) refuse(partition, offset);
      },
      isBad ? refuse : undefined,
    );
  }

  /** The records of a tick come no more. */
  #settle(isLogged: boolean): void {
    const batches = this.#took.records.list().map(({ raw }) => raw);
    if (isLogged) this.#kept.push(...batches);
    this.source.settle?.(batches.flatMap(({ place }) => place ?? []));
  }

  /** What the commands of a tick change in a keyed table. */
  follow(commands: Batch, stored: StoredRelation | undefined, arena: Arena): Batch {
    const refuse = ({ columns, raw, index }: PartialRow) => {
      const { name } = this.relation.columns[columns[0]];
      const reason = `the value of column "${name}" did not come with the change, and there is no row that has it`;
      this.#report(raw, [{ index, reason, sqlstate: '22004', column: name }]);
    };
    return upsertDelta(this.relation, commands, this.columns.partials, stored, refuse, arena);
  }

  /** The part of a tick that changes what is kept in memory: bad and late rows. */
  enter(arena: Arena, undo: Undo | null): void {
    if (undo !== null) {
      this.errors.keepIn(undo);
      if (this.#refused !== null) this.late.keepIn(undo);
    }
    this.errors.apply(arena);
    if (this.#refused !== null) this.late.apply(this.#refused);
  }

  /** The tick has passed. `isLogged`: takeRecord() will be asked. */
  accept(isLogged: boolean): void {
    this.#advance(isLogged);
    this.late.endTick();
    this.#took.release(this.#pending?.raw);
    this.#forgetTick();
    this.errors.endTick();
  }

  /** The tick was taken back: its records come again, and none of it has happened. */
  giveBack(): void {
    const [first, ...rest] = this.#took.polled.list();
    if (this.source.moments !== undefined) {
      this.#pending = null;
      this.source.moments.giveBack();
    } else if (first !== undefined) {
      this.#again.unshift(...rest.map(({ raw }) => raw));
      this.#setPending(first.raw, first.next);
    }
    this.errors.forget();
    this.#forgetTick();
  }

  #forgetTick(): void {
    this.#took.clear();
    empty(this.columns.partials);
    this.#rows = 0;
    this.#anyNull = false;
    this.#late = NO_ROWS;
    this.#refused = null;
  }

  /** What happened since the last call, for the tick log; null when nothing did. */
  takeRecord(): StreamInput | null {
    const ranges = this.#taken;
    const columns = this.columns.list;
    const sameColumns = columns === this.#toldColumns;
    const watermark = this.#watermark === this.#toldWatermark ? undefined : (this.#watermark ?? undefined);
    if (ranges.length === 0 && watermark === undefined) return null;
    if (ranges.length > 0) this.#taken = [];
    this.#toldColumns = columns;
    this.#toldWatermark = this.#watermark;
    const kept = this.#kept.length === 0 ? undefined : keptRecords(this.#kept.splice(0));
    return { oid: this.oid, ranges, watermark, columns: sameColumns ? undefined : [...columns], kept };
  }

  /** Does again what a tick did: `batches` are the records of the tick's ranges, in order. */
  repeat(input: StreamInput, batches: RawBatch[][], arena: Arena, now: bigint): Batch | null {
    if (input.columns !== undefined) this.columns.need(input.columns);
    const builder = this.columns.builder(
      arena,
      Math.max(
        1,
        batches.flat().reduce((n, raw) => n + raw.n, 0),
      ),
    );
    this.#now = now;
    input.ranges.forEach((range, i) => {
      for (const raw of batches[i]) this.#consume(raw, 0, raw.n, builder, now);
      this.#took.addRange(range.partition, range.from, range.to, range.records);
    });
    return this.#finish(builder, arena);
  }

  /** The rows of a tick that are not late. */
  #finish(builder: BatchBuilder, arena: Arena): Batch | null {
    if (builder.n === 0) return null;
    // As it is: what it has built shares its columns.
    const batch: Batch = builder;
    const watermark = this.#watermark;
    this.#rows = builder.n;
    const mayBeLate = watermark !== null && this.#took.hasBefore(watermark);
    this.#late = mayBeLate ? rowsBefore(batch.columns[this.columns.time], batch.n, watermark) : NO_ROWS;
    return this.#shaped(batch, this.#late, watermark, arena);
  }

  /** After a repeated tick: the watermark that it had then. */
  setWatermark(input: StreamInput): void {
    if (input.watermark !== undefined) this.#watermark = input.watermark;
    this.#taken = [];
    this.#kept = [];
    this.#toldColumns = this.columns.list;
    this.#toldWatermark = this.#watermark;
  }

  /** Begins where the log says; the source is told when the log has ended. */
  openAgain(offsets: Map<number, bigint>): void {
    this.#opened = true;
    for (const [partition, position] of offsets) this.#partitions.add(partition, position);
  }

  /** The log has ended: reading goes on where it stopped. */
  resume(): void {
    if (this.#opened) this.source.open(this.partitionPositions());
  }

  /** Between two ticks, when the tick log has been told everything. */
  save(): SavedStream {
    return { ...this.saveFacts(), errors: this.errors.save(), late: this.late.save() };
  }

  saveFacts(): StreamFacts {
    const { schemas, files, place } = this.source;
    return {
      opened: this.#opened,
      identity: this.source.identity ?? null,
      partitions: this.#partitions.save(),
      needed: [...this.columns.needed],
      watermark: this.#watermark,
      history: this.history.save(),
      statistics: this.statistics,
      errorCount: this.errors.count,
      ...(schemas === undefined ? {} : { schemas: schemas.save() }),
      ...(files === undefined ? {} : { files: files.save() }),
      ...(place === undefined ? {} : { place }),
    };
  }

  /** Into a stream that was not opened; resume() begins to read. */
  load(saved: SavedStream): void {
    this.loadFacts(saved);
    this.errors.load(saved.errors);
    this.late.load(saved.late);
  }

  loadFacts(saved: StreamFacts): void {
    this.#opened = saved.opened;
    if (saved.identity) this.source.expect?.(saved.identity);
    for (const { partition, maxTime, position } of saved.partitions) this.#partitions.add(partition, position, maxTime);
    this.columns.need(saved.needed);
    this.#watermark = saved.watermark;
    this.#toldWatermark = saved.watermark;
    this.history.load(saved.history);
    const { rows, bytes, late } = saved.statistics;
    Object.assign(this.#counts, { rows: Number(rows), bytes: Number(bytes), late: Number(late) });
    this.errors.count = saved.errorCount;
    this.source.schemas?.load(saved.schemas ?? []);
    this.source.files?.load(saved.files ?? []);
    if (saved.place) this.source.settle?.([saved.place]);
  }

  /** Decodes records. */
  #consume(raw: RawBatch, from: number, to: number, builder: BatchBuilder, now: bigint): void {
    const first = builder.n;
    const decoder = this.columns.decoder();
    const bad = decoder.decode(raw, from, to, builder, now);
    if (bad.length > 0) this.#report(raw, bad);
    if (decoder.anyNull) this.#anyNull = true;
    const record = this.#took.records.next();
    record.raw = raw;
    record.from = from;
    record.to = to;
    record.firstRow = first;
    record.bad = bad;
    record.bytes = decoder.bytes;
    const times = this.columns.time < 0 ? null : this.#timesOf(decoder, first, builder);
    record.least = times === null ? null : times.least;
    record.greatest = times === null ? null : times.greatest;
  }

  /** Bounds of the rows that were decoded last: the decoder may have seen them on the way. */
  #timesOf(decoder: Decoder, first: number, { columns, n, arena }: BatchBuilder): TimeBounds | null {
    const seen = decoder.times?.();
    return seen === undefined ? timeBounds(columns[this.columns.time], first, n, arena) : seen;
  }

  #report(raw: RawBatch, bad: BadRow[]): void {
    const topic = this.spec.options.topic ?? this.spec.options.table ?? this.relation.name;
    this.errors.report(topic, raw, bad, this.source.files);
  }

  /** No partition counts as silent so far. */
  forgetIdle(): void {
    this.#partitions.forgetIdle();
  }

  /** After a tick: the watermark takes in the times of the tick. Idle partitions (at their end for `idle_timeout`) do not hold it back. */
  moveWatermark(awakeMs: number): void {
    if (this.relation.watermark !== undefined) this.#watermark = this.#mark(awakeMs);
  }

  /** True when moveWatermark() would move it: time alone can, as partitions become idle. */
  watermarkMoves(awakeMs: number): boolean {
    return this.relation.watermark !== undefined && this.#opened && this.#mark(awakeMs) !== this.#watermark;
  }

  #mark(awakeMs: number): bigint | null {
    const { watermark: bound } = this.relation;
    const time = this.#partitions.time(this.#look(awakeMs), this.#idleMs);
    if (bound === undefined || time === null) return this.#watermark;
    const mark = time - bound.delay;
    return this.#watermark === null || mark > this.#watermark ? mark : this.#watermark;
  }

  #look(awakeMs: number): Look {
    this.#seen.pending = this.#pending?.raw.partition;
    this.#seen.awakeMs = awakeMs;
    return this.#seen;
  }

  /** Partitions that are ahead of others in event time wait for these, unless the rows of all are wanted. True when some wait. */
  align(awakeMs: number, wantsAll: boolean): boolean {
    if (this.relation.watermark === undefined || !this.#opened) return false;
    return this.#partitions.align(this.#look(awakeMs), this.source, wantsAll);
  }

  /** A tick's rows in the relation's shape; the late ones go to the ledger. */
  #shaped(batch: Batch, late: number[], watermark: bigint | null, arena: Arena): Batch {
    if (late.length === 0) return this.columns.placed(batch, this.#anyNull);
    const ledger = new BatchBuilder(this.late.types, arena, late.length);
    const width = this.relation.columns.length;
    for (const row of late) {
      const to = ledger.addRow(1);
      for (let c = 0; c < width; c++) {
        const from = this.columns.list.indexOf(c);
        if (from < 0) ledger.setNull(c, to);
        else ledger.copySlot(c, to, batch.columns[from], row);
      }
      ledger.setDatum(width, to, watermark);
    }
    this.#refused = ledger.build();
    return this.columns.placed(without(batch, late, arena), this.#anyNull);
  }

  async close(): Promise<void> {
    this.#pending?.raw.release?.();
    this.#pending = null;
    for (const raw of this.#again.splice(0)) raw.release?.();
    await this.source.close();
    this.columns.release();
    this.errors.release();
    this.late.release();
  }
}
