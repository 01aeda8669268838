/**
 * The store of cold state (operators/state/cold_store.ts) over files in the data directory.
 *
 *   place (u32)  =  slot of a file (10 bits) | unit of 16 bytes in it (22 bits)          64 GiB, of which a file has 64 MiB
 *   DIR/cold/cold-0000000012    blocks of 4 KiB (block.ts), written once; only the newest file grows
 *
 *   write -> buffer of whole blocks -> file, without waiting: the system has them, a checkpoint syncs them        read -> buffer | cache of blocks | file
 *
 * A file has a number that never comes again and a slot that does: places are bounded by what is alive, not by what was ever written.
 *
 * A checkpoint names the files as they are at its moment: mark() completes the last block and gives the list, sync() comes before the manifest does. What is written
 * later, behind what it names, is nothing to it. A file goes when nothing in it is alive and no kept checkpoint names it. A start never appends to a file
 * that was there: it makes a new one. A file of which less than half is alive is `sparse`: the index writes what it has there again.
 *
 * A full disk: write() throws, what was written before is in the buffer or in the file, and is read from there.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { budget } from '../../operators/batch/budget.ts';
import { BYTES, PAGE_BYTES } from '../../operators/batch/memory.ts';
import { pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import { type ColdStore, cold } from '../../operators/state/cold_store.ts';
import type { NamedFile } from '../checkpoint/manifest.ts';
import { type Disk, type NowFile, readAllNow, writeAllNow } from '../durable/disk.ts';
import { BLOCK_BYTES, BLOCK_HEADER, isBlock, sealBlock, UNIT_BYTES, UNITS_A_BLOCK } from './block.ts';
import { BlockCache } from './block_cache.ts';
import { coldFileName, coldFileNumber, damagedName, damagedNumber } from './names.ts';

const UNIT_BITS = 22;
const UNITS_A_SLOT = 2 ** UNIT_BITS;
/** Slot 0 is not used, so that no place is 0. */
const SLOTS = 2 ** 10;
/** Keys of the cache: a file that has one large run may be longer than others. */
const KEYS_A_SLOT = 2 ** 21;
/** Blocks that gather before they are written. */
const BUFFER_BLOCKS = 64;
const BUFFER_BYTES = BUFFER_BLOCKS * BLOCK_BYTES;
/** Blocks read at once, when one read needs several. */
const READ_BLOCKS = 16;
/** The tick log and checkpoints need room too: the last of the disk is not for cold state. */
const LEAST_FREE_BYTES = 32 << 20;
/** A file is sparse when less of it is alive. */
const LEAST_ALIVE = 0.5;
/** What is alive in sparse files is written again when they have this share of all bytes, and so many. */
const SPARSE_SHARE = 0.25;
const LEAST_RENEWED_BYTES = 32 << 20;

interface ColdFile extends NamedFile {
  file: NowFile;
  /** Blocks that are synced. */
  synced: number;
}

/** The file that is being written: its blocks from `blocks` on are in the buffer. */
interface OpenEnd {
  to: ColdFile;
  /** Units that are taken, of the file. */
  units: number;
}

export interface ColdOptions {
  disk: Disk;
  folder: string;
  /** Of the cache of blocks. */
  cacheBytes: number;
  /** A file that has so many units is followed by another. Default: 64 MiB. */
  fileUnits?: number;
  /** Bytes of the disk that are left alone. */
  leastFreeBytes?: number;
  /** Bytes of sparse files that stay. */
  leastRenewedBytes?: number;
  /** Hears of a file that is not what was written, before it is thrown: nothing can go on. */
  onDamage?: (error: SqlError) => void;
}

/** What a start finds. */
export interface Found {
  /** Of the checkpoint that was loaded, which are there (check.ts). */
  loaded: NamedFile[];
  /** Numbers of files that any checkpoint names which is there. */
  named: ReadonlySet<number>;
}

/** For tidemark.cold. */
export interface ColdFigures {
  files: number;
  /** Of files, with what is dead in them. */
  bytes: number;
  liveBytes: number;
  written: number;
  reads: number;
  /** Blocks that reads found in memory, and those that came from the disk. */
  cached: number;
  fetched: number;
}

