/**
 * Page files: 64 KiB pages of state memory one behind the other, written once. The manifest knows which page lies where.
 *
 *   add(page) copies the page out of state memory at once; the copies go to the disk in large writes, one after the other, each synced before the
 *   next: a tick log whose sync came behind all of a checkpoint's would make every commit wait for it
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
/** Chunks that may wait for the disk before copying between ticks pauses: at most so many, and so large a share of a small limit. */
const MOST_WAITING = 16;
const WAITING_SHARE = 1 / 32;

export function pageFileName(number: number): string {
  return `pages-${String(number).padStart(10, '0')}`;
}

export class PageWriter {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #number: number;
  readonly places = new Map<number, Place>();
  #file: DiskFile | null = null;
  #chunk = Buffer.alloc(0);
  /** Pages in the chunk that gathers. */
  #gathered = 0;
  /** Chunks that are counted in the budget. */
  #held = 0;
  #queue: Buffer[] = [];
  #written = 0;
  #writing: Promise<void> | null = null;
  #failure: unknown = null;

  constructor(disk: Disk, folder: string, number: number) {
    this.#disk = disk;
    this.#path = join(folder, pageFileName(number));
    this.#number = number;
  }

  /** Copies a page as it is now. */
  add(page: number): void {
    if (this.#gathered === 0) {
      this.#chunk = Buffer.allocUnsafe(CHUNK_PAGES * PAGE_BYTES);
      this.#hold(1);
    }
    const copy = this.#chunk.subarray(this.#gathered * PAGE_BYTES, (this.#gathered + 1) * PAGE_BYTES);
    BYTES.copy(copy, 0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    this.places.set(page, { file: this.#number, index: this.places.size, checksum: crc32(copy) });
    if (++this.#gathered === CHUNK_PAGES) this.#send();
  }

  /** Counts copies that wait for the disk. */
  #hold(chunks: number): void {
    this.#held += chunks;
    budget.count('checkpoint', chunks * CHUNK_PAGES * PAGE_BYTES);
  }

  #send(): void {
    if (this.#gathered === 0 || this.#failure !== null) return;
    this.#queue.push(this.#chunk.subarray(0, this.#gathered * PAGE_BYTES));
    this.#gathered = 0;
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      this.#file ??= await this.#disk.create(this.#path);
      while (this.#queue.length > 0 && this.#failure === null) {
        this.#written = await writeAll(this.#file, this.#queue[0], this.#written);
        await this.#file.sync();
        this.#queue.shift();
        this.#hold(-1);
      }
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.#writing = null;
    }
  }

  /** Throws what the disk said. */
  #check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Resolves when not too many copies wait. */
  async room(): Promise<void> {
    this.#check();
    const most = Math.floor(budget.pagesOf(WAITING_SHARE, MOST_WAITING * CHUNK_PAGES) / CHUNK_PAGES);
    while (this.#queue.length > most && this.#writing !== null) await this.#writing;
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
