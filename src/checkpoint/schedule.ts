/**
 * When checkpoints are taken: every `seconds` or `logBytes` of log, whichever is first, if anything happened since the last; and one at an orderly
 * end, so that the next start has nothing to replay. A start that had to replay for long takes one at once: else a server that is killed again and
 * again before its time would have more to replay at every start. After a checkpoint the log gives up what the older of the two kept ones holds too.
 */
import { SqlError } from '../../operators/errors.ts';
import { diskTrouble, isDiskFull } from '../durable/disk.ts';
import type { Journal } from '../durable/journal.ts';
import { removeStale, writePortable } from '../durable/portable.ts';
import type { TidemarkEngine } from '../runtime/engine.ts';
import type { Checkpointer, CheckpointReport } from './checkpointer.ts';
import { saveEngine } from './engine_state.ts';

export interface CheckpointSettings {
  /** Default 60. */
  seconds?: number;
  /** Default 64 MiB. */
  logBytes?: number;
}

/** How often it looks whether a checkpoint is due, in milliseconds. */
const LOOK_MS = 250;
/** A second of replay makes a checkpoint as urgent as so many seconds without one. */
const REPLAY_URGENCY = 30;

export class CheckpointSchedule {
  readonly #engine: TidemarkEngine;
  readonly #journal: Journal;
  readonly #checkpointer: Checkpointer;
  readonly #seconds: number;
  readonly #logBytes: number;
  #timer: NodeJS.Timeout | null = null;
  /** Of the last checkpoint, or the last try: when, and what the log had by then. */
  #lastTime = performance.now();
  #overdue: boolean;
  #lastBytes: number;
  #lastSequence: bigint;
  #lastReport: CheckpointReport | null = null;
  #lastOver: number | null = null;
  #coveredBytes = 0;
  /** Since the start. */
  taken = 0;
  failed = 0;

  /** `sequence`: of the checkpoint that the engine was loaded from; 0 when there was none. `replayMs`: how long the log after it took. */
  constructor(
    engine: TidemarkEngine,
    journal: Journal,
    checkpointer: Checkpointer,
    sequence: bigint,
    replayMs: number,
    settings: CheckpointSettings,
  ) {
    this.#engine = engine;
    this.#journal = journal;
    this.#checkpointer = checkpointer;
    this.#seconds = settings.seconds ?? 60;
    this.#logBytes = settings.logBytes ?? 64 << 20;
    this.#lastSequence = sequence;
    this.#lastBytes = journal.log.appendedBytes;
    this.#overdue = replayMs * REPLAY_URGENCY >= this.#seconds * 1000;
  }

  /** As Checkpointer.room(). */
  room(): Promise<void> | null {
    return this.#checkpointer.room();
  }

  get lastReport(): CheckpointReport | null {
    return this.#lastReport;
  }

  /** Milliseconds since the last one of this start was over; null: there was none. */
  get age(): number | null {
    return this.#lastOver === null ? null : performance.now() - this.#lastOver;
  }

  /** Of the log since the start, what the last one has not; all of it when there was none. */
  get bytesSince(): number {
    return this.#journal.log.appendedBytes - this.#coveredBytes;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      if (this.#isDue()) void this.#takeOrSay();
    }, LOOK_MS).unref();
  }

  #isDue(): boolean {
    const { log } = this.#journal;
    if (this.#checkpointer.running || log.state !== 'open' || log.sequence === this.#lastSequence) return false;
    if (this.#overdue || log.appendedBytes - this.#lastBytes >= this.#logBytes) return true;
    return performance.now() - this.#lastTime >= this.#seconds * 1000;
  }

  /** As a statement asks for it. What the system says of the disk is an SqlError. */
  async takeAsked(): Promise<void> {
    try {
      await this.take();
    } catch (error) {
      const isOfSystem = error instanceof Error && 'syscall' in error;
      if (!isOfSystem && !isDiskFull(error)) throw error;
      throw new SqlError(isDiskFull(error) ? '53100' : '58030', `could not take a checkpoint: ${diskTrouble(error)}`, {
        detail: 'The log keeps everything since the last one: nothing is lost.',
        hint: `Look after the disk of "${this.#journal.directory.path}".`,
      });
    }
  }

  /** Takes a checkpoint of this moment, which is between two ticks, once one that is running has ended. */
  async take(): Promise<CheckpointReport> {
    while (this.#checkpointer.running) await this.#checkpointer.idle();
    const { log } = this.#journal;
    const { sequence } = log;
    this.#lastTime = performance.now();
    this.#overdue = false;
    const bytes = log.appendedBytes;
    this.#lastBytes = bytes;
    const { cold } = this.#engine;
    const { store } = this.#checkpointer;
    const { newest } = store;
    let report: CheckpointReport;
    try {
      report = await this.#checkpointer.take({
        tick: this.#engine.loop.tick,
        sequence,
        cold: cold?.mark(),
        saved: saveEngine(this.#engine),
        // A checkpoint must not know of records that the log may still lose: their numbers would be given to others.
        // What is cut off the log afterwards cannot give changes again.
        durable: async () => {
          await log.durable(sequence);
          await this.#engine.changes.sync();
          await cold?.sync();
        },
      });
    } catch (error) {
      this.failed++;
      // It may have failed after it was there.
      if (store.newest === newest) cold?.unmark();
      else cold?.keep(store.coldFiles);
      throw error;
    }
    cold?.keep(store.coldFiles);
    this.#lastSequence = sequence;
    this.#lastReport = report;
    this.#lastOver = performance.now();
    this.#coveredBytes = bytes;
    this.taken++;
    this.#engine.changes.checkpointed();
    await log.truncateBefore(store.coveredSequence + 1n);
    await removeStale(this.#journal.directory, log.segments[0]?.first ?? 1n);
    return report;
  }

  async #takeOrSay(): Promise<void> {
    try {
      const { tick, pages, written, milliseconds } = await this.take();
      this.#engine.log('info', `checkpoint: tick ${tick}, ${written} of ${pages} pages written in ${milliseconds} ms`);
    } catch (error) {
      this.#engine.log(
        'error',
        `checkpoint given up: ${diskTrouble(error)}; the log keeps everything since the last one`,
      );
    }
  }

  /** Takes the last one of an orderly end. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    while (this.#checkpointer.running) await this.#checkpointer.idle();
    const { log } = this.#journal;
    if (log.state === 'open' && log.sequence !== this.#lastSequence) await this.#takeOrSay();
  }

  /** After the sinks have ended: when the log does not reach back to the beginning, a copy for programs that cannot read the checkpoints. */
  async leavePortable(): Promise<void> {
    const { log, directory } = this.#journal;
    if (log.state !== 'open' || (log.segments[0]?.first ?? 1n) === 1n) return;
    try {
      await log.durable(log.sequence);
      if (await writePortable(this.#engine, directory, log.sequence)) return;
      this.#engine.log('warn', 'no copy for other versions was left: a sink has changes that it could not write');
    } catch (error) {
      this.#engine.log('error', `no copy for other versions was left: ${diskTrouble(error)}`);
    }
  }
}