/** As a disk says it, for whoever sends state waits for room then and goes on. */
function noRoom(why: string): Error {
  return Object.assign(new Error(`ENOSPC: ${why}`), { code: 'ENOSPC' });
}

export class ColdFiles implements ColdStore {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #fileUnits: number;
  readonly #leastFree: number;
  readonly #leastRenewed: number;
  readonly #onDamage: (error: SqlError) => void;
  readonly #cache: BlockCache;
  /** By slot. */
  readonly #files: (ColdFile | null)[] = new Array(SLOTS).fill(null);
  #count = 0;
  #lastNumber = 0;
  #end: OpenEnd | null = null;
  /** Whole pages, so that what is written can go to the disk from here; none before the first write. */
  #buffer: Buffer = Buffer.alloc(0);
  readonly #scratch = Buffer.alloc(READ_BLOCKS * BLOCK_BYTES);
  /** Files that kept checkpoints name, and those that one names which is being taken. */
  #named = new Set<number>();
  #marked = new Set<number>();
  /** Files that only checkpoints name which were not loaded. */
  #strays: number[] = [];
  /** Names of files came since the folder was synced. */
  #newNames = false;
  /** No slot from here on is in use. */
  #top = 1;
  /** A sync failed: what the disk has is not known any more. */
  #failure: unknown = null;
  readonly #figures = { written: 0, reads: 0, cached: 0, fetched: 0 };

  private constructor(options: ColdOptions) {
    this.#disk = options.disk;
    this.#folder = options.folder;
    this.#fileUnits = options.fileUnits ?? UNITS_A_SLOT;
    this.#leastFree = options.leastFreeBytes ?? LEAST_FREE_BYTES;
    this.#leastRenewed = options.leastRenewedBytes ?? LEAST_RENEWED_BYTES;
    this.#onDamage = options.onDamage ?? (() => undefined);
    this.#cache = new BlockCache(options.cacheBytes);
    budget.count('cold files', this.#scratch.length);
  }

  get figures(): ColdFigures {
    let bytes = 0;
    let live = 0;
    for (const file of this.#present()) {
      bytes += file.blocks * BLOCK_BYTES;
      live += file.live;
    }
    return { files: this.#count, bytes, liveBytes: live * UNIT_BYTES, ...this.#figures };
  }

  *#present(): Iterable<ColdFile> {
    for (let slot = 1; slot < this.#top; slot++) {
      const file = this.#files[slot];
      if (file !== null) yield file;
    }
  }

  /** Goes on from what a checkpoint had; files that none names go. */
  static async start(options: ColdOptions, { loaded, named }: Found): Promise<ColdFiles> {
    const { disk, folder } = options;
    await disk.makeFolder(folder);
    const files = new ColdFiles(options);
    const open = new Set<number>();
    for (const { slot, number, stamp, blocks, live } of loaded) {
      const file = disk.openNow(join(folder, coldFileName(number)));
      files.#place({ slot, number, stamp, blocks, live, file, synced: blocks });
      open.add(number);
    }
    files.#named = open;
    for (const name of await disk.list(folder)) {
      const aside = damagedNumber(name);
      if (aside !== null && !named.has(aside)) await disk.remove(join(folder, name));
      const number = coldFileNumber(name);
      if (number === null || open.has(number)) continue;
      files.#lastNumber = Math.max(files.#lastNumber, number);
      if (named.has(number)) files.#strays.push(number);
      else await disk.remove(join(folder, name));
    }
    // A number that a checkpoint names must not come again, even where its file is missing.
    for (const number of [...named, ...open]) files.#lastNumber = Math.max(files.#lastNumber, number);
    return files;
  }

  #place(file: ColdFile): void {
    this.#files[file.slot] = file;
    this.#count++;
    this.#top = Math.max(this.#top, file.slot + 1);
  }

