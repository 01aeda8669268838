/**
 * The ticks that sources give: when they run, and what they take.
 *
 *   source has rows -> schedule -> pump: take up to `tickRows` records of each stream -> one tick -> the log
 *
 * A watermark moves after the tick whose rows move it. Views that wait for it (EMIT ON WINDOW CLOSE) are shown it by a tick without rows when none come, also
 * when it is time alone that has moved it: a partition has become idle.
 *
 * Between two ticks the event loop is left to others. Sources are left alone while the log or the kept changes lag behind the ticks, and while memory is
 * short (memory_hold.ts); what was taken from them for a tick that fails is given back.
 */
import { performance } from 'node:perf_hooks';
import { Deltas } from '../../operators/deltas.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import { empty } from '../../operators/lists.ts';
import type { Undo } from '../../operators/state/undo.ts';
import type { StreamInput } from '../durable/records.ts';
import type { Moments } from '../sources/source.ts';
import { AwakeClock } from './awake_clock.ts';
import type { TidemarkEngine } from './engine.ts';
import type { StreamRuntime } from './stream.ts';

/** How often views that depend on now() see the clock move, in milliseconds. */
const CLOCK_TICK_MS = 100;

export class SourceTicks {
  readonly #engine: TidemarkEngine;
  /** Most records that one stream gives to one tick. */
  tickRows: number;
  readonly #automatic: boolean;
  /** Time-outs of partitions begin anew after a stop: nobody has looked at the sources. */
  readonly #awake: AwakeClock;
  readonly #elapsed: (() => number) | undefined;
  #scheduled = false;
  #closed = false;
  /** Some partitions wait for others that are behind in event time. */
  #waiting = false;
  /** Calls of flush() that have not ended: they want the rows of all partitions. */
  #flushes = 0;
  #clockTimer: NodeJS.Timeout | null = null;
  /** Streams that have rows for the tick. */
  readonly #ready: StreamRuntime[] = [];
  /** What streams give to a tick: the same list in each. */
  readonly #given = new Deltas();
  /** What the tick takes in, and of whom. */
  #input = this.#given;
  #streams: StreamRuntime[] = [];

