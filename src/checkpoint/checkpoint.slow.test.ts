/** Checkpoints on a disk that crashes, lies and fills up: what is loaded is the state at the checkpoint's tick, or nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { budget } from '../../operators/batch/budget.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { PAGE_BYTES } from '../../operators/batch/memory.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import '../../operators/expr/functions/index.ts';
import { Heap } from '../../operators/state/heap.ts';
import { KeyedIndex } from '../../operators/state/keyed_index.ts';
import { Bag, Random, testSeed } from '../../operators/testing/property.ts';
import { colType, OID } from '../../operators/types.ts';
import type { Disk, DiskFile } from '../durable/disk.ts';
import { MemoryDisk } from '../durable/testing/memory_disk.ts';
import { Checkpointer } from './checkpointer.ts';
import { loadNewest } from './load.ts';
import { CheckpointStore } from './store.ts';

const seed = testSeed();
const FOLDER = '/checkpoints';
const IDENTITY = 42n;
const types = [colType(OID.int4), colType(OID.text)];

/** A relation in an index of several pages, with what it held after each tick. */
class World {
  index = new KeyedIndex(types, [0], true);
  readonly arena = new Arena();
  readonly random: Random;
  readonly rows: Datum[][] = [];
  bag = new Bag();
  readonly history = new Map<bigint, string[]>();
  now = 0n;

  constructor(random: Random) {
    this.random = random;
    this.note();
  }

  note(): void {
    this.history.set(this.now, this.bag.texts());
  }

  /** `keys`: few distinct ones touch few pages. */
  tick(n: number, keys = 400): void {
    const rows: Datum[][] = [];
    const weights: number[] = [];
    for (let i = 0; i < n; i++) {
      if (this.rows.length > 300 && this.random.below(2) === 0) {
        rows.push(this.rows.splice(this.random.below(this.rows.length), 1)[0]);
        weights.push(-1);
      } else {
        const row: Datum[] = [this.random.below(keys), 'x'.repeat(this.random.below(3000))];
        this.rows.push(row);
        rows.push(row);
        weights.push(1);
      }
    }
    const delta = batchFromRows(types, rows, this.arena, weights);
    this.index.apply(delta);
    this.index.endTick();
    this.bag.addBatch(delta);
    this.arena.reset();
    this.now++;
    this.note();
  }

  /** What the index holds. */
  texts(): string[] {
    const bag = new Bag();
    this.index.forEach(this.arena, (slot, entry, weight) => {
      const columns = batchFromRows(types, [[null, null]], this.arena, [1]);
      this.index.loadRow(slot, entry, columns.columns, 0);
      bag.add(readRow(columns, 0), weight * weightOf(columns, 0));
    });
    this.arena.reset();
    return bag.texts();
  }

  release(): void {
    this.index.release();
    this.arena.release();
  }
}

/** Copies a page at a time; `turn` is what happens between two. */
async function openCheckpointer(disk: Disk, turn?: () => Promise<void>) {
  const { store, found } = await CheckpointStore.open(disk, FOLDER, IDENTITY);
  return { store, found, checkpointer: new Checkpointer(store, { turn, sliceMs: 0 }) };
}

const momentOf = (world: World) => ({ tick: world.now, sequence: world.now * 10n, saved: world.index.save() });

/** Loads the newest usable checkpoint and compares it with what the world was at its tick. Gives that tick, or null. */
async function loadAndCompare(disk: Disk, world: World, label: string): Promise<bigint | null> {
  const { store, found } = await CheckpointStore.open(disk, FOLDER, IDENTITY);
  const reasons: string[] = [];
  const loaded = await loadNewest(store, found, (_, reason) => reasons.push(reason));
  if (loaded === null) return null;
  const index = new KeyedIndex(types, [0], true);
  index.load(loaded.saved as ReturnType<typeof index.save>);
  const copy = Object.assign(Object.create(World.prototype), { index, arena: world.arena }) as World;
  assert.deepEqual(copy.texts(), world.history.get(loaded.tick), `${label} (${reasons.join('; ')})`);
  assert.equal(loaded.sequence, loaded.tick * 10n);
  index.release();
  return loaded.tick;
}

class Crash extends Error {}