  write(address: number, pieces: number[]): number {
    let bytes = 0;
    for (const piece of pieces) bytes = Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES + piece;
    return this.#append(BYTES, address, bytes);
  }

  #append(from: Buffer, address: number, bytes: number): number {
    if (this.#failure !== null) throw this.#failure;
    if (this.#buffer.length === 0) {
      const at = pages.allocate(BUFFER_BYTES / PAGE_BYTES);
      this.#buffer = BYTES.subarray(at, at + BUFFER_BYTES);
    }
    const units = Math.ceil(bytes / UNIT_BYTES);
    const end = this.#endFor(units);
    const first = end.units;
    for (let done = 0; done < bytes; ) {
      const block = Math.floor(end.units / UNITS_A_BLOCK) - end.to.blocks;
      if (block === BUFFER_BLOCKS) {
        this.#flush(end);
        continue;
      }
      const unit = end.units % UNITS_A_BLOCK;
      const count = Math.min(bytes - done, (UNITS_A_BLOCK - unit) * UNIT_BYTES);
      from.copy(
        this.#buffer,
        block * BLOCK_BYTES + BLOCK_HEADER + unit * UNIT_BYTES,
        address + done,
        address + done + count,
      );
      end.units += Math.ceil(count / UNIT_BYTES);
      done += count;
    }
    end.to.live += units;
    this.#figures.written += units * UNIT_BYTES;
    return end.to.slot * UNITS_A_SLOT + first;
  }

  /** The file that has room for so many units: for more than a file has, one of their own. */
  #endFor(units: number): OpenEnd {
    if (this.#end !== null) {
      if (this.#end.units + units <= this.#fileUnits) return this.#end;
      this.#complete();
      this.#end.to.file.endWrites();
      this.#end = null;
    }
    const slot = this.#files.indexOf(null, 1);
    if (slot < 0) throw noRoom('there is no place for more cold state: all 64 GiB are in use');
    this.#checkRoom();
    const number = ++this.#lastNumber;
    const file = this.#disk.createNow(join(this.#folder, coldFileName(number)));
    this.#newNames = true;
    const stamp = randomBytes(4).readUInt32LE(0);
    const to: ColdFile = { slot, number, stamp, blocks: 0, live: 0, file, synced: 0 };
    this.#place(to);
    this.#end = { to, units: 0 };
    return this.#end;
  }

  #checkRoom(): void {
    if (this.#disk.freeBytesNow(this.#folder) >= this.#leastFree + BUFFER_BYTES) return;
    throw noRoom('what is left of the disk is for the tick log');
  }

  /** Writes the whole blocks of the buffer. */
  #flush({ to, units }: OpenEnd): void {
    const whole = Math.floor(units / UNITS_A_BLOCK) - to.blocks;
    if (whole === 0) return;
    this.#checkRoom();
    for (let i = 0; i < whole; i++) sealBlock(this.#buffer, i * BLOCK_BYTES, to, to.blocks + i);
    writeAllNow(to.file, this.#buffer.subarray(0, whole * BLOCK_BYTES), to.blocks * BLOCK_BYTES);
    to.blocks += whole;
    this.#buffer.copyWithin(0, whole * BLOCK_BYTES, (whole + 1) * BLOCK_BYTES);
  }

  /** Everything that was written is in the file: the rest of the last block is left empty. */
  #complete(): void {
    const end = this.#end;
    if (end === null) return;
    const unit = end.units % UNITS_A_BLOCK;
    if (unit > 0) {
      const block = Math.floor(end.units / UNITS_A_BLOCK) - end.to.blocks;
      this.#buffer.fill(0, block * BLOCK_BYTES + BLOCK_HEADER + unit * UNIT_BYTES, (block + 1) * BLOCK_BYTES);
      end.units += UNITS_A_BLOCK - unit;
    }
    this.#flush(end);
  }

  read(place: number, bytes: number, to: number): void {
    this.#read(place, bytes, BYTES, to);
  }

