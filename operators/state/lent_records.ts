/**
 * Records in which kernels are told of state, that stay where they are from tick to tick: of a heap (heap.ts, heap_layout.ts), of appends to an index (index_append.ts).
 *
 * Records are no state: what they say is known elsewhere, and is saved there. So their pages are neither announced nor put back when a tick is taken back, and which
 * records are free is known here, not in them. Those of one size share pages, which go when the last of them was given back.
 */
import { PAGE_BYTES } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { empty } from '../lists.ts';

/** Records begin where a line of the processor's cache does: so few sizes are in use. */
const LINE = 64;

class Pool {
  readonly #bytes: number;
  /** Pages of a piece of the memory that records are cut out of: of a record that is larger than a page its own. */
  readonly #pages: number;
  readonly #taken: number[] = [];
  readonly #free: number[] = [];
  #used = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
    this.#pages = Math.ceil(bytes / PAGE_BYTES);
  }

  take(): number {
    if (this.#free.length === 0) this.#addPage();
    this.#used++;
    return this.#free.pop() as number;
  }

  #addPage(): void {
    const first = pages.allocate(this.#pages);
    this.#taken.push(first);
    const end = first + this.#pages * PAGE_BYTES;
    for (let at = first; at + this.#bytes <= end; at += this.#bytes) this.#free.push(at);
  }

  give(record: number): void {
    this.#free.push(record);
    if (--this.#used > 0) return;
    for (const first of this.#taken) pages.release(first, this.#pages);
    empty(this.#taken);
    empty(this.#free);
  }
}

const pools = new Map<number, Pool>();

function poolOf(bytes: number): Pool {
  const size = Math.ceil(bytes / LINE) * LINE;
  let pool = pools.get(size);
  if (pool === undefined) {
    pool = new Pool(size);
    pools.set(size, pool);
  }
  return pool;
}

/** A record of so many bytes, of which nothing is written. */
export function takeRecord(bytes: number): number {
  return poolOf(bytes).take();
}

/** `bytes`: as it was taken. */
export function giveRecord(record: number, bytes: number): void {
  poolOf(bytes).give(record);
}