/** Throws at the nth operation that changes the disk, and from then on. */
function crashing(disk: MemoryDisk, after: number): Disk & { crashed: boolean } {
  let left = after;
  const step = () => {
    if (left-- <= 0) throw new Crash();
  };
  const wrapFile = (file: DiskFile): DiskFile => ({
    ...file,
    async write(bytes, position) {
      // A write that is cut short by the crash.
      if (left === 0) await file.write(bytes.subarray(0, bytes.length / 3), position);
      step();
      return file.write(bytes, position);
    },
    async sync() {
      step();
      return file.sync();
    },
  });
  return {
    get crashed() {
      return left < 0;
    },
    async create(path) {
      step();
      return wrapFile(await disk.create(path));
    },
    open: (path) => disk.open(path),
    read: (path) => disk.read(path),
    list: (folder) => disk.list(folder),
    makeFolder: () => disk.makeFolder(),
    async rename(from, to) {
      step();
      return disk.rename(from, to);
    },
    async remove(path) {
      step();
      return disk.remove(path);
    },
    async syncFolder() {
      step();
      return disk.syncFolder();
    },
    freeBytes: () => disk.freeBytes(),
    createNow: (path) => disk.createNow(path),
    openNow: (path) => disk.openNow(path),
    removeNow: (path) => disk.removeNow(path),
    renameNow: (from, to) => disk.renameNow(from, to),
    freeBytesNow: () => disk.freeBytesNow(),
  };
}

test('a crash at any operation of the disk leaves the checkpoint before or the new one, whole', async () => {
  const used = pages.usedPages;
  const random = new Random(seed);
  let ended = false;
  for (let operations = 0; !ended; operations++) {
    const world = new World(random);
    const real = new MemoryDisk();
    const first = await openCheckpointer(real);
    for (let i = 0; i < 3; i++) {
      world.tick(200);
      await first.checkpointer.take(momentOf(world));
    }
    const before = world.now;
    const disk = crashing(real, operations);
    // The checkpointer of before goes on, on a disk that ends.
    Object.assign(first.store, { disk });
    const checkpointer = new Checkpointer(first.store, { turn: async () => world.tick(20), sliceMs: 0 });
    world.tick(300);
    const at = world.now;
    await checkpointer.take(momentOf(world)).catch((error) => assert.ok(error instanceof Crash, String(error)));
    ended = !disk.crashed;
    const after = real.crash((_path, unsynced) => random.below(unsynced + 1));
    world.index.release();
    const loaded = await loadAndCompare(after, world, `crash at operation ${operations}, seed ${seed}`);
    assert.ok(loaded === before || loaded === at, `loaded ${loaded}, not ${before} or ${at}`);
    if (ended) assert.equal(loaded, at);
    world.release();
  }
  assert.equal(pages.usedPages, used);
});

test('damage to any file leads to the earlier checkpoint or to none, never to other rows', async () => {
  const random = new Random(seed + 1);
  const world = new World(random);
  const disk = new MemoryDisk();
  const { checkpointer } = await openCheckpointer(disk, async () => world.tick(10));
  const ticks: bigint[] = [];
  for (let i = 0; i < 4; i++) {
    world.tick(i === 0 ? 1500 : 60, i === 0 ? 400 : 4);
    ticks.push(world.now);
    await checkpointer.take(momentOf(world));
  }
  world.index.release();
  const [, , earlier, newest] = ticks;
  assert.equal(await loadAndCompare(disk, world, 'undamaged'), newest);
  for (const path of [...disk.files.keys()]) {
    const whole = disk.files.get(path) as { bytes: Buffer; synced: Buffer };
    for (const how of ['flip', 'flip', 'flip', 'cut', 'empty', 'gone', 'zeros'] as const) {
      const bytes = Buffer.from(whole.bytes);
      const at = random.below(bytes.length);
      if (how === 'flip') bytes[at] ^= 1 << random.below(8);
      if (how === 'zeros') bytes.fill(0, at, Math.min(bytes.length, at + 4096));
      const kept = how === 'cut' ? bytes.subarray(0, at) : how === 'empty' ? bytes.subarray(0, 0) : bytes;
      if (how === 'gone') disk.files.delete(path);
      else disk.files.set(path, { bytes: kept, synced: kept });
      const loaded = await loadAndCompare(disk, world, `${how} ${path} at ${at}, seed ${seed}`);
      // Some places of a page file are used by neither checkpoint, and zeros may have been zeros.
      const allowed = path.includes('manifest') ? [newest, earlier] : [newest, earlier, null];
      assert.ok(allowed.includes(loaded), `${how} ${path}: loaded ${loaded}`);
      disk.files.set(path, whole);
    }
  }
  assert.equal(await loadAndCompare(disk, world, 'undamaged again'), newest);
  world.release();
});

