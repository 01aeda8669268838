/**
 * A Kafka topic as a source.
 *
 *   supervise: connect, metadata --leaders--> one fetch at a time for each leader, with all its partitions that have room
 *   response:  next offsets from the batch headers -> the leader's next fetch goes out -> records are located, a piece at a time (record_set.ts) -> queue
 *   poll():    takes from the queue; room in the buffer starts the next fetch, and lets the partition's next piece be read
 *
 * The bytes fetched and not polled are bounded by buffer_bytes (plus what is in flight); a paused or full partition is not fetched.
 * Any failure of a connection ends in supervise(): tries again for ever with pauses up to 5 s, from fresh connections after a few tries.
 */
import { setImmediate as immediately, setTimeout as sleep } from 'node:timers/promises';
import { OutOfMemory } from '../../../operators/errors.ts';
import { buffers } from '../../kafka/buffers.ts';
import type { Log } from '../../kafka/client.ts';
import { KAFKA, kafkaSqlError, protocolError } from '../../kafka/errors.ts';
import type { FetchedPartition } from '../../kafka/fetch.ts';
import { askLeaders } from '../../kafka/leaders.ts';
import { CorruptBatch, endOfRecordSet } from '../../kafka/record_batch.ts';
import { RecordSetReader } from '../../kafka/record_set.ts';
import { Arrivals } from '../arrivals.ts';
import type { RawBatch, Source, SourceEvent, StartPosition } from '../source.ts';
import { checkStart } from './check.ts';
import { TopicConnection, TopicIdentity } from './connection.ts';
import type { KafkaSourceOptions } from './options.ts';
import { RangeReader } from './range.ts';
import { FIRST_PAUSE_MS, pauseAfter, Troubles } from './troubles.ts';

const MEMORY_PAUSE_MS = 1000;
const TRIES_BEFORE_RESET = 3;
/** A piece of a record set is to have about so many bytes unpacked: small ones are still in the processor's cache when they are read. */
const PIECE_BYTES = 2 << 20;
/** Pieces of a partition that are read before the engine asks for them. */
const PIECES_AHEAD = 2;

interface PartitionState {
  partition: number;
  /** Changes when the partition is moved, so that what was fetched before is known as old. */
  epoch: number;
  leader: number;
  fetchOffset: bigint;
  position: bigint;
  end: bigint | undefined;
  paused: boolean;
  /** Stands still until open() moves it: offset out of range or corrupt. */
  stopped: boolean;
  /** Not fetched for a while: the broker answers with an error. */
  resting: boolean;
  buffered: number;
  /** Pieces in the queue. */
  pieces: number;
  /** Record sets are read one after the other. */
  reading: Promise<void>;
  /** Lets the reading go on that waits for a piece to be taken. */
  goOn: (() => void) | null;
}

/** What it asks of its topic. */
export type Connection = Pick<TopicConnection, 'refresh' | 'leaders' | 'offsets' | 'fetch' | 'reset'>;

interface Queued {
  batch: RawBatch;
  state: PartitionState;
  bytes: number;
}

export class KafkaSource implements Source {
  readonly #options: KafkaSourceOptions;
  readonly #log: Log;
  readonly #identity = new TopicIdentity();
  readonly #connection: Connection;
  readonly #ranges: RangeReader;
  readonly #partitions = new Map<number, PartitionState>();
  /** Partitions that an event has told of or open() has named. */
  readonly #known = new Set<number>();
  readonly #fetching = new Set<number>();
  readonly #closing = new AbortController();
  #queue: Queued[] = [];
  readonly #arrivals = new Arrivals();
  #buffered = 0;
  #up = false;
  #supervising: Promise<void> | null = null;
  readonly #troubles: Troubles;
  #metadataTimer: NodeJS.Timeout | null = null;

  constructor(options: KafkaSourceOptions, log: Log, connection?: Connection) {
    this.#options = options;
    this.#log = log;
    this.#connection = connection ?? new TopicConnection(options, log, this.#identity);
    this.#ranges = new RangeReader(options, log, this.#identity);
    this.#troubles = new Troubles(options, this.#arrivals);
  }

  get identity(): string | null {
    return this.#identity.id;
  }

  expect(identity: string): void {
    this.#identity.expect(identity);
  }

