/**
 * Does what the records of the log say, again and in order: the same statements with the same OIDs, the same ticks with the same numbers, clock,
 * input and watermarks. What was dropped later comes back in the catalog only, for the statements in between, and gets no rows.
 */
import { Arena } from '../../operators/batch/arena.ts';
import { Deltas } from '../../operators/deltas.ts';
import { SqlError } from '../../operators/errors.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { Inherited } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { keepPending } from '../runtime/change_at_commit.ts';
import { unpend } from '../runtime/drop_at_commit.ts';
import type { TidemarkEngine } from '../runtime/engine.ts';
import { localSession } from '../runtime/local_session.ts';
import { takeEffect } from '../runtime/take_effect.ts';
import type { RawBatch } from '../sources/source.ts';
import { RECORD } from './frame.ts';
import { readKeptRecords } from './kept_records.ts';
import { RangeFeed } from './range_feed.ts';
import {
  type DefinitionRecord,
  type DeliveredRecord,
  type FileRecord,
  type OpenedRecord,
  readFilled,
  readJson,
  readSequence,
  readTick,
  type SchemaRecord,
  type StayingRecord,
  type StreamInput,
} from './records.ts';
import type { PlacedFrame } from './segments.ts';
import type { Survey } from './survey.ts';

export class Replay {
  /** The clock of the record that is being repeated. */
  now = 0n;
  /** The clock that the statement which is being repeated gave rows values by. */
  clock = 0n;
  /** What the statement that is being repeated altered; 0: nothing. */
  altered = 0;
  /** The transaction that had made what the statement which is being repeated makes, and had not ended; undefined: everybody saw it. */
  open: number | undefined;
  /** The transaction whose alone it is what the statement which is being repeated has altered; undefined: that counted at once, or counts by now. */
  alone: number | undefined;
  /** What that which the statement makes has of what it replaced. */
  inherited: Inherited | undefined;
  /** What reads the view that the statement replaces goes on seeing the columns of before. */
  keeps = false;
  /** Identity of the sink that the statement which is being repeated made. */
  identity = '';
  readonly #engine: TidemarkEngine;
  readonly #survey: Survey;
  readonly #feed: RangeFeed;
  #greatestOid: number;

  constructor(engine: TidemarkEngine, survey: Survey) {
    this.#engine = engine;
    this.#survey = survey;
    this.#feed = new RangeFeed(survey);
    this.#greatestOid = engine.catalog.nextOid - 1;
  }

  /** True for what is dropped later in the log. */
  dropped(oid: number): boolean {
    return this.#survey.dropped.has(oid);
  }

  /** The last tick of the log. */
  get lastTick(): bigint {
    return this.#survey.end.tick;
  }

  /** The tick up to which a sink has written. */
  delivered(sink: number): bigint {
    return this.#survey.delivered.get(sink) ?? 0n;
  }

  /** Why a sink has stopped; null when it has not. */
  stopped(sink: number): string | null {
    return this.#survey.stopped.get(sink) ?? null;
  }

  async repeat(frame: PlacedFrame): Promise<void> {
    try {
      switch (frame.kind) {
        case RECORD.tick:
          await this.#tick(frame);
          return;
        case RECORD.definition:
          await this.define(readJson<DefinitionRecord>(frame.payload));
          this.#expect(this.#engine.loop.tick, frame);
          return;
        case RECORD.leaving:
        case RECORD.changing:
          await this.define(readJson<DefinitionRecord>(frame.payload));
          return;
        case RECORD.staying:
          this.#stay(readJson<StayingRecord>(frame.payload));
          return;
        case RECORD.filled:
          await this.#fill(frame);
          return;
        case RECORD.acknowledged: {
          const { oid, tick } = readJson<DeliveredRecord>(frame.payload);
          if (this.#engine.subscriptions.has(oid)) this.#engine.subscriptions.set(oid, BigInt(tick));
          return;
        }
        case RECORD.sequence: {
          const { oid, ...state } = readSequence(frame.payload);
          this.#engine.sequences.get(oid)?.load(state);
          return;
        }
        case RECORD.schema: {
          const { oid, id, schema } = readJson<SchemaRecord>(frame.payload);
          if (!this.dropped(oid)) this.#stream(oid).source.schemas?.add(id, schema);
          return;
        }
        case RECORD.file: {
          const { oid, number, file } = readJson<FileRecord>(frame.payload);
          if (!this.dropped(oid)) this.#stream(oid).source.files?.add(number, file);
          return;
        }
        case RECORD.opened:
          await this.#open(readJson<OpenedRecord>(frame.payload));
          return;
      }
    } catch (error) {
      throw atRecord(error, frame);
    }
  }

  #setClock(now: bigint): void {
    this.now = now;
    this.#engine.loop.now = now;
  }

  async #tick(frame: PlacedFrame): Promise<void> {
    const engine = this.#engine;
    const { loop } = engine;
    const record = readTick(frame.payload, loop.arena, (oid) => !this.dropped(oid) && loop.relations.has(oid));
    this.#setClock(record.now);
    this.#expect(loop.tick + 1n, frame);
    const inputs: StreamInput[] = record.streams.filter(({ oid }) => !this.dropped(oid));
    if (inputs.length === 0) {
      engine.publishRows(new Map(record.tables.map(({ oid, batch }) => [oid, batch])));
      // Nothing was connected for what goes later in the log.
      await Promise.all(takeEffect(engine, record).map((close) => close?.()));
      return;
    }
    const batches = await Promise.all(inputs.map((input) => this.#records(input)));
    const deltas = new Deltas();
    inputs.forEach((input, i) => {
      const delta = this.#stream(input.oid).repeat(input, batches[i], loop.arena, record.now);
      if (delta !== null) deltas.set(input.oid, delta);
    });
    engine.sourceTicks.publishInput(
      deltas,
      inputs.map((input) => this.#stream(input.oid)),
    );
    for (const input of inputs) this.#stream(input.oid).setWatermark(input);
  }

  /** Of each range. */
  async #records(input: StreamInput): Promise<RawBatch[][]> {
    if (input.kept === undefined) return this.#feed.read(this.#stream(input.oid).source, input);
    const kept = readKeptRecords(input.kept);
    if (kept.length !== input.ranges.length) throw new Error(`damaged record: ${kept.length} batches`);
    return kept.map((batch) => [batch]);
  }

  #stream(oid: number) {
    const stream = this.#engine.streams.get(oid);
    if (stream === undefined) throw new SqlError('XX001', `there is no stream with OID ${oid}`);
    return stream;
  }

