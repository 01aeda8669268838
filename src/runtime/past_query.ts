/**
 * SUBSCRIBE to a query AS OF an earlier tick: the query's operators run again over what its relations held then, and over every change since.
 *
 *   rows at the tick  ->  view.step()  ->  [rows]
 *   entries of the change logs, tick by tick, when the client asks for more  ->  view.step()  ->  changes of that tick
 *   all read: the operators become part of the live graph  ->  changes as ticks run
 *
 * A tick is replayed when what came before it has been taken, so a slow client costs the operators' state and one tick's rows. Ticks that run during the last
 * read of the logs are kept in memory (a pin), and in the turn in which they are replayed the query becomes live: no tick is missed, none is seen twice.
 */
import { type Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { SqlError } from '../../operators/errors.ts';
import { movesWithoutInput } from '../../operators/node_time.ts';
import type { SubscribeStatement } from '../../planner/parse/ast.ts';
import type { ChangeReader } from '../changes/change_reader.ts';
import { batchOf, type Entry } from '../changes/entry.ts';
import { QueueFollower } from '../changes/queue_follower.ts';
import type { RowChunk, RowStream } from '../engine.ts';
import { attachFed } from './backfill.ts';
import type { TidemarkEngine } from './engine.ts';
import { keptLogs, rowsAt } from './time_travel.ts';
import type { ViewRuntime } from './view.ts';
import { checkUnaltered } from './write_conflict.ts';

/** A relation that the query reads, and how far its changes were. */
interface Source {
  relation: number;
  reader: ChangeReader;
  /** Read and not replayed yet. */
  entries: Entry[];
}

/** `view`: not filled yet; it is released with the stream. */
export async function subscribeToPast(
  engine: TidemarkEngine,
  view: ViewRuntime,
  subscribe: SubscribeStatement,
  after: bigint,
  signal: AbortSignal,
): Promise<RowStream> {
  const past = new PastQuery(engine, view, subscribe);
  signal.addEventListener('abort', () => past.end());
  try {
    await past.begin(subscribe.snapshot, after);
  } catch (error) {
    past.close();
    throw error;
  }
  return past;
}

class PastQuery implements RowStream {
  readonly #engine: TidemarkEngine;
  readonly #view: ViewRuntime;
  readonly #follower: QueueFollower;
  readonly #sources: Source[] = [];
  #isLive = false;
  /** What the query puts out is the next that its reader is to see. Of ticks that run between two replayed ones it is not: the changes before them are still to come. */
  #isInOrder = false;
  #isReplaying = false;
  #ended = false;
  #stopped = false;
  #stopObserving: (() => void) | null = null;

  constructor(engine: TidemarkEngine, view: ViewRuntime, subscribe: SubscribeStatement) {
    this.#engine = engine;
    this.#view = view;
    const types = view.physical.columns.map((c) => c.type);
    this.#follower = new QueueFollower(types, subscribe.progress, subscribe.upTo, engine.ticks);
  }

  /** Opens the logs, which go back to the tick or say why not. */
  #open(after: bigint): void {
    const { plan } = this.#view.physical;
    if (plan.nodes.some(movesWithoutInput)) {
      throw new SqlError(
        '0A000',
        'a query that moves with the clock or a watermark cannot be followed from an earlier tick',
        { hint: 'Follow it from now on, or follow a materialized view of it.' },
      );
    }
    for (const [relation, log] of keptLogs(this.#engine, plan))
      this.#sources.push({ relation, reader: log.reader(after), entries: [] });
  }

  /** Replays the rows at the tick. */
  begin(snapshot: boolean, after: bigint): Promise<void> {
    return this.#replaying(async () => {
      this.#open(after);
      const arenas: Arena[] = [];
      try {
        const rows = new Map<number, Batch>();
        for (const { relation } of this.#sources) {
          const at = await rowsAt(this.#engine, relation, after);
          arenas.push(at.arena);
          rows.set(relation, at.rows);
        }
        if (this.#ended) return;
        this.#engine.chilling.filling.add(this.#view);
        this.#engine.pastQueries.add(this.#view);
        if (snapshot) this.#observe();
        this.#replay(after, rows);
        if (snapshot) return;
        this.#observe();
        this.#follower.onTick(after, null);
      } finally {
        for (const arena of arenas) arena.release();
      }
    });
  }

  /** What is asked to end meanwhile ends after it. */
  async #replaying(run: () => Promise<void>): Promise<void> {
    this.#isReplaying = true;
    try {
      await run();
    } finally {
      this.#isReplaying = false;
      if (this.#ended) this.#stop();
    }
  }

  #observe(): void {
    const follower = this.#follower;
    this.#stopObserving = this.#engine.loop.observe(this.#view.oid, {
      onTick: (tick, delta) => {
        if (this.#isInOrder) follower.onTick(tick, delta);
      },
      onEnd: (error) => follower.onEnd(error),
    });
  }

  #replay(tick: bigint, deltas: Map<number, Batch>): void {
    this.#engine.chilling.makeRoomToFill();
    this.#isInOrder = true;
    try {
      withScratch((arena) => this.#engine.loop.feedPast(this.#view, tick, deltas, arena));
    } finally {
      this.#isInOrder = false;
    }
  }

  /** The time is that of waiting: what is in the logs is at hand. */
  async next(maxRows: number, timeoutMs?: number): Promise<RowChunk | null> {
    while (!this.#isLive && !this.#ended && !this.#follower.hasMore) await this.#replaying(() => this.#replayNext());
    return this.#follower.next(maxRows, timeoutMs);
  }

  /** Replays the next tick that has changes, or makes the query live. */
  async #replayNext(): Promise<void> {
    const { loop } = this.#engine;
    const pin = loop.pin();
    try {
      for (const source of this.#sources) if (source.entries.length === 0) source.entries = await source.reader.next();
      if (this.#ended) return;
      for (const { relation } of this.#sources) checkUnaltered(loop.relations.get(relation), pin.tick);
      const ticks = this.#sources.flatMap(({ entries }) => (entries.length === 0 ? [] : [entries[0].tick]));
      const tick = ticks.reduce((a, b) => (a < b ? a : b), pin.tick + 1n);
      if (tick <= pin.tick) this.#replayEntries(tick);
      else {
        for (const { tick, deltas } of pin.since) this.#replay(tick, this.#ofSources(deltas));
        this.#becomeLive();
      }
    } finally {
      loop.unpin(pin);
    }
  }

  #replayEntries(tick: bigint): void {
    withScratch((arena) => {
      const deltas = new Map<number, Batch>();
      for (const { relation, entries } of this.#sources)
        if (entries[0]?.tick === tick) deltas.set(relation, batchOf(entries.shift() as Entry, arena));
      this.#replay(tick, deltas);
    });
  }

  #ofSources(deltas: Map<number, Batch>): Map<number, Batch> {
    return new Map([...deltas].filter(([relation]) => this.#sources.some((source) => source.relation === relation)));
  }

  #becomeLive(): void {
    const { loop } = this.#engine;
    for (const { relation } of this.#sources)
      if (!loop.relations.has(relation)) throw new SqlError('42P01', 'what the query reads was dropped meanwhile');
    this.#isInOrder = true;
    attachFed(this.#engine, this.#view);
    this.#isLive = true;
    this.#endReading();
  }

  #endReading(): void {
    this.#engine.chilling.filling.delete(this.#view);
    this.#engine.pastQueries.delete(this.#view);
    for (const { reader } of this.#sources.splice(0)) reader.close();
  }

  /** What was replayed can still be read. */
  end(): void {
    this.#ended = true;
    this.#follower.end();
    if (!this.#isReplaying) this.#stop();
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#endReading();
    if (this.#isLive) this.#engine.loop.detachView(this.#view.oid);
    else {
      this.#stopObserving?.();
      this.#view.release();
    }
  }

  close(): void {
    this.end();
    this.#follower.close();
  }
}
