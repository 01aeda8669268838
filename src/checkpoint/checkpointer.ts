/**
 * Takes checkpoints while ticks go on.
 *
 *   begin   between two ticks: what lies in JavaScript is serialised, the changed pages are pending
 *   copy    between later ticks: a slice of pending pages at a time; a tick that is about to write to one has it copied first
 *   write   by the file system's threads, in large pieces; then the manifest
 *
 * So the checkpoint is the state at `begin`, and a tick waits for no disk. Memory: the copies that the disk has not taken yet, which is little unless
 * ticks write to most pages at once: when memory is short because of it, commits wait for the disk (room()). A checkpoint that fails (full disk) is given up as a whole; its pages count as changed still.
 */
import { serialize } from 'node:v8';
import { pagesOf, type Saved } from '../../operators/state/saved.ts';
import { changedStill, endImage, startImage, takePending } from '../../operators/state/write_marks.ts';
import type { Manifest, NamedFile, Place } from './manifest.ts';
import { type Groups, PageWriter } from './page_file.ts';
import type { CheckpointStore } from './store.ts';

export interface CheckpointerOptions {
  /** How long copying may hold the event loop at a time, in milliseconds; at least a page is copied. Default 1. */
  sliceMs?: number;
  /** Lets ticks and everybody else run; default: a turn of the event loop. */
  turn?: () => Promise<void>;
  /** How often commits have used the disk. Default: never. */
  groups?: Groups;
}

/** The state between two ticks. */
export interface Moment {
  tick: bigint;
  /** Of the last record of the log that is in the state. */
  sequence: bigint;
  saved: Saved;
  /** The cold files as they are. */
  cold?: NamedFile[];
  /** Resolves when the log's records up to `sequence`, and the cold files, are on the disk. */
  durable?(): Promise<void>;
}

export interface CheckpointReport {
  number: number;
  tick: bigint;
  sequence: bigint;
  /** Pages in it, and how many of them were written. */
  pages: number;
  written: number;
  milliseconds: number;
}

export class Checkpointer {
  readonly store: CheckpointStore;
  readonly #sliceMs: number;
  readonly #turn: () => Promise<void>;
  readonly #groups: Groups;
  /** Of the checkpoint that is being taken. */
  #writer: PageWriter | null = null;
  /** State memory has one set of marks, so all engines of a process take turns. */
  static #running: Promise<CheckpointReport> | null = null;

  constructor(store: CheckpointStore, options: CheckpointerOptions = {}) {
    this.store = store;
    this.#sliceMs = options.sliceMs ?? 1;
    this.#groups = options.groups ?? (() => 0);
    this.#turn = options.turn ?? (() => new Promise((resolve) => setImmediate(resolve)));
  }

  get running(): boolean {
    return Checkpointer.#running !== null;
  }

  /** Resolves when the checkpoint that is being taken has ended, however it did. */
  async idle(): Promise<void> {
    await Checkpointer.#running?.catch(() => undefined);
  }

  /** Resolves when no more than a few copies wait for the disk, or the checkpoint has failed; null: that is so. */
  room(): Promise<void> | null {
    const writer = this.#writer;
    return writer?.isBehind ? writer.room().catch(() => undefined) : null;
  }

  /** Takes a checkpoint of this moment; must be called between ticks, and not while one is running. */
  take(moment: Moment): Promise<CheckpointReport> {
    if (Checkpointer.#running !== null) throw new Error('a checkpoint is being taken already');
    Checkpointer.#running = this.#take(moment).finally(() => {
      Checkpointer.#running = null;
      this.#writer = null;
    });
    return Checkpointer.#running;
  }

  async #take({ tick, sequence, saved, cold = [], durable }: Moment): Promise<CheckpointReport> {
    const started = performance.now();
    const { store } = this;
    const number = store.nextNumber();
    const metadata = serialize(saved);
    const writer = new PageWriter(store.disk, store.folder, number, this.#groups);
    this.#writer = writer;
    const { pages, changed } = startImage(pagesOf(saved), (page) => writer.add(page), store.pagesToMove());
    writer.expectedPages = changed.length;
    try {
      try {
        while (copySlice(writer, this.#sliceMs)) {
          await writer.emptied();
          await this.#turn();
        }
      } finally {
        endImage();
      }
      await writer.finish();
      await durable?.();
      const places = this.#places(pages, writer);
      const files = new Map<number, number>();
      for (const { file } of places.values())
        files.set(file, file === number ? writer.places.size : (store.newest?.files.get(file) as number));
      const { identity } = store;
      const manifest: Manifest = { number, tick, sequence, identity, files, pages: places, cold, metadata };
      await store.publish(manifest);
    } catch (error) {
      changedStill(changed);
      await writer.abandon();
      throw error;
    }
    await store.clean();
    const milliseconds = Math.round(performance.now() - started);
    return { number, tick, sequence, pages: pages.length, written: changed.length, milliseconds };
  }

  /** Where every page of the checkpoint lies: written now, or for an earlier one. */
  #places(pages: number[], writer: PageWriter): Map<number, Place> {
    const earlier = this.store.newest?.pages;
    return new Map(
      pages.map((page) => {
        const place = writer.places.get(page) ?? earlier?.get(page);
        if (place === undefined) throw new Error(`page ${page} is in no checkpoint`);
        return [page, place];
      }),
    );
  }
}

/** Copies pending pages for a moment, or until many wait; false when none is left. */
function copySlice(writer: PageWriter, milliseconds: number): boolean {
  const end = performance.now() + milliseconds;
  do {
    const page = takePending();
    if (page === null) return false;
    writer.add(page);
  } while (!writer.isBehind && performance.now() < end);
  return true;
}
