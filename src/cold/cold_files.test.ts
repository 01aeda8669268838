/** The store over a disk in memory: what is read is what was written, whatever was freed, marked, crashed or damaged in between. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { budget } from '../../operators/batch/budget.ts';
import { U8 } from '../../operators/batch/memory.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { SqlError } from '../../operators/errors.ts';
import { Random, testSeed, times } from '../../operators/testing/property.ts';
import { type NamedFile, Unusable } from '../checkpoint/manifest.ts';
import { MemoryDisk } from '../durable/testing/memory_disk.ts';
import { BLOCK_BYTES } from './block.ts';
import { checkFiles, verifyFiles } from './check.ts';
import { ColdFiles, type ColdOptions } from './cold_files.ts';

const seed = testSeed();
const FOLDER = '/cold';
/** 64 KB, so that there are many files. */
const FILE_UNITS = 4000;
const MOST_RUN = 20_000;

const NOISE = new Uint8Array(randomBytes(1 << 20));

interface Kept {
  place: number;
  bytes: Uint8Array;
}

/** A store and what must be in it. */
class World {
  readonly disk: MemoryDisk;
  readonly files: ColdFiles;
  readonly random: Random;
  readonly kept: Kept[];
  readonly #from = pages.allocate(2);
  readonly #to = pages.allocate(2);

  private constructor(disk: MemoryDisk, files: ColdFiles, random: Random, kept: Kept[]) {
    this.disk = disk;
    this.files = files;
    this.random = random;
    this.kept = kept;
  }

  static async start(
    random: Random,
    disk = new MemoryDisk(),
    {
      loaded = [] as NamedFile[],
      kept = [] as Kept[],
      ...options
    }: { loaded?: NamedFile[]; kept?: Kept[] } & Partial<ColdOptions> = {},
  ): Promise<World> {
    const named = new Set(loaded.map(({ number }) => number));
    const files = await ColdFiles.start(
      { disk, folder: FOLDER, cacheBytes: 1, fileUnits: FILE_UNITS, leastFreeBytes: 0, ...options },
      { loaded, named },
    );
    return new World(disk, files, random, [...kept]);
  }