  #read(place: number, bytes: number, into: Buffer, to: number): void {
    const file = this.#fileOf(place);
    const first = place % UNITS_A_SLOT;
    const last = first + Math.ceil(bytes / UNIT_BYTES) - 1;
    const lastBlock = Math.floor(last / UNITS_A_BLOCK);
    this.#figures.reads++;
    let unit = first % UNITS_A_BLOCK;
    let done = 0;
    for (let block = Math.floor(first / UNITS_A_BLOCK); block <= lastBlock; block++) {
      const count = Math.min(bytes - done, (UNITS_A_BLOCK - unit) * UNIT_BYTES);
      const from = BLOCK_HEADER + unit * UNIT_BYTES;
      const at = this.#find(file, block, lastBlock);
      at.bytes.copy(into, to + done, at.offset + from, at.offset + from + count);
      done += count;
      unit = 0;
    }
  }

  #fileOf(place: number): ColdFile {
    const file = this.#files[Math.floor(place / UNITS_A_SLOT)];
    if (file === null || file === undefined) throw new Error(`there is no cold file for place ${place}`);
    return file;
  }

  /** Where the bytes of a block are; of those up to `lastBlock`, what is not in memory comes with it. */
  #find(file: ColdFile, block: number, lastBlock: number): { bytes: Buffer; offset: number } {
    if (block >= file.blocks) return { bytes: this.#buffer, offset: (block - file.blocks) * BLOCK_BYTES };
    const cell = this.#cache.find(file.slot * KEYS_A_SLOT + block);
    if (cell >= 0) {
      this.#figures.cached++;
      return { bytes: this.#cache.chunkOf(cell), offset: this.#cache.offsetOf(cell) };
    }
    this.#fetch(file, block, Math.min(lastBlock, block + READ_BLOCKS - 1, file.blocks - 1));
    return { bytes: this.#scratch, offset: 0 };
  }

  /** Reads blocks from the file into the scratch, verified, and keeps them in the cache. */
  #fetch(file: ColdFile, first: number, last: number): void {
    const key = file.slot * KEYS_A_SLOT;
    let count = 1;
    while (first + count <= last && this.#cache.find(key + first + count) < 0) count++;
    const bytes = this.#scratch.subarray(0, count * BLOCK_BYTES);
    if (!this.#readBlocks(file, first, bytes)) throw this.#damage(file, first, 'is cut short');
    this.#figures.fetched += count;
    for (let i = 0; i < count; i++) {
      if (!isBlock(bytes, i * BLOCK_BYTES, file, first + i)) throw this.#damage(file, first + i, 'is damaged');
      const cell = this.#cache.make(key + first + i);
      bytes.copy(this.#cache.chunkOf(cell), this.#cache.offsetOf(cell), i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES);
    }
  }

  #readBlocks(file: ColdFile, first: number, into: Buffer): boolean {
    try {
      return readAllNow(file.file, into, first * BLOCK_BYTES);
    } catch (error) {
      throw this.#broken(file, `cannot be read at byte ${first * BLOCK_BYTES}: ${(error as Error).message}`);
    }
  }

  /** The file is moved aside, so that the next start does not go on from a checkpoint that names it. */
  #damage(file: ColdFile, block: number, what: string): SqlError {
    const aside = damagedName(file.number);
    this.#disk.renameNow(join(this.#folder, coldFileName(file.number)), join(this.#folder, aside));
    return this.#broken(file, `${what} at byte ${block * BLOCK_BYTES}; it is now ${aside}`);
  }

  #broken({ number }: ColdFile, what: string): SqlError {
    const error = new SqlError('XX001', `the cold file ${join(this.#folder, coldFileName(number))} ${what}`, {
      hint: "'tidemark doctor DIR' checks the whole directory.",
    });
    this.#onDamage(error);
    return error;
  }

  free(place: number, bytes: number): void {
    this.#fileOf(place).live -= Math.ceil(bytes / UNIT_BYTES);
  }

  /** Live units by slot: what a tick changes. Files go between ticks only. */
  save(): Float64Array {
    const live = new Float64Array(this.#top);
    for (const file of this.#present()) live[file.slot] = file.live;
    return live;
  }

  load(live: Float64Array): void {
    for (const file of this.#present()) file.live = live[file.slot] ?? 0;
  }

  #isSparse(file: ColdFile): boolean {
    return file !== this.#end?.to && file.live < LEAST_ALIVE * file.blocks * UNITS_A_BLOCK;
  }

  /** What lies in a sparse file is written again, between two ticks, so that the file can go: gives its place from now on. */
  renew(place: number, bytes: number): number {
    if (!this.#isSparse(this.#fileOf(place))) return place;
    const copy = Buffer.allocUnsafe(bytes);
    this.#read(place, bytes, copy, 0);
    const now = this.#append(copy, 0, bytes);
    this.free(place, bytes);
    return now;
  }

  /** Whether so much could go if what is alive in sparse files were written again that it is worth looking at all state. */
  get wantsRenewal(): boolean {
    let all = 0;
    let sparse = 0;
    for (const file of this.#present()) {
      const bytes = file.blocks * BLOCK_BYTES;
      all += bytes;
      if (file.live > 0 && this.#isSparse(file)) sparse += bytes;
    }
    return sparse >= this.#leastRenewed && sparse >= all * SPARSE_SHARE;
  }

  /** What is alive is what `each` tells of: a checkpoint may have been taken while state was under way that it does not have. */
  recount(each: (count: (place: number, bytes: number) => void) => void): void {
    for (const file of this.#present()) file.live = 0;
    each((place, bytes) => {
      this.#fileOf(place).live += Math.ceil(bytes / UNIT_BYTES);
    });
    this.clean();
  }

  /** Between two ticks: lets files go that nobody needs. */
  clean(): void {
    for (const file of this.#present()) {
      const { slot, number, live } = file;
      if (live > 0 || this.#named.has(number) || this.#marked.has(number)) continue;
      if (file === this.#end?.to) this.#end = null;
      this.#files[slot] = null;
      this.#count--;
      this.#cache.forget(slot * KEYS_A_SLOT, (slot + 1) * KEYS_A_SLOT);
      file.file.closeNow();
      this.#disk.removeNow(join(this.#folder, coldFileName(number)));
    }
  }

  /** The files as they are at this moment, between two ticks, for a checkpoint that is being taken. They stay until it has ended. */
  mark(): NamedFile[] {
    this.#complete();
    const named: NamedFile[] = [];
    for (const { slot, number, stamp, blocks, live } of this.#present())
      if (live > 0) named.push({ slot, number, stamp, blocks, live });
    this.#marked = new Set(named.map(({ number }) => number));
    return named;
  }

  /** Resolves when all that mark() named is on the disk. */
  async sync(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    for (const file of [...this.#present()]) {
      const { blocks } = file;
      if (!this.#marked.has(file.number) || file.synced >= blocks) continue;
      try {
        await file.file.sync();
      } catch (error) {
        this.#failure = error;
        throw error;
      }
      file.synced = blocks;
    }
    if (!this.#newNames) return;
    this.#newNames = false;
    await this.#disk.syncFolder(this.#folder);
  }

  /** The checkpoint was given up. */
  unmark(): void {
    this.#marked = new Set();
  }

  /** The checkpoint is there: these are the files that kept ones name. */
  keep(named: ReadonlySet<number>): void {
    this.#named = new Set(named);
    this.#marked = new Set();
    for (const number of this.#strays)
      if (!named.has(number)) this.#disk.removeNow(join(this.#folder, coldFileName(number)));
    this.#strays = this.#strays.filter((number) => named.has(number));
    this.clean();
  }

  /** State has been given back. */
  close(): void {
    if (cold.store === this) cold.store = null;
    for (const { file } of this.#present()) file.closeNow();
    this.#files.fill(null);
    this.#count = 0;
    this.#end = null;
    this.#cache.release();
    if (this.#buffer.length > 0) pages.release(this.#buffer.byteOffset, BUFFER_BYTES / PAGE_BYTES);
    this.#buffer = Buffer.alloc(0);
    budget.count('cold files', -this.#scratch.length);
  }
}
