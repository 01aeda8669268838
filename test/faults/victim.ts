/**
 * A process that kills itself in the middle of an operation of its disk: recovers, checks everything, then works and takes checkpoints.
 *
 *   node victim.ts PATH SEED AIM [cold]      AIM as JSON, see Aim; cold: state goes to disk after every step
 *
 *   recovered N     the state of N steps is there, tables and views
 *   wrote N         step N is acknowledged
 *   missed          the aim never came
 */

import { type Disk, type DiskFile, type NowFile, realDisk } from '../../src/durable/disk.ts';
import { openData } from '../../src/durable/recovery.ts';
import { chillAll } from '../durable/chill_all.ts';
import { openEngine, Session, sql } from '../engine/harness.ts';
import { check, SETUP, step } from './work.ts';

export interface Aim {
  /** `any`: whatever the disk is asked for. */
  operation: keyof Disk | keyof DiskFile | keyof NowFile | 'any';
  /** A pattern of the path; with `any` it may be empty. */
  file: string;
  /** Which of them, from 1 on. */
  nth: number;
  /** `half`: a write is cut in the middle. */
  when: 'before' | 'half' | 'after';
  /** Counts from the first operation of the start, or from the end of recovery. */
  during: 'recovery' | 'work';
}

const MOST_STEPS = 600;
const CHECKPOINT_EVERY = 12;

const [path, seedText, aimText, cold] = process.argv.slice(2);
const seed = Number(seedText);
const aim = JSON.parse(aimText) as Aim;
const pattern = new RegExp(aim.file);
let left = aim.nth;
let armed = aim.during === 'recovery';

function die(): void {
  process.kill(process.pid, 'SIGKILL');
  // The signal comes before the next line of JavaScript that matters; nothing may follow it.
  for (;;);
}

async function at<T>(
  operation: Aim['operation'],
  file: string,
  run: () => Promise<T>,
  half?: () => Promise<unknown>,
): Promise<T> {
  const meant = armed && (aim.operation === 'any' || aim.operation === operation) && pattern.test(file);
  if (!meant || --left > 0) return run();
  if (aim.when === 'before') die();
  if (aim.when === 'half' && half !== undefined) await half();
  else await run();
  return die() as never;
}

function atNow<T>(operation: Aim['operation'], file: string, run: () => T, half?: () => unknown): T {
  const meant = armed && (aim.operation === 'any' || aim.operation === operation) && pattern.test(file);
  if (!meant || --left > 0) return run();
  if (aim.when === 'before') die();
  if (aim.when === 'half' && half !== undefined) half();
  else run();
  return die() as never;
}

function aimedNow(file: NowFile, path: string): NowFile {
  return {
    writeNow: (bytes, position) =>
      atNow(
        'writeNow',
        path,
        () => file.writeNow(bytes, position),
        () => file.writeNow(bytes.subarray(0, bytes.length >> 1), position),
      ),
    readNow: (into, position) => atNow('readNow', path, () => file.readNow(into, position)),
    sync: () => at('sync', path, () => file.sync()),
    endWrites: () => file.endWrites(),
    closeNow: () => file.closeNow(),
  };
}

function aimed(file: DiskFile, path: string): DiskFile {
  return {
    write: (bytes, position) =>
      at(
        'write',
        path,
        () => file.write(bytes, position),
        () => file.write(bytes.subarray(0, bytes.length >> 1), position),
      ),
    sync: () => at('sync', path, () => file.sync()),
    read: (into, position) => at('read', path, () => file.read(into, position)),
    truncate: (length) => at('truncate', path, () => file.truncate(length)),
    close: () => file.close(),
  };
}

const disk: Disk = {
  create: (path) => at('create', path, async () => aimed(await realDisk.create(path), path)),
  open: (path) => at('open', path, async () => aimed(await realDisk.open(path), path)),
  read: (path) => at('read', path, () => realDisk.read(path)),
  list: (folder) => at('list', folder, () => realDisk.list(folder)),
  makeFolder: (path) => at('makeFolder', path, () => realDisk.makeFolder(path)),
  rename: (from, to) => at('rename', to, () => realDisk.rename(from, to)),
  remove: (path) => at('remove', path, () => realDisk.remove(path)),
  syncFolder: (path) => at('syncFolder', path, () => realDisk.syncFolder(path)),
  freeBytes: (path) => realDisk.freeBytes(path),
  createNow: (path) => atNow('createNow', path, () => aimedNow(realDisk.createNow(path), path)),
  openNow: (path) => atNow('openNow', path, () => aimedNow(realDisk.openNow(path), path)),
  removeNow: (path) => atNow('removeNow', path, () => realDisk.removeNow(path)),
  renameNow: (from, to) => atNow('renameNow', to, () => realDisk.renameNow(from, to)),
  freeBytesNow: (path) => realDisk.freeBytesNow(path),
};

const engine = await openEngine();
await openData(engine, {
  path,
  disk,
  segmentBytes: 8192,
  coldState: cold !== undefined,
  reserveBytes: 1 << 20,
  aheadBytes: 2048,
  checkpoints: { seconds: 1e6, logBytes: 1e12 },
});
if (engine.catalog.find(undefined, 'windows') === undefined)
  await sql(engine, engine.catalog.find(undefined, 'items') === undefined ? SETUP : rest());

/** What a kill during the set-up has left to do. */
function rest(): string {
  return SETUP.split(';\n')
    .filter((statement) => {
      const name = /CREATE (?:TABLE|STREAM|MATERIALIZED VIEW) (\w+)/.exec(statement)?.[1];
      return name !== undefined && engine.catalog.find(undefined, name) === undefined;
    })
    .join(';\n');
}

let steps = await check((text) => sql(engine, text), seed);
console.log(`recovered ${steps}`);
armed = true;
if (aim.during === 'recovery') left = Number.POSITIVE_INFINITY;
let taking: Promise<unknown> | undefined;
for (const end = steps + MOST_STEPS; steps < end && left !== Number.POSITIVE_INFINITY; steps++) {
  const session = new Session(engine);
  for (const statement of step(seed, steps).statements) await session.run(statement);
  await session.transaction.commit();
  console.log(`wrote ${steps}`);
  if (cold !== undefined) chillAll(engine);
  if (steps % CHECKPOINT_EVERY !== 0) continue;
  await taking;
  taking = engine.checkpoints?.take();
}
console.log('missed');
process.kill(process.pid, 'SIGKILL');