test('another layout version or another directory is not read', async () => {
  const world = new World(new Random(seed + 2));
  const disk = new MemoryDisk();
  const { checkpointer } = await openCheckpointer(disk);
  world.tick(50);
  await checkpointer.take(momentOf(world));
  world.release();
  const { store, found } = await CheckpointStore.open(disk, FOLDER, IDENTITY + 1n);
  const reasons: string[] = [];
  assert.equal(await loadNewest(store, found, (_, reason) => reasons.push(reason)), null);
  assert.deepEqual(reasons, ['it belongs to another data directory']);
});

test('the folder is bounded by the state, however many checkpoints there are', async () => {
  const random = new Random(seed + 3);
  const world = new World(random);
  const disk = new MemoryDisk();
  const { checkpointer, store } = await openCheckpointer(disk, async () => world.tick(5, 2));
  world.tick(1000);
  let most = 0;
  let last = 0n;
  for (let i = 0; i < 80; i++) {
    world.tick(i % 10 === 0 ? 300 : 20, i % 10 === 0 ? 400 : 1 + random.below(5));
    last = (await checkpointer.take(momentOf(world))).tick;
    const state = (store.newest?.pages.size ?? 0) * PAGE_BYTES;
    most = Math.max(most, disk.used / state);
    assert.ok(disk.files.size <= 2 * 34, `${disk.files.size} files`);
  }
  assert.ok(most < 6, `the folder had ${most} times the bytes of the state`);
  world.index.release();
  assert.equal(await loadAndCompare(disk, world, 'after many'), last);
  world.release();
});

test('a checkpoint that meets a full disk is given up; the next has everything', async () => {
  const used = pages.usedPages;
  const world = new World(new Random(seed + 4));
  const disk = new MemoryDisk();
  const { checkpointer } = await openCheckpointer(disk, async () => world.tick(5, 2));
  world.tick(1000);
  await checkpointer.take(momentOf(world));
  disk.capacity = disk.used + 100_000;
  world.tick(1000);
  const files = [...disk.files.keys()];
  await assert.rejects(checkpointer.take(momentOf(world)), { code: 'ENOSPC' });
  assert.deepEqual([...disk.files.keys()], files, 'nothing is left of it');
  world.tick(10);
  disk.failSync = 'EIO';
  disk.capacity = Number.POSITIVE_INFINITY;
  await assert.rejects(checkpointer.take(momentOf(world)), { code: 'EIO' });
  disk.failSync = null;
  const report = await checkpointer.take(momentOf(world));
  world.index.release();
  assert.equal(await loadAndCompare(disk, world, 'after failures'), report.tick);
  world.release();
  assert.equal(pages.usedPages, used);
});

test('copies that wait for a slow disk are a small share of a small limit, however fast they are made', async () => {
  const heap = new Heap();
  budget.limit = 64 << 20;
  try {
    for (let i = 0; i < 40; i++) heap.alloc(4 * PAGE_BYTES);
    const disk = new MemoryDisk();
    let most = 0;
    const slow: Disk = Object.assign(Object.create(disk), {
      async create(path: string) {
        const file = await disk.create(path);
        const write: DiskFile['write'] = async (bytes, position) => {
          most = Math.max(most, budget.outside().get('checkpoint') ?? 0);
          await new Promise(setImmediate);
          return file.write(bytes, position);
        };
        return Object.assign(Object.create(file), { write });
      },
    });
    const { store } = await CheckpointStore.open(slow, FOLDER, IDENTITY);
    const checkpointer = new Checkpointer(store, { sliceMs: 1000 });
    const report = await checkpointer.take({ tick: 1n, sequence: 1n, saved: heap.save() });
    assert.equal(report.written, 160);
    assert.equal(most, 2 << 20);
    assert.equal(budget.outside().get('checkpoint'), 0);
  } finally {
    budget.limit = Number.POSITIVE_INFINITY;
    heap.release();
  }
});