  async #fill(frame: PlacedFrame): Promise<void> {
    const engine = this.#engine;
    const arena = new Arena();
    try {
      const { now, definition, rows } = readFilled(frame.payload, arena);
      await this.define({ ...definition, now: String(now) });
      this.#expect(engine.loop.tick + 1n, frame);
      const { made, altered = made } = definition;
      engine.publishRows(this.dropped(altered) ? new Map() : new Map([[altered, rows]]));
    } finally {
      arena.release();
    }
  }

  #leave({ now: _, ...record }: DefinitionRecord): void {
    const { going = [], open = 0, named, change, altered = 0 } = record;
    const { catalog, definitions } = this.#engine;
    this.#greatestOid = Math.max(this.#greatestOid, open);
    catalog.leave(going, open);
    if (named !== undefined) catalog.pend({ oid: altered, transaction: open, k: 'name', name: named });
    if (change !== undefined) catalog.pend({ ...change, oid: altered, transaction: open });
    definitions.add({ ...record, now: '0' }, named === undefined ? (record.reads ?? []) : [altered]);
  }

  #stay({ oids, transaction, names }: StayingRecord): void {
    const engine = this.#engine;
    unpend(engine, oids);
    if (transaction === undefined) return;
    const all = engine.catalog.pending.of(transaction);
    keepPending(
      engine,
      transaction,
      all.filter((_, i) => names?.includes(i)),
    );
  }

  async define(record: DefinitionRecord): Promise<void> {
    const engine = this.#engine;
    this.#setClock(BigInt(record.now));
    if (record.going !== undefined || record.named !== undefined || record.change !== undefined) {
      this.#leave(record);
      return;
    }
    this.clock = BigInt(record.clock ?? record.now);
    const session = sessionOf(engine, record);
    const [statement] = parse(record.sql);
    if (record.made !== 0) engine.catalog.setNextOid(record.made);
    this.#greatestOid = Math.max(this.#greatestOid, record.made);
    this.altered = record.altered ?? 0;
    this.open = record.open;
    this.alone = record.alters && record.open;
    this.#greatestOid = Math.max(this.#greatestOid, this.alone ?? 0);
    this.inherited = record.inherited;
    this.keeps = record.keeps === true;
    this.identity = record.identity ?? `${record.made}-${record.now}`;
    try {
      const prepared = engine.prepare(statement, [], session);
      await engine.execute(prepared, [], session, new AbortController().signal);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      throw new SqlError(error.sqlstate, `cannot do again: ${firstLine(record.sql)}: ${error.message}`, {
        ...error.fields,
        position: undefined,
      });
    } finally {
      session.transaction.rollback();
    }
    for (const [oid, last] of record.given ?? []) engine.sequences.get(oid)?.load({ last: BigInt(last), called: true });
    // The statement may have made more than one object: a table with the indexes of its constraints.
    this.#greatestOid = Math.max(this.#greatestOid, engine.catalog.nextOid - 1);
  }

  #expect(tick: bigint, frame: PlacedFrame): void {
    if (tick === frame.tick) return;
    throw new SqlError('XX001', `the record is of tick ${frame.tick}, but this is tick ${tick}`);
  }

  async #open(record: OpenedRecord): Promise<void> {
    if (this.dropped(record.oid)) return;
    const stream = this.#stream(record.oid);
    if (record.identity !== undefined) stream.source.expect?.(record.identity);
    stream.openAgain(new Map(record.offsets.map(([partition, offset]) => [partition, BigInt(offset)])));
    await this.#feed.checkThere(stream);
  }

  /** OIDs below this one were given before. */
  reached(nextOid: number): void {
    this.#greatestOid = Math.max(this.#greatestOid, nextOid - 1);
  }

  /** The log has ended: the next object gets an OID that nothing ever had. */
  finish(): void {
    this.#feed.close();
    this.#engine.catalog.forgetFormerLabels();
    this.#engine.catalog.setNextOid(this.#greatestOid + 1);
  }
}

/** A session with the settings that the statement was given under. */
function sessionOf(engine: TidemarkEngine, { settings }: DefinitionRecord): SessionContext {
  const byteaOutput = settings.byteaOutput === 'escape' ? 'escape' : 'hex';
  return localSession(engine, undefined, { ...settings, byteaOutput });
}

function firstLine(sql: string): string {
  const [line] = sql.trim().split('\n');
  return line.length < sql.trim().length ? `${line} ...` : line;
}

function atRecord(error: unknown, { file, offset, sequence, tick }: PlacedFrame): unknown {
  if (!(error instanceof SqlError)) return error;
  const where = `record ${sequence} (tick ${tick}; ${file}, byte ${offset})`;
  return new SqlError(error.sqlstate, error.message, {
    ...error.fields,
    detail: error.fields.detail === undefined ? `At ${where}.` : `${error.fields.detail} At ${where}.`,
  });
}