  async partitions(): Promise<number[]> {
    return this.#asking(async () => {
      const found = [...this.#connection.leaders().keys()];
      for (const partition of found) this.#known.add(partition);
      return found;
    });
  }

  async startOffsets(start: StartPosition): Promise<Map<number, bigint>> {
    return this.#asking(async () => {
      const found = [...this.#connection.leaders().keys()];
      checkStart(start, found);
      for (const partition of found) this.#known.add(partition);
      if (start.k === 'timestamp') return this.#connection.offsets(found, start.ms);
      const offsets = await this.#connection.offsets(found, start.k === 'latest' ? 'latest' : 'earliest');
      if (start.k === 'at') for (const [partition, offset] of start.offsets) offsets.set(partition, offset);
      return offsets;
    });
  }

  /** Runs a question over fresh metadata; its failure is the caller's, as an SqlError. */
  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await askLeaders(() => this.#connection.refresh(), ask);
    } catch (error) {
      throw kafkaSqlError(error, this.#options.cluster.brokers, this.#options.topic);
    }
  }

  open(offsets: Map<number, bigint>): void {
    for (const [partition, offset] of offsets) {
      const before = this.#partitions.get(partition);
      if (before !== undefined) this.#forget(before);
      this.#known.add(partition);
      this.#partitions.set(partition, {
        partition,
        epoch: 0,
        leader: before?.leader ?? -1,
        fetchOffset: offset,
        position: offset,
        end: undefined,
        paused: before?.paused ?? false,
        stopped: false,
        resting: false,
        buffered: 0,
        pieces: 0,
        reading: Promise.resolve(),
        goOn: null,
      });
    }
    if (this.#up) {
      this.#takeLeaders();
      this.#pump();
    } else this.#supervise(0);
  }

  /** Drops what is buffered of a partition that moves. */
  #forget(state: PartitionState): void {
    state.epoch++;
    for (const queued of this.#queue) if (queued.state === state) queued.batch.release?.();
    this.#queue = this.#queue.filter((queued) => queued.state !== state);
    this.#buffered -= state.buffered;
    state.buffered = 0;
    state.pieces = 0;
    state.goOn?.();
  }

  /** Brings the connection up after a pause and keeps trying. */
  #supervise(pauseMs: number): void {
    this.#up = false;
    this.#supervising ??= this.#bringUp(pauseMs).finally(() => {
      this.#supervising = null;
      if (!this.#up && !this.#closing.signal.aborted) this.#supervise(0);
    });
  }

  async #bringUp(pauseMs: number): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#connection.refresh();
        this.#up = true;
        this.#troubles.clusterAnswers();
        this.#takeLeaders();
        this.#pollMetadata();
        // Outside this promise: a fetch that fails at once must find #supervising free.
        void immediately().then(() => this.#pump());
        return;
      } catch (error) {
        failures++;
        this.#troubles.clusterFailed(error);
        if (failures % TRIES_BEFORE_RESET === 0) await this.#reset();
        pauseMs = pauseAfter(failures) * (0.8 + Math.random() * 0.4);
      }
    }
  }

  async #reset(): Promise<void> {
    try {
      await this.#connection.reset();
    } catch (error) {
      this.#log('info', `kafka: closing old connections: ${String(error)}`);
    }
  }

  #takeLeaders(): void {
    const added: number[] = [];
    for (const [partition, leader] of this.#connection.leaders()) {
      const state = this.#partitions.get(partition);
      if (state !== undefined) state.leader = leader;
      if (!this.#known.has(partition)) added.push(partition);
    }
    if (added.length > 0) void this.#tellAdded(added);
  }

  /** A new partition may have lost its first records already, so the event says where it starts. */
  async #tellAdded(partitions: number[]): Promise<void> {
    for (const partition of partitions) this.#known.add(partition);
    try {
      const earliest = await this.#connection.offsets(partitions, 'earliest');
      for (const partition of partitions) {
        this.#arrivals.tell({ kind: 'partition_added', partition, earliest: earliest.get(partition) ?? 0n });
      }
    } catch (error) {
      // Found again by the next look at the metadata.
      for (const partition of partitions) this.#known.delete(partition);
      this.#log('info', `kafka: start of new partitions: ${String(error)}`);
    }
  }

  #pollMetadata(): void {
    if (this.#metadataTimer !== null) clearTimeout(this.#metadataTimer);
    this.#metadataTimer = setTimeout(async () => {
      this.#metadataTimer = null;
      if (!this.#up) return;
      try {
        await this.#connection.refresh();
        if (this.#closing.signal.aborted || !this.#up) return;
        this.#takeLeaders();
        this.#pollMetadata();
        this.#pump();
      } catch {
        this.#supervise(0);
      }
    }, this.#options.metadataAgeMs);
  }

  /** Starts a fetch for every leader that has none under way and partitions with room. */
  #pump(): void {
    if (!this.#up || this.#closing.signal.aborted || this.#buffered >= this.#options.bufferBytes) return;
    const share = Math.max(1, this.#options.bufferBytes / this.#partitions.size);
    const byLeader = new Map<number, PartitionState[]>();
    for (const state of this.#partitions.values()) {
      if (state.stopped || state.resting || state.paused || state.buffered >= share) continue;
      if (this.#fetching.has(state.leader)) continue;
      if (state.leader < 0) {
        this.#supervise(FIRST_PAUSE_MS);
        return;
      }
      const states = byLeader.get(state.leader);
      if (states === undefined) byLeader.set(state.leader, [state]);
      else states.push(state);
    }
    for (const [leader, states] of byLeader) void this.#fetch(leader, states);
  }

  async #fetch(leader: number, states: PartitionState[]): Promise<void> {
    this.#fetching.add(leader);
    const asked = states.map((state) => ({ state, epoch: state.epoch, offset: state.fetchOffset }));
    const wanted = states.map((state) => ({
      partition: state.partition,
      offset: state.fetchOffset,
      maxBytes: this.#options.fetchPartitionBytes,
    }));
    try {
      for (const fetched of await this.#connection.fetch(leader, wanted, this.#options.fetchWaitMs)) {
        const ask = asked.find(({ state }) => state.partition === fetched.partition);
        // Of a leader that moves, the old one and the new one may both answer.
        const isNext = ask !== undefined && ask.epoch === ask.state.epoch && ask.offset === ask.state.fetchOffset;
        if (isNext) this.#take(fetched, ask.state, ask.offset);
      }
      this.#rotate(states);
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        this.#log('info', `kafka: fetch failed: ${String(error)}`);
        const times = Math.max(...states.map(({ partition }) => this.#troubles.partitionFailed(partition, error)));
        // An answer that is lost is asked for again at once.
        this.#supervise(times === 1 ? 0 : pauseAfter(times - 1));
      }
    } finally {
      this.#fetching.delete(leader);
      this.#pump();
    }
  }

  /** Partitions that came first in a full response come last in the next request. */
  #rotate(states: PartitionState[]): void {
    const first = states[0];
    if (states.length < 2 || this.#partitions.get(first.partition) !== first) return;
    this.#partitions.delete(first.partition);
    this.#partitions.set(first.partition, first);
  }

  #take(fetched: FetchedPartition, state: PartitionState, from: bigint): void {
    const { errorCode } = fetched;
    if (errorCode !== KAFKA.none && errorCode !== KAFKA.offsetOutOfRange) {
      void this.#rest(state, protocolError(errorCode));
      return;
    }
    this.#troubles.partitionAnswers(state.partition);
    if (errorCode === KAFKA.offsetOutOfRange) {
      state.stopped = true;
      void this.#outOfRange(state, from);
      return;
    }
    const end = this.#options.committedOnly ? fetched.lastStableOffset : fetched.highWatermark;
    const grew = state.end !== end;
    state.end = end;
    const next = endOfRecordSet(fetched.records, from);
    if (next > from) {
      const { epoch } = state;
      const bytes = fetched.records.length;
      state.fetchOffset = next;
      state.buffered += bytes;
      this.#buffered += bytes;
      state.reading = state.reading.then(() => this.#read(fetched, state, epoch, from, next));
    } else if (grew) this.#arrivals.ready();
  }

  /** The broker has no records of one partition to give now; the others go on. Perhaps another leads it by now. */
  async #rest(state: PartitionState, error: unknown): Promise<void> {
    state.resting = true;
    const { signal } = this.#closing;
    await sleep(pauseAfter(this.#troubles.partitionFailed(state.partition, error)), undefined, { signal }).catch(
      () => undefined,
    );
    state.resting = false;
    if (!signal.aborted) this.#supervise(0);
  }

  /** Reads fetched records from .. to, as they are taken. */
  async #read(
    fetched: FetchedPartition,
    state: PartitionState,
    epoch: number,
    from: bigint,
    to: bigint,
  ): Promise<void> {
    // The leader's next request is written first, so that the broker works while this thread reads.
    await immediately();
    if (epoch !== state.epoch) return;
    const { partition } = state;
    const aborted = this.#options.committedOnly ? fetched.aborted : [];
    const reader = new RecordSetReader(partition, fetched.records, from, aborted, this.#options.checkCrc, buffers);
    for (;;) {
      let batch: RawBatch | null;
      try {
        batch = await reader.next(PIECE_BYTES);
      } catch (error) {
        if (!(error instanceof OutOfMemory)) return this.#corrupt(state, epoch, from, error);
        // Nothing is wrong with the records: those that are left are fetched again.
        this.#log('error', `kafka: partition ${partition} waits for memory`);
        await sleep(MEMORY_PAUSE_MS, undefined, { signal: this.#closing.signal }).catch(() => undefined);
        batch = null;
      }
      if (epoch !== state.epoch) {
        batch?.release?.();
        return;
      }
      if (batch === null) break;
      this.#put(batch, state);
      this.#arrivals.ready();
      if (reader.position >= to) break;
      if (state.pieces >= PIECES_AHEAD) await new Promise<void>((goOn) => (state.goOn = goOn));
      else await immediately();
      if (epoch !== state.epoch) return;
    }
    const { length } = fetched.records;
    state.buffered -= length;
    this.#buffered -= length;
    // A later batch of the set can't be read: fetched again, it comes first and is reported.
    if (reader.position < to) this.#fetchAgain(state, reader.position);
    this.#pump();
  }

  #put(batch: RawBatch, state: PartitionState): void {
    const bytes = batch.bytes.length;
    state.pieces++;
    state.buffered += bytes;
    this.#buffered += bytes;
    this.#queue.push({ batch, state, bytes });
  }

  /** What was fetched and not read is dropped; what is in the queue stays. */
  #fetchAgain(state: PartitionState, from: bigint): void {
    state.epoch++;
    state.fetchOffset = from;
    const held = this.#queue.reduce((sum, queued) => sum + (queued.state === state ? queued.bytes : 0), 0);
    this.#buffered += held - state.buffered;
    state.buffered = held;
  }

  #corrupt(state: PartitionState, epoch: number, from: bigint, error: unknown): void {
    if (epoch !== state.epoch) return;
    // What came before it is good.
    this.#fetchAgain(state, from);
    state.stopped = true;
    const offset = error instanceof CorruptBatch && error.offset > from ? error.offset : from;
    const reason = error instanceof Error ? error.message : String(error);
    const { partition } = state;
    const message = `partition ${partition} stands still at offset ${offset}: ${reason}`;
    this.#arrivals.tell({ kind: 'corrupt', partition, offset, message });
  }

  async #outOfRange(state: PartitionState, offset: bigint): Promise<void> {
    const { partition, epoch } = state;
    try {
      await this.#connection.refresh();
      const earliest = (await this.#connection.offsets([partition], 'earliest')).get(partition) ?? 0n;
      const latest = (await this.#connection.offsets([partition], 'latest')).get(partition) ?? 0n;
      if (epoch !== state.epoch) return;
      const what = earliest > offset ? 'records were removed before they were read' : 'records that were read are gone';
      const message = `partition ${partition} stands still at offset ${offset}: the topic has ${earliest} to ${latest}, ${what}`;
      this.#arrivals.tell({ kind: 'offset_out_of_range', partition, offset, earliest, latest, message });
    } catch {
      if (epoch === state.epoch) state.stopped = false;
      this.#supervise(FIRST_PAUSE_MS);
    }
  }

  poll(): RawBatch | null {
    const at = this.#queue.findIndex(({ state }) => !state.paused);
    if (at < 0) return null;
    const [{ batch, state, bytes }] = this.#queue.splice(at, 1);
    state.pieces--;
    state.buffered -= bytes;
    this.#buffered -= bytes;
    state.position = batch.nextOffset;
    state.goOn?.();
    this.#pump();
    return batch;
  }

  onReady(callback: () => void): void {
    this.#arrivals.onReady(
      callback,
      this.#queue.some(({ state }) => !state.paused),
    );
  }

  takeEvents(): SourceEvent[] {
    return this.#arrivals.takeEvents();
  }

  position(partition: number): bigint | undefined {
    return this.#partitions.get(partition)?.position;
  }

  highWatermark(partition: number): bigint | undefined {
    return this.#partitions.get(partition)?.end;
  }

  pause(partition: number): void {
    const state = this.#partitions.get(partition);
    if (state !== undefined) state.paused = true;
  }

  resume(partition: number): void {
    const state = this.#partitions.get(partition);
    if (state === undefined) return;
    state.paused = false;
    this.#pump();
    if (this.#queue.some((queued) => queued.state === state)) this.#arrivals.ready();
  }

  bufferedBytes(): number {
    return this.#buffered;
  }

  readRange(partition: number, from: bigint, to: bigint): AsyncIterable<RawBatch> {
    return this.#ranges.read(partition, from, to);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#arrivals.close();
    if (this.#metadataTimer !== null) clearTimeout(this.#metadataTimer);
    await this.#supervising;
    await this.#reset();
    await this.#ranges.close();
    for (const state of this.#partitions.values()) this.#forget(state);
  }
}
