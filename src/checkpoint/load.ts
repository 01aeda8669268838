/**
 * Brings the newest checkpoint that is whole back into memory: its pages at their places, verified one by one.
 *
 * A checkpoint with any damage is left alone and the one before is tried. Nothing of a checkpoint is used before all of it is verified.
 */
import { deserialize } from 'node:v8';
import { PAGE_BYTES } from '../../operators/batch/memory.ts';
import { pages } from '../../operators/batch/pages.ts';
import { pagesOf, type Saved } from '../../operators/state/saved.ts';
import { loadedPages, type PageRun } from '../../operators/state/write_marks.ts';
import { type Manifest, type NamedFile, Unusable } from './manifest.ts';
import { readPages } from './page_file.ts';
import type { Candidate, CheckpointStore } from './store.ts';

export interface Loaded {
  tick: bigint;
  sequence: bigint;
  saved: Saved;
  cold: NamedFile[];
  /** Bytes of state memory read. */
  bytes: number;
}

export type CheckCold = (named: NamedFile[]) => Promise<void>;

/** `progress` hears how many pages of how many are there. */
export type LoadProgress = (done: number, all: number) => void;

/**
 * Loads the newest usable checkpoint, to be called before anything else takes pages. Null when there is none. `problem` hears of each checkpoint that
 * could not be used. `misfit` says why this program cannot go on from what was saved; `checkCold` throws
 * Unusable when cold files are not there.
 */
export async function loadNewest(
  store: CheckpointStore,
  found: Candidate[],
  problem: (number: number, reason: string) => void,
  progress: LoadProgress = () => undefined,
  misfit: (saved: Saved) => string | null = () => null,
  checkCold: CheckCold = () => Promise.resolve(),
): Promise<Loaded | null> {
  for (const candidate of found) {
    if ('reason' in candidate) {
      problem(candidate.number, candidate.reason);
      continue;
    }
    try {
      const loaded = await load(store, candidate.manifest, progress, misfit, checkCold);
      store.loaded(candidate.manifest);
      return loaded;
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      problem(candidate.number, error.message);
    }
  }
  return null;
}

/** Gives the pages back that were loaded for an engine which is not made. */
export function giveBack({ saved }: Loaded): void {
  for (const { start, count } of pagesOf(saved)) pages.release(start * PAGE_BYTES, count);
}

async function load(
  store: CheckpointStore,
  manifest: Manifest,
  progress: LoadProgress,
  misfit: (saved: Saved) => string | null,
  checkCold: CheckCold,
): Promise<Loaded> {
  const saved = deserialize(manifest.metadata) as Saved;
  const reason = misfit(saved);
  if (reason !== null) throw new Unusable(reason);
  await checkCold(manifest.cold);
  const reserved: PageRun[] = [];
  try {
    for (const run of pagesOf(saved)) {
      if (!pages.reserve(run.start * PAGE_BYTES, run.count))
        throw new Unusable(`its pages ${run.start} to ${run.start + run.count - 1} are in use in this process`);
      reserved.push(run);
    }
    const all = manifest.pages.size;
    let done = 0;
    await readPages(store.disk, store.folder, manifest.pages, (count) => {
      done += count;
      progress(done, all);
    });
  } catch (error) {
    for (const { start, count } of reserved) pages.release(start * PAGE_BYTES, count);
    throw error;
  }
  loadedPages(reserved, [...manifest.pages.keys()]);
  const { tick, sequence, cold } = manifest;
  return { tick, sequence, saved, cold, bytes: manifest.pages.size * PAGE_BYTES };
}
