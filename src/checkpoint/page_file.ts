/**
 * Page files: 64 KiB pages of state memory one behind the other, written once. The manifest knows which page lies where.
 *
 *   add(page) copies the page out of state memory at once; the copies go to the disk in large writes, one after the other, each synced before the
 *   next: a tick log whose sync came behind all of a checkpoint's would make every commit wait for it
 *
 * While commits come (`groups` of the tick log grows) the disk is theirs for most of the time: after each write there is a pause, as long as few copies
 * wait and the pauses of one checkpoint are not too long together; so a checkpoint is spread over time as well, and its files, each of which has to be
 * made, named and synced, are not made more often than need be. A tick may add many pages at once, so add() does no more than copy, into buffers that
 * are used again: their checksums are made when they are written (docs/decisions/0285).
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { budget } from '../../operators/batch/budget.ts';
import { BYTES, PAGE_BYTES } from '../../operators/batch/memory.ts';
import { type Disk, type DiskFile, readAll, writeAll } from '../durable/disk.ts';
import { type Place, Unusable } from './manifest.ts';
import { openNamed } from './named_file.ts';

/** Pages copied before a write begins. */
const CHUNK_PAGES = 16;
/** As many chunks wait for the disk when copying between ticks pauses: at most so many, and so large a share of a small limit. */
const MOST_WAITING = 16;
const WAITING_SHARE = 1 / 32;
/** A write while commits come: the disk has to take it before a commit that comes meanwhile. */
const PIECE_BYTES = 4 * PAGE_BYTES;
/** The pause after a write, in times of what it took. */
const PAUSE = 3;
/** The pause is no shorter than makes so many bytes a second, unless a large checkpoint would take too long by that. */
const PACE = 2 << 20;
/** All pauses of a checkpoint, in milliseconds. */
const MOST_PAUSED = 10_000;

/** Buffers of chunks that were written, of all checkpoints: new ones cost ten times as much as the copy. */
const spare: Buffer<ArrayBuffer>[] = [];

function mostWaiting(): number {
  return Math.ceil(budget.pagesOf(WAITING_SHARE, MOST_WAITING * CHUNK_PAGES) / CHUNK_PAGES);
}

/** How often commits have used the disk. */
export type Groups = () => number;

export function pageFileName(number: number): string {
  return `pages-${String(number).padStart(10, '0')}`;
}

export class PageWriter {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #number: number;
  readonly #groups: Groups;
  readonly places = new Map<number, Place>();
  /** Pages that will be added in all. */
  expectedPages = 0;
  #file: DiskFile | null = null;
  #chunk = Buffer.alloc(0);
  /** Pages in the chunk that gathers. */
  #gathered = 0;
  /** Places of those pages. */
  #gatheredPlaces: Place[] = [];
  /** Chunks that are counted in the budget. */
  #held = 0;
  #queue: { bytes: Buffer<ArrayBuffer>; places: Place[] }[] = [];
  #written = 0;
  #paused = 0;
  /** As of the last write. */
  #lastGroups = 0;
  #endPause: (() => void) | null = null;
  #writing: Promise<void> | null = null;
  #failure: unknown = null;
  /** Who waits for room. */
  #waiting: (() => void)[] = [];

  constructor(disk: Disk, folder: string, number: number, groups: Groups) {
    this.#disk = disk;
    this.#path = join(folder, pageFileName(number));
    this.#number = number;
    this.#groups = groups;
    this.#lastGroups = groups();
  }

