/**
 * The change logs of all relations whose rows the engine keeps, and of subscriptions to queries.
 *
 *   tick loop -> publish(tick's deltas) -> one log a relation (change_log.ts)
 *
 * Disks that are slower than ticks: as long as too much waits to be written, `behind` says so and sources wait.
 */
import type { Deltas } from '../../operators/deltas.ts';
import { ListedMap } from '../../operators/lists.ts';
import { BufferPool } from './buffer_pool.ts';
import { type ChangeFolder, ChangeLog, type LogHost, type SavedLog } from './change_log.ts';
import type { Moment } from './entry.ts';
import { keepsNothing, type Retention } from './retention.ts';
import { readSegmentFile, segmentFile } from './segment_file.ts';

/** More than this waits to be written: sources should hold back. */
const MOST_PENDING = 128 << 20;

type Tell = (level: 'info' | 'warn' | 'error', message: string) => void;

export class ChangeKeeper implements LogHost {
  folder: ChangeFolder | null = null;
  pending = 0;
  bytes = 0;
  readonly pool = new BufferPool();
  readonly #logs = new ListedMap<number, ChangeLog>();
  readonly #nameOf: (oid: number) => string;
  readonly #tell: Tell;
  #closed = false;
  /** Those who wait for less to be pending. */
  readonly #waiting: (() => void)[] = [];

  constructor(nameOf: (oid: number) => string, tell: Tell) {
    this.#nameOf = nameOf;
    this.#tell = tell;
  }

  log(oid: number): ChangeLog | null {
    return this.#logs.get(oid) ?? null;
  }

  /** The changes of a tick, by relation. */
  publish(deltas: Deltas, tick: bigint, clock: bigint): void {
    if (this.#logs.size === 0) return;
    const moment = { tick, clock };
    for (let i = 0; i < deltas.size; i++) {
      const batch = deltas.batches[i];
      if (batch.n > 0) this.#logs.get(deltas.relations[i])?.append(batch, moment);
    }
  }

  /** From now on this is what is kept of a relation's changes: a log begins, goes on, or ends. */
  keep(oid: number, retention: Retention, now: Moment): void {
    const log = this.#logs.get(oid);
    if (keepsNothing(retention)) {
      if (log !== undefined) void this.drop(oid);
    } else if (log !== undefined) log.retention = retention;
    else this.#logs.set(oid, new ChangeLog(oid, () => this.#nameOf(oid), retention, this, now));
  }

  /** The relation is no more; resolves when its files are gone. */
  async drop(oid: number): Promise<void> {
    const log = this.#logs.get(oid);
    this.#logs.delete(oid);
    await log?.remove();
    this.written();
  }

  told(log: ChangeLog, state: 'stuck' | 'well' | 'lost', reason: string): void {
    const what = `changes of "${log.name}"`;
    if (state === 'stuck') {
      this.#tell('error', `${what} cannot be written: ${reason}; sources wait`);
      for (const other of this.#logs.values()) other.letGo();
    } else if (state === 'well') this.#tell('info', `${what}: ${reason}`);
    else this.#tell('error', `${what} up to tick ${log.floor.tick} are lost: ${reason}`);
  }

  get behind(): boolean {
    // Without a folder nothing waits to be written: what is kept is bounded by itself.
    if (this.folder !== null && this.pending > MOST_PENDING) return true;
    for (const log of this.#logs.list) if (log.isStuck) return true;
    return false;
  }

  /** Resolves when it is no longer behind, or closed. */
  async caughtUp(): Promise<void> {
    while (this.behind && !this.#closed) {
      // Many short tails may be too much together: all of them are due now.
      for (const log of this.#logs.values()) log.write();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  written(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when all changes so far are on the disk. */
  async sync(): Promise<void> {
    const { folder } = this;
    if (folder === null) return;
    for (const log of [...this.#logs.values()]) await log.sync();
    await folder.disk.syncFolder(folder.path);
  }

  /** What was kept so far is given up; all logs begin here. */
  restart(now: Moment): void {
    for (const log of this.#logs.values()) log.restart(now);
  }

  save(): SavedLog[] {
    return [...this.#logs.values()].map((log) => log.save());
  }

  /** The checkpoint that took what save() gave last is there. */
  checkpointed(): void {
    for (const log of this.#logs.values()) log.checkpointed();
  }

  /** `saved`: the logs of a checkpoint, each with its retention; without one, all begins anew. Files that belong to none go. */
  async open(folder: ChangeFolder, saved: { log: SavedLog; retention: Retention }[]): Promise<void> {
    this.folder = folder;
    const { disk, path } = folder;
    await disk.makeFolder(path);
    const names = new Set(await disk.list(path));
    const known = new Set(saved.flatMap(({ log }) => log.segments.map(({ number }) => segmentFile(log.oid, number))));
    for (const name of names)
      if (readSegmentFile(name) !== null && !known.has(name)) await disk.remove(`${path}/${name}`);
    for (const { log, retention } of saved) {
      const { oid } = log;
      const problem = (text: string) => this.#tell('warn', `recovery: ${text}`);
      this.#logs.set(oid, await ChangeLog.load(log, () => this.#nameOf(oid), retention, this, names, problem));
    }
  }

  /** Logs that are kept now, by relation. */
  logs(): Iterable<ChangeLog> {
    return this.#logs.values();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.written();
    for (const log of this.#logs.values()) await log.close();
  }
}
