/**
 * Hands out contiguous runs of 64 KiB pages of the shared memory and takes them back.
 *
 * Each thread owns a range of pages and is the only one to allocate in it, so there are no locks; memory handed to another thread
 * goes back to its owner by message. First fit over a list of free runs ordered by start; neighbours are merged on free.
 *
 * `checked` (environment TIDEMARK_CHECKED=1, on in tests): freed pages are filled with 0xDB so that a read of freed memory shows.
 */
import { workerData } from 'node:worker_threads';
import { OutOfMemory } from '../errors.ts';
import { budget } from './budget.ts';
import { PAGE_BYTES, TOTAL_PAGES, U8 } from './memory.ts';

export const checked: boolean = process.env.TIDEMARK_CHECKED === '1';

interface Run {
  start: number;
  count: number;
}

export class PageAllocator {
  readonly #free: Run[];
  #used = 0;

  /** Owns pages start .. end-1. */
  constructor(start: number, end: number) {
    this.#free = [{ start, count: end - start }];
  }

  get usedPages(): number {
    return this.#used;
  }

  get usedBytes(): number {
    return this.#used * PAGE_BYTES;
  }

  /** Byte address of `count` contiguous pages; OutOfMemory when there are none or the budget has no more. */
  allocate(count: number): number {
    budget.check(this.#used * PAGE_BYTES, count * PAGE_BYTES);
    const address = this.tryAllocate(count);
    if (address === null) throw new OutOfMemory(count * PAGE_BYTES, Number.POSITIVE_INFINITY);
    return address;
  }

  /** As allocate(), but null when there are none; the budget is not asked. */
  tryAllocate(count: number): number | null {
    const free = this.#free;
    for (let i = 0; i < free.length; i++) {
      const run = free[i];
      if (run.count < count) continue;
      const start = run.start;
      run.start += count;
      run.count -= count;
      if (run.count === 0) free.splice(i, 1);
      this.#used += count;
      return start * PAGE_BYTES;
    }
    return null;
  }

  /** Takes exactly these pages, as a checkpoint that is loaded needs them. False when one of them is in use. */
  reserve(address: number, count: number): boolean {
    if (!this.lend(address, count)) return false;
    this.#used += count;
    return true;
  }

  /** Takes exactly these pages for another thread, which counts what it uses of them. False when one of them is in use. */
  lend(address: number, count: number): boolean {
    const start = address / PAGE_BYTES;
    const free = this.#free;
    const i = free.findIndex((run) => run.start <= start && start + count <= run.start + run.count);
    if (i < 0) return false;
    const run = free[i];
    const rest = [
      { start: run.start, count: start - run.start },
      { start: start + count, count: run.start + run.count - start - count },
    ];
    free.splice(i, 1, ...rest.filter((r) => r.count > 0));
    return true;
  }

  release(address: number, count: number): void {
    if (checked) U8.fill(0xdb, address, address + count * PAGE_BYTES);
    this.takeBack(address, count);
    this.#used -= count;
  }

  /** The end of lend(). */
  takeBack(address: number, count: number): void {
    const start = address / PAGE_BYTES;
    const free = this.#free;
    let low = 0;
    let high = free.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (free[mid].start < start) low = mid + 1;
      else high = mid;
    }
    const before = low > 0 ? free[low - 1] : null;
    const after = low < free.length ? free[low] : null;
    if ((before && before.start + before.count > start) || (after && start + count > after.start)) {
      throw new Error(`pages freed twice: ${start}..${start + count}`);
    }
    const joinsBefore = before !== null && before.start + before.count === start;
    const joinsAfter = after !== null && start + count === after.start;
    if (joinsBefore && joinsAfter) {
      before.count += count + after.count;
      free.splice(low, 1);
    } else if (joinsBefore) before.count += count;
    else if (joinsAfter) {
      after.start = start;
      after.count += count;
    } else free.splice(low, 0, { start, count });
  }
}

interface PageRangeData {
  pageRange?: [number, number];
}

const [start, end] = (workerData as PageRangeData | null)?.pageRange ?? [1, TOTAL_PAGES];

/** Which pages are this thread's. Page 0 stays unused so that address 0 can mean "none". */
export const ownPages = { start, end };

/** Without the last page of the memory, which is nobody's (memory.ts). */
export const pages = new PageAllocator(start, Math.min(end, TOTAL_PAGES - 1));