  /** Copies a page as it is now. */
  add(page: number): void {
    if (this.#gathered === 0) {
      this.#chunk = spare.pop() ?? Buffer.allocUnsafe(CHUNK_PAGES * PAGE_BYTES);
      this.#hold(1);
    }
    BYTES.copy(this.#chunk, this.#gathered * PAGE_BYTES, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    const place = { file: this.#number, index: this.places.size, checksum: 0 };
    this.places.set(page, place);
    this.#gatheredPlaces.push(place);
    if (++this.#gathered === CHUNK_PAGES) this.#send();
  }

  /** Counts copies that wait for the disk. */
  #hold(chunks: number): void {
    this.#held += chunks;
    budget.count('checkpoint', chunks * CHUNK_PAGES * PAGE_BYTES);
  }

  #send(): void {
    if (this.#gathered === 0 || this.#failure !== null) return;
    this.#queue.push({ bytes: this.#chunk, places: this.#gatheredPlaces });
    this.#gathered = 0;
    this.#gatheredPlaces = [];
    this.#writing ??= this.#write();
    if (this.isBehind) this.#endPause?.();
  }

  async #write(): Promise<void> {
    try {
      this.#file ??= await this.#disk.create(this.#path);
      while (this.#queue.length > 0 && this.#failure === null) {
        const { bytes, places } = this.#queue[0];
        places.forEach((place, i) => {
          place.checksum = crc32(bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES));
        });
        await this.#writeChunk(this.#file, bytes.subarray(0, places.length * PAGE_BYTES));
        this.#queue.shift();
        this.#hold(-1);
        if (!this.isBehind) this.#tellWaiting();
        if (spare.length < mostWaiting()) spare.push(bytes);
      }
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.#writing = null;
      this.#tellWaiting();
    }
  }

  #tellWaiting(): void {
    for (const tell of this.#waiting.splice(0)) tell();
  }

  /** In pieces, with pauses, while commits come. */
  async #writeChunk(file: DiskFile, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length && this.#failure === null; ) {
      const began = performance.now();
      const groups = this.#groups();
      const piece = bytes.subarray(done, groups === this.#lastGroups ? bytes.length : done + PIECE_BYTES);
      this.#lastGroups = groups;
      this.#written = await writeAll(file, piece, this.#written);
      await file.sync();
      done += piece.length;
      if (this.#groups() !== groups) await this.#pause(this.#restAfter(piece.length, performance.now() - began));
    }
  }

  #restAfter(bytes: number, took: number): number {
    const all = Math.max(bytes, this.expectedPages * PAGE_BYTES);
    return Math.max(took * PAUSE, Math.min((bytes / PACE) * 1000, (bytes / all) * MOST_PAUSED));
  }

  /** Leaves the disk to the tick log. */
  async #pause(milliseconds: number): Promise<void> {
    const left = Math.min(milliseconds, MOST_PAUSED - this.#paused);
    if (left <= 0 || this.isBehind) return;
    this.#paused += left;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endPause = null;
  }

  /** Throws what the disk said. */
  #check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Whether many copies wait for the disk. */
  get isBehind(): boolean {
    return this.#queue.length >= mostWaiting();
  }

  /** Resolves when not too many copies wait. */
  async room(): Promise<void> {
    this.#check();
    while (this.isBehind && this.#writing !== null) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#check();
  }

  /** The same for who copies in slices, and would fill up at once what has room: all of it goes first. */
  async emptied(): Promise<void> {
    this.#check();
    while (this.isBehind && this.#writing !== null) await this.#writing;
    this.#check();
  }

  /** Writes the rest; everything is on the disk afterwards. */
  async finish(): Promise<void> {
    this.#send();
    while (this.#writing !== null) await this.#writing;
    this.#check();
    await this.#file?.close();
    this.#file = null;
  }

  /** Gives the file up. */
  async abandon(): Promise<void> {
    this.#failure ??= new Error('given up');
    while (this.#writing !== null) await this.#writing;
    this.#hold(-this.#held);
    await this.#file?.close();
    await this.#disk.remove(this.#path);
  }
}

interface Placed extends Place {
  page: number;
}

/** Most pages read at once. */
const READ_PAGES = 64;

/**
 * Reads pages, each verified; throws Unusable for one that is missing or damaged. `room` gives where `count` pages from `page` on are read to;
 * `progress` hears of each read.
 */
async function readAllPages(
  disk: Disk,
  folder: string,
  places: Map<number, Place>,
  room: (page: number, count: number) => Buffer,
  progress: (pages: number) => void,
): Promise<void> {
  const byFile = new Map<number, Placed[]>();
  for (const [page, place] of places) {
    const list = byFile.get(place.file) ?? [];
    list.push({ page, ...place });
    byFile.set(place.file, list);
  }
  for (const [number, list] of byFile) {
    list.sort((a, b) => a.index - b.index);
    const path = join(folder, pageFileName(number));
    const file = await openNamed(disk, path);
    try {
      for (const run of runsOf(list)) {
        const bytes = room(run[0].page, run.length);
        if (!(await readAll(file, bytes, run[0].index * PAGE_BYTES))) throw new Unusable(`${path} is cut short`);
        run.forEach(({ index, checksum }, i) => {
          if (crc32(bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES)) !== checksum)
            throw new Unusable(`${path} is damaged at byte ${index * PAGE_BYTES}`);
        });
        progress(run.length);
      }
    } finally {
      await file.close();
    }
  }
}

/** Reads pages into their places in state memory. */
export function readPages(
  disk: Disk,
  folder: string,
  places: Map<number, Place>,
  progress: (pages: number) => void,
): Promise<void> {
  const room = (page: number, count: number) => BYTES.subarray(page * PAGE_BYTES, (page + count) * PAGE_BYTES);
  return readAllPages(disk, folder, places, room, progress);
}

/** Reads pages to see whether they are whole. */
export function verifyPages(disk: Disk, folder: string, places: Map<number, Place>): Promise<void> {
  const scratch = Buffer.allocUnsafe(READ_PAGES * PAGE_BYTES);
  return readAllPages(
    disk,
    folder,
    places,
    (_, count) => scratch.subarray(0, count * PAGE_BYTES),
    () => undefined,
  );
}

/** Neighbours in the file that are neighbours in memory too. */
function* runsOf(list: Placed[]): Iterable<Placed[]> {
  let first = 0;
  for (let i = 1; i <= list.length; i++) {
    const goesOn =
      i < list.length &&
      i - first < READ_PAGES &&
      list[i].page === list[i - 1].page + 1 &&
      list[i].index === list[i - 1].index + 1;
    if (goesOn) continue;
    yield list.slice(first, i);
    first = i;
  }
}
