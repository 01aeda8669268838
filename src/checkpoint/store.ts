/**
 * The folder of checkpoints:
 *
 *   manifest-0000000012    one checkpoint (manifest.ts); the two newest are kept
 *   pages-0000000012       the pages that changed for it (page_file.ts)
 *   pages-0000000007       ... older ones, as long as a kept manifest uses a page of theirs
 *
 * Order of writing: page file, sync, folder; manifest beside, sync, rename, folder; only then files that nothing uses go. So at any instant the kept
 * manifests are whole, whatever a crash leaves besides.
 *
 * Size: a page file of which less than half is used is rewritten into the next checkpoint, and so are the smallest when there are too many files.
 * So the folder holds a small multiple of the state, however many checkpoints there were.
 */
import { join } from 'node:path';
import { type Disk, replaceFile } from '../durable/disk.ts';
import { decodeManifest, encodeManifest, type Manifest, Unusable } from './manifest.ts';
import { pageFileName } from './page_file.ts';

const KEPT = 2;
/** A file is rewritten when less of it is used. */
const LEAST_USED = 0.5;
const MOST_FILES = 32;

export function manifestName(number: number): string {
  return `manifest-${String(number).padStart(10, '0')}`;
}

/** A checkpoint as it is found: usable as far as its manifest tells, or not and why. */
export type Candidate = { number: number; manifest: Manifest } | { number: number; reason: string };

/** The manifests and page files among these names. */
function numbered(names: string[]): { kind: string; number: number }[] {
  return names.flatMap((name) => {
    const match = /^(manifest|pages)-(\d{10})$/.exec(name);
    return match === null ? [] : [{ kind: match[1], number: Number(match[2]) }];
  });
}

/** The checkpoints of a folder, newest first; none when there is no such folder. */
export async function findCheckpoints(disk: Disk, folder: string, identity: bigint): Promise<Candidate[]> {
  const names = await disk.list(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const manifests = numbered(names).filter(({ kind }) => kind === 'manifest');
  const found: Candidate[] = [];
  for (const { number } of manifests.sort((a, b) => b.number - a.number)) {
    try {
      const bytes = await disk.read(join(folder, manifestName(number)));
      found.push({ number, manifest: decodeManifest(bytes, identity) });
    } catch (error) {
      // A running server may have removed it since the folder was listed.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      if (!(error instanceof Unusable)) throw error;
      found.push({ number, reason: error.message });
    }
  }
  return found;
}

export class CheckpointStore {
  readonly disk: Disk;
  readonly folder: string;
  readonly identity: bigint;
  /** Newest last. */
  #kept: Manifest[] = [];
  #lastNumber = 0;

  private constructor(disk: Disk, folder: string, identity: bigint) {
    this.disk = disk;
    this.folder = folder;
    this.identity = identity;
  }

  /** The store of a folder, which is made when missing, and the checkpoints in it, newest first. */
  static async open(
    disk: Disk,
    folder: string,
    identity: bigint,
  ): Promise<{ store: CheckpointStore; found: Candidate[] }> {
    const store = new CheckpointStore(disk, folder, identity);
    await disk.makeFolder(folder);
    for (const { number } of numbered(await disk.list(folder))) store.#lastNumber = Math.max(store.#lastNumber, number);
    return { store, found: await findCheckpoints(disk, folder, identity) };
  }

  /** The newest checkpoint; null before the first. */
  get newest(): Manifest | null {
    return this.#kept.at(-1) ?? null;
  }

  /** Records up to this one are needed by no kept checkpoint; 0 as long as there are not two. */
  get coveredSequence(): bigint {
    return this.#kept.length < KEPT ? 0n : this.#kept[0].sequence;
  }

  /** The checkpoint that the state was loaded from is what the next builds on. */
  loaded(manifest: Manifest): void {
    this.#kept = [manifest];
  }

  /** Numbers of the cold files that kept checkpoints name. */
  get coldFiles(): Set<number> {
    return new Set(this.#kept.flatMap(({ cold }) => cold.map(({ number }) => number)));
  }

  nextNumber(): number {
    return ++this.#lastNumber;
  }

  /** Pages of sparse or too many files: the next checkpoint writes them again. */
  pagesToMove(): Set<number> {
    const { newest } = this;
    if (newest === null) return new Set();
    const used = new Map<number, number[]>();
    for (const [page, { file }] of newest.pages) {
      const list = used.get(file);
      if (list === undefined) used.set(file, [page]);
      else list.push(page);
    }
    const bySize = [...used].sort(([, a], [, b]) => a.length - b.length);
    const moved = new Set<number>();
    bySize.forEach(([file, list], i) => {
      const sparse = list.length < LEAST_USED * (newest.files.get(file) as number);
      if (sparse || bySize.length - i > MOST_FILES) for (const page of list) moved.add(page);
    });
    return moved;
  }

  /** Makes a checkpoint whose page file is on the disk the newest one. */
  async publish(manifest: Manifest): Promise<void> {
    await this.disk.syncFolder(this.folder);
    await replaceFile(this.disk, join(this.folder, manifestName(manifest.number)), encodeManifest(manifest));
    this.#kept.push(manifest);
    while (this.#kept.length > KEPT) this.#kept.shift();
  }

  /** Removes what no kept checkpoint uses. */
  async clean(): Promise<void> {
    const needed = new Set<string>();
    for (const manifest of this.#kept) {
      needed.add(manifestName(manifest.number));
      for (const file of manifest.files.keys()) needed.add(pageFileName(file));
    }
    // Manifests first: one that is there must have its pages.
    const names = (await this.disk.list(this.folder)).filter((name) => !needed.has(name)).sort();
    for (const name of names) await this.disk.remove(join(this.folder, name));
    if (names.length > 0) await this.disk.syncFolder(this.folder);
  }
}