  write(bytes = 1 + this.random.below(this.random.below(4) === 0 ? MOST_RUN : 300)): void {
    const at = this.random.below(NOISE.length - bytes);
    const data = NOISE.subarray(at, at + bytes);
    U8.set(data, this.#from);
    const place = this.files.write(this.#from, [bytes]);
    assert.ok(place > 0 && place < 2 ** 32);
    this.kept.push({ place, bytes: data });
  }

  free(): void {
    if (this.kept.length === 0) return;
    const [{ place, bytes }] = this.kept.splice(this.random.below(this.kept.length), 1);
    this.files.free(place, bytes.length);
  }

  read({ place, bytes }: Kept): void {
    U8.fill(0xee, this.#to, this.#to + bytes.length + 1);
    this.files.read(place, bytes.length, this.#to);
    assert.ok(
      Buffer.compare(U8.slice(this.#to, this.#to + bytes.length), bytes) === 0,
      `place ${place}, ${bytes.length} bytes`,
    );
    assert.equal(U8[this.#to + bytes.length], 0xee);
  }

  readAll(): void {
    for (const kept of this.kept) this.read(kept);
  }

  names(): Promise<string[]> {
    return this.disk.list(FOLDER);
  }

  async checkpoint(): Promise<NamedFile[]> {
    const named = this.files.mark();
    await this.files.sync();
    return named;
  }

  close(): void {
    this.files.close();
    pages.release(this.#from, 2);
    pages.release(this.#to, 2);
  }
}

const numbersOf = (named: NamedFile[]) => new Set(named.map(({ number }) => number));

test('random writes, reads and frees, over checkpoints and crashes', async () => {
  for (let round = times(20); round > 0; round--) {
    const random = new Random(seed + round);
    const counted = budget.outsideBytes;
    let world = await World.start(random);
    /** What the last checkpoint had, and where it lies. */
    let image: { named: NamedFile[]; kept: Kept[] } = { named: [], kept: [] };
    for (let step = 0; step < 300; step++) {
      const what = random.below(100);
      if (what < 45) world.write();
      else if (what < 75) world.free();
      else if (what < 90 && world.kept.length > 0) world.read(world.kept[random.below(world.kept.length)]);
      else if (what < 94) world.files.clean();
      else if (what < 97) {
        image = { named: await world.checkpoint(), kept: [...world.kept] };
        world.files.keep(numbersOf(image.named));
      } else if (what === 97) {
        // A tick that is taken back: what it freed is there again.
        const saved = world.files.save();
        const kept = world.kept.slice();
        for (let n = random.below(20); n > 0; n--) world.free();
        world.kept.splice(0, world.kept.length, ...kept);
        world.files.load(saved);
      } else if (what === 98) {
        const crashed = world.disk.crash((_, unsynced) => random.below(unsynced + 1));
        world.close();
        await checkFiles(crashed, FOLDER, image.named);
        await verifyFiles(crashed, FOLDER, image.named);
        world = await World.start(random, crashed, { loaded: image.named, kept: image.kept });
        world.readAll();
      }
    }
    world.readAll();
    while (world.kept.length > 0) world.free();
    world.files.keep(new Set());
    assert.equal(world.files.figures.liveBytes, 0);
    assert.deepEqual(await world.names(), []);
    world.close();
    assert.equal(budget.outsideBytes, counted);
  }
});

test('a run larger than a file', async () => {
  const world = await World.start(new Random(7), undefined, { fileUnits: 1000 });
  for (let i = 0; i < 30; i++) {
    world.write(100);
    world.write(30_000 + i * 1000);
  }
  world.readAll();
  const named = await world.checkpoint();
  world.readAll();
  await verifyFiles(world.disk, FOLDER, named);
  while (world.kept.length > 0) world.free();
  world.files.keep(new Set());
  assert.deepEqual(await world.names(), []);
  world.close();
});

test('numbers never come again, slots do', async () => {
  const world = await World.start(new Random(1), undefined, { fileUnits: 16 });
  // More files than there are slots.
  for (let i = 0; i < 1100; i++) {
    world.write(256);
    world.free();
    world.files.clean();
  }
  assert.ok(world.files.figures.files <= 1);
  world.write();
  const [name] = await world.names();
  assert.ok(Number(name.slice(-10)) > 1099);
  world.readAll();
  world.close();
});

test('files that a checkpoint names stay as long as it is kept, and those of others go at a start', async () => {
  const world = await World.start(new Random(2));
  for (let i = 0; i < 40; i++) world.write(FILE_UNITS * 4);
  const first = await world.checkpoint();
  world.files.keep(numbersOf(first));
  while (world.kept.length > 0) world.free();
  world.files.clean();
  assert.deepEqual(new Set(await world.names()).size, first.length);
  world.write();
  const second = await world.checkpoint();
  // While the second is being taken its files stay, whatever becomes of them.
  world.free();
  world.files.clean();
  assert.equal((await world.names()).length, first.length + second.length);
  world.files.unmark();
  world.files.clean();
  assert.equal((await world.names()).length, first.length);
  world.write(100);
  const left = await world.checkpoint();
  world.close();
  // A start from the first, with the other one there still: it goes with the next checkpoint.
  const named = new Set([...numbersOf(first), ...numbersOf(left)]);
  world.disk.createNow(`${FOLDER}/cold-0000004711`);
  const files = await ColdFiles.start({ disk: world.disk, folder: FOLDER, cacheBytes: 1 }, { loaded: first, named });
  assert.equal((await world.names()).length, named.size);
  files.keep(numbersOf(first));
  assert.equal((await world.names()).length, first.length);
  files.close();
});

test('without a place for another file nothing goes, as on a full disk, until one is free', async () => {
  const world = await World.start(new Random(3), undefined, { fileUnits: 1 });
  for (let i = 1; i < 1024; i++) world.write(16);
  assert.throws(() => world.write(16), { code: 'ENOSPC' });
  world.readAll();
  world.free();
  world.files.clean();
  world.write(16);
  world.readAll();
  world.close();
});

test('what is alive in sparse files is written again, and they go', async () => {
  const world = await World.start(new Random(3), undefined, { leastRenewedBytes: 0 });
  for (let i = 0; i < 64; i++) world.write(FILE_UNITS * 2);
  assert.ok(!world.files.wantsRenewal);
  for (let i = 0; i < 40; i++) world.free();
  assert.ok(world.files.wantsRenewal);
  let renewed = 0;
  for (const kept of world.kept) {
    const place = world.files.renew(kept.place, kept.bytes.length);
    if (place !== kept.place) renewed++;
    kept.place = place;
  }
  assert.ok(renewed > 0 && renewed < world.kept.length);
  assert.ok(!world.files.wantsRenewal);
  world.readAll();
  const { bytes, liveBytes } = world.files.figures;
  world.files.clean();
  assert.ok(world.files.figures.bytes < bytes);
  assert.equal(world.files.figures.liveBytes, liveBytes);
  world.files.recount((count) => {
    for (const { place, bytes } of world.kept) count(place, bytes.length);
  });
  assert.equal(world.files.figures.liveBytes, liveBytes);
  world.files.recount(() => undefined);
  assert.deepEqual(await world.names(), []);
  world.close();
});

test('a full disk: write() throws, everything from before is there, and it goes on when there is room', async () => {
  for (const bytes of [200_000, 300_000, 451_234]) {
    const world = await World.start(new Random(bytes));
    world.disk.capacity = bytes;
    const fill = () => {
      for (;;) world.write();
    };
    assert.throws(fill, { code: 'ENOSPC' });
    assert.throws(() => world.write(), { code: 'ENOSPC' });
    world.readAll();
    world.disk.capacity = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 50; i++) world.write();
    await world.checkpoint();
    world.readAll();
    world.close();
  }
});

test('the last of the disk is left for the tick log', async () => {
  const world = await World.start(new Random(4), undefined, { leastFreeBytes: 1 << 20 });
  world.disk.capacity = 2 << 20;
  assert.throws(
    () => {
      for (;;) world.write();
    },
    { code: 'ENOSPC' },
  );
  assert.ok(world.disk.freeBytesNow() >= 1 << 20);
  world.readAll();
  world.close();
});

test('a failed sync: nothing is written, no checkpoint names it from then on, reads go on', async () => {
  const world = await World.start(new Random(5));
  for (let i = 0; i < 20; i++) world.write();
  world.disk.failSync = 'EIO';
  await assert.rejects(world.checkpoint(), { code: 'EIO' });
  world.files.unmark();
  world.disk.failSync = null;
  await assert.rejects(world.checkpoint(), { code: 'EIO' });
  assert.throws(() => world.write(), { code: 'EIO' });
  world.readAll();
  world.close();
});

test('every byte of a file matters: a read says XX001 and the file is moved aside', async () => {
  const random = new Random(seed);
  const world = await World.start(random);
  for (let i = 0; i < 12; i++) world.write(4000);
  const named = await world.checkpoint();
  const whole = world.disk;
  world.close();
  const damages: [string, (bytes: Buffer) => Buffer][] = [
    ...Array.from({ length: times(60) }, (): [string, (bytes: Buffer) => Buffer] => [
      'is damaged',
      (bytes) => {
        bytes[random.below(bytes.length)] ^= 1 << random.below(8);
        return bytes;
      },
    ]),
    ['is cut short', (bytes) => bytes.subarray(0, BLOCK_BYTES + random.below(BLOCK_BYTES))],
    ['is damaged', (bytes) => Buffer.concat([bytes.subarray(BLOCK_BYTES), bytes.subarray(0, BLOCK_BYTES)])],
  ];
  for (const [what, damage] of damages) {
    const disk = whole.crash(() => 0);
    const heard: SqlError[] = [];
    const broken = await World.start(random, disk, { loaded: named, kept: world.kept, onDamage: (e) => heard.push(e) });
    const [path] = [...disk.files.keys()];
    const stored = disk.files.get(path);
    assert.ok(stored !== undefined);
    stored.bytes = damage(stored.bytes);
    await assert.rejects(verifyFiles(disk, FOLDER, named), Unusable);
    assert.throws(
      () => {
        for (const kept of broken.kept) {
          try {
            broken.read(kept);
          } catch (error) {
            assert.equal((error as SqlError).sqlstate, 'XX001');
            throw error;
          }
        }
      },
      { message: new RegExp(what) },
    );
    assert.equal(heard.length, 1);
    broken.close();
    await assert.rejects(checkFiles(disk, FOLDER, named), /is missing/);
  }
});

test('a start that finds a file missing, cut or of another make says so', async () => {
  const world = await World.start(new Random(6));
  for (let i = 0; i < 40; i++) world.write(3000);
  const named = await world.checkpoint();
  assert.ok(named.length > 1);
  await checkFiles(world.disk, FOLDER, named);
  const path = join(FOLDER, `cold-${String(named[0].number).padStart(10, '0')}`);
  const stored = world.disk.files.get(path);
  assert.ok(stored !== undefined);
  const { bytes } = stored;
  stored.bytes = bytes.subarray(0, bytes.length - 1);
  await assert.rejects(checkFiles(world.disk, FOLDER, named), /is cut short/);
  stored.bytes = bytes;
  await assert.rejects(checkFiles(world.disk, FOLDER, [{ ...named[0], stamp: named[0].stamp ^ 1 }]), /is damaged/);
  world.disk.files.delete(path);
  await assert.rejects(checkFiles(world.disk, FOLDER, named), /is missing/);
  world.close();
});