  /** Not `automatic`: ticks run only when pump() is called. */
  constructor(engine: TidemarkEngine, automatic: boolean, tickRows: number, elapsed?: () => number) {
    this.#engine = engine;
    this.#elapsed = elapsed;
    this.#awake = new AwakeClock(() => {
      for (const stream of this.#engine.streams.values()) stream.forgetIdle();
    }, elapsed);
    this.#automatic = automatic;
    this.tickRows = tickRows;
  }

  /** Takes what sources have and runs one tick. False when there was nothing to do, or nothing may be done now. */
  pump(): boolean {
    const { streams, chilling, loop, sinkHold, memory, journal } = this.#engine;
    if (this.#engine.replay !== null || this.#holdsBack) return false;
    chilling.makeRoom();
    loop.advanceClock();
    for (const stream of streams.list) this.#events(stream);
    sinkHold.look();
    const held = memory.look();
    const ready = this.#ready;
    empty(ready);
    if (!held) this.#admit(memory.rows(this.tickRows));
    if (!held) for (const stream of streams.list) if (stream.ready()) ready.push(stream);
    // While sources are held, what is dead goes all the same.
    const moved = ready.length > 0 || (held && loop.graph.freeing);
    const passes = !moved && this.#watermarksPass();
    if (!moved && !passes && !loop.hasClockedViews) {
      this.#align(this.#awake.now());
      return false;
    }
    const rows = memory.rows(this.tickRows);
    let end: number;
    try {
      end = this.#tickOf(ready, rows);
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      const smaller = ready.length > 0 && rows > 1;
      const more = chilling.makeMore();
      if (smaller || !more) memory.failed(ready.length === 0 ? 1 : rows);
      return smaller || (ready.length > 0 && more);
    }
    memory.passed();
    const awake = this.#awake.now(this.#elapsed?.() ?? end);
    for (const stream of streams.list) stream.moveWatermark(awake);
    this.#align(awake);
    journal?.pumped(loop, this.#taken());
    return moved || passes;
  }

  /** Sources that share moments give the records of the same transactions to a tick, all of them or none. */
  #admit(rows: number): void {
    const { streams } = this.#engine;
    if (!streams.list.some(({ source }) => source.moments !== undefined)) return;
    const all = new Map<Moments, boolean>();
    for (const stream of streams.list) {
      const { moments } = stream.source;
      if (moments !== undefined) all.set(moments, (all.get(moments) ?? false) || stream.waits);
    }
    for (const [moments, held] of all) {
      moments.held = held;
      if (!held) moments.admit(rows);
    }
  }

  /** True when a tick without rows would show views a watermark, or lets time move one that they wait for. */
  #watermarksPass(): boolean {
    const { loop, streams } = this.#engine;
    if (!loop.graph.watchesWatermarks) return false;
    if (loop.watermarksMoved) return true;
    const awake = this.#awake.now();
    return streams.list.some((stream) => stream.watermarkMoves(awake));
  }

  #align(awake: number): void {
    this.#waiting = false;
    for (const stream of this.#engine.streams.list) if (stream.align(awake, this.#flushes > 0)) this.#waiting = true;
  }

  /** What nothing but time brings about: idle partitions, and an end of waiting. */
  #beat(): void {
    const { loop, memory } = this.#engine;
    if ((this.#waiting || loop.graph.watchesWatermarks) && !memory.held) this.schedule();
  }

  /** What the tick has taken of streams, for the tick log. */
  #taken(): StreamInput[] {
    const taken: StreamInput[] = [];
    for (const stream of this.#engine.streams.list) {
      const record = stream.takeRecord();
      if (record !== null) taken.push(record);
    }
    return taken;
  }

  /** Gives when it ended, as publishInput(). */
  #tickOf(streams: StreamRuntime[], rows: number): number {
    const { arena, now } = this.#engine.loop;
    const input = this.#given;
    input.clear();
    try {
      for (const stream of streams) {
        const batch = stream.take(rows, arena, now);
        if (batch !== null) input.set(stream.oid, batch);
      }
    } catch (error) {
      for (const stream of streams) stream.giveBack();
      arena.reset();
      throw error;
    }
    return this.publishInput(input, streams);
  }

  /** One tick with what these streams and keyed tables took from their sources. Gives when it ended, by performance.now(). */
  publishInput(input: Deltas, streams: StreamRuntime[]): number {
    const { loop } = this.#engine;
    let rows = 0;
    for (const batch of input.batches) rows += batch.n;
    const start = performance.now();
    let end: number;
    this.#input = input;
    this.#streams = streams;
    try {
      loop.runSources(rows, this.#enter);
      end = this.#engine.tickTimes.took(start);
    } catch (error) {
      for (const stream of streams) stream.giveBack();
      throw error;
    }
    const isLogged = this.#engine.journal !== null;
    for (const stream of streams) stream.accept(isLogged);
    return end;
  }

  readonly #enter = (undo: Undo | null): Deltas => {
    const { arena, relations } = this.#engine.loop;
    const input = this.#input;
    const streams = this.#streams;
    for (const stream of streams) {
      const commands = stream.spec.envelope === 'append' ? undefined : input.get(stream.oid);
      // Before enter(), which keeps what is refused here.
      if (commands !== undefined) input.set(stream.oid, stream.follow(commands, relations.get(stream.oid), arena));
      stream.enter(arena, undo);
    }
    return input;
  };

  #events(stream: StreamRuntime): void {
    const events = stream.source.takeEvents();
    if (events.length === 0) return;
    for (const event of events) {
      stream.status.take(event);
      if (event.kind === 'schema') {
        this.#engine.journal?.learned(this.#engine.loop, stream.oid, event.id, event.schema);
        continue;
      }
      if (event.kind === 'file') {
        this.#engine.journal?.listed(this.#engine.loop, stream.oid, event.number, event.file);
        continue;
      }
      const good = event.kind === 'recovered' || event.kind === 'partition_added';
      const over = 'message' in event && event.message === null;
      const level = good || over || event.kind === 'copying' ? 'info' : 'warn';
      this.#engine.log(level, `source ${stream.relation.name}: ${event.kind}${over ? ' is well again' : ''}`, {
        ...event,
      });
      if (event.kind === 'partition_added') stream.addPartition(event.partition, event.earliest);
    }
  }

  /** Runs ticks as long as sources have input, leaving the event loop to others between two. */
  schedule(): void {
    if (this.#scheduled || this.#closed || !this.#automatic || this.#engine.replay !== null) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#closed) return;
      if (this.#holdsBack) void this.#afterLog();
      else if (this.pump()) this.schedule();
      else if (this.#engine.memory.held) this.#engine.memory.wait(() => this.schedule());
      else for (const stream of this.#engine.streams.values()) this.#listen(stream);
    });
  }

  /** Sources wait for the log. A full or failed disk ends this: `schedule` is called when it is well again. */
  async #afterLog(): Promise<void> {
    await this.#engine.journal?.log.caughtUp();
    await this.#engine.changes.caughtUp();
    if ((this.#engine.journal?.state ?? 'open') === 'open') this.schedule();
  }

  get #holdsBack(): boolean {
    return this.#engine.journal?.holdsBack === true || this.#engine.changes.behind;
  }

  #listen(stream: StreamRuntime): void {
    if (stream.listening || stream.held || stream.waitsFor !== null) return;
    stream.listening = true;
    stream.source.onReady(() => {
      stream.listening = false;
      this.schedule();
    });
  }

  /** Begins to read a stream. While the log is replayed, the log says where it began. */
  openStream(stream: StreamRuntime, offsets: Map<number, bigint>): void {
    if (this.#engine.replay !== null || stream.opened) return;
    stream.open(offsets);
    this.#engine.journal?.opened(this.#engine.loop, stream.oid, offsets, stream.source.identity ?? null);
    this.started(stream);
  }

  /** A stream has begun to read: its rows make ticks from now on. */
  started(stream: StreamRuntime): void {
    if (this.#automatic) {
      this.#awake.start(() => this.#beat());
      this.#listen(stream);
    }
    this.schedule();
  }

  /** After recovery: sources are read on from where the log ends, and the clock moves. */
  goOn(): void {
    for (const stream of this.#engine.streams.values()) {
      if (!stream.opened) continue;
      stream.resume();
      this.started(stream);
    }
    this.watchClock();
    if (this.#automatic) this.#engine.chilling.start();
  }

  /** Keeps the clock of temporal views moving while no input comes. */
  watchClock(): void {
    if (
      this.#clockTimer !== null ||
      !this.#automatic ||
      this.#engine.replay !== null ||
      !this.#engine.loop.hasClockedViews
    )
      return;
    this.#clockTimer = setInterval(() => {
      if (this.#engine.loop.hasClockedViews) this.pump();
    }, CLOCK_TICK_MS);
    this.#clockTimer.unref();
  }

  /** Runs ticks until sources have nothing more. */
  async flush(): Promise<void> {
    this.#flushes++;
    try {
      this.#align(this.#awake.now());
      while (this.#pumpReady()) {
        await new Promise((resolve) => setImmediate(resolve));
        await this.#engine.journal?.log.caughtUp();
        await this.#engine.changes.caughtUp();
      }
    } finally {
      this.#flushes--;
    }
  }

  /** The same in this turn, of sources that are never far ahead. */
  flushNow(): void {
    while (this.#pumpReady());
  }

  #pumpReady(): boolean {
    this.#admit(this.tickRows);
    for (const stream of this.#engine.streams.values()) if (stream.ready()) return this.pump();
    return this.#engine.loop.watermarksMoved && this.pump();
  }

  close(): void {
    this.#closed = true;
    if (this.#clockTimer !== null) clearInterval(this.#clockTimer);
    this.#awake.close();
  }
}
