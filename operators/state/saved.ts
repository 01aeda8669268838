/**
 * What save() of a piece of state gives and load() takes back: plain structured data (v8.serialize writes it) for what lies in JavaScript
 * objects. The bytes in state memory are not part of it: a checkpoint stores them page by page, and load() finds them at their old addresses.
 *
 *   save()    between ticks, after endTick()
 *   load()    into a fresh object made from the same plan node, when the pages hold their bytes again
 */
import type { PageRun } from './write_marks.ts';

export type Saved =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | ArrayBufferView
  | Saved[]
  | { [name: string]: Saved };

/** What a Heap saves; `heapPages` marks it among other saved data. */
export type SavedHeap = {
  /** First page and number of pages of each chunk, in turn; the present one last. */
  heapPages: Uint32Array;
  /** Bytes of each chunk that are too few for a block. */
  unused: number[];
  /** The same of the blocks with pages of their own. */
  largePages: Uint32Array;
  freeLists: Uint32Array;
  queued: number[];
  next: number;
  end: number;
  chunkPages: number;
  live: number;
  /** Bytes in use of each chunk that is closed; they are the first. */
  closed: number[];
};

/** The pages of all heaps in saved data. */
export function pagesOf(saved: Saved): PageRun[] {
  const runs: PageRun[] = [];
  collect(saved, runs);
  return runs;
}

function collect(saved: Saved, runs: PageRun[]): void {
  if (typeof saved !== 'object' || saved === null || ArrayBuffer.isView(saved)) return;
  if (Array.isArray(saved)) {
    for (const item of saved) collect(item, runs);
    return;
  }
  const { heapPages, largePages } = saved;
  if (heapPages instanceof Uint32Array) {
    for (const list of [heapPages, largePages as Uint32Array]) {
      for (let i = 0; i < list.length; i += 2) runs.push({ start: list[i], count: list[i + 1] });
    }
    return;
  }
  for (const name in saved) collect(saved[name], runs);
}
