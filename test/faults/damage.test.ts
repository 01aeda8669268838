/**
 * A server's directory after real work and a kill, with each of its files cut, torn, flipped, zeroed, emptied or taken away in turn: the next start has
 * a state that was, compared row by row with a model, or refuses and says why. Only what the newest log file's end said may be missing.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import { KernelMemory } from '../../operators/expr/kernel/kernel_memory.ts';
import { openData } from '../../src/durable/recovery.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { streamsSql } from '../nexmark/suite.ts';
import { bundled } from './bundled.ts';
import { Child, pause, progress, rounds } from './child.ts';
import type { Aim } from './victim.ts';
import { check, checkViews, SETUP, step } from './work.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-damage-'));
after(() => rmSync(root, { recursive: true, force: true }));
const victim = bundled(fileURLToPath(new URL('victim.ts', import.meta.url)));

/** More than the server has. */
const LOW_PAGES = 4096;
const EVENTS = 3000;
const STEPS = 60;
const CHANNELS = 'SELECT channel, count(*) AS n, max(price) AS m FROM bid GROUP BY channel';

/** A directory as kill -9 leaves it: two checkpoints and a log that goes on after them. */
async function worked(seed: number): Promise<string> {
  const path = join(root, 'data');
  const child = await Child.start(path);
  const client = await child.connect();
  await client.query(SETUP);
  await client.query(streamsSql((table) => `connector = 'nexmark', table = '${table}', events = '${EVENTS}'`));
  await client.query(`CREATE MATERIALIZED VIEW channels AS ${CHANNELS}`);
  for (let i = 0; i < STEPS; i++) {
    await client.query(`BEGIN; ${step(seed, i).statements.join('; ')}; COMMIT`);
    if (i === 20 || i === 45) await client.query('CHECKPOINT');
  }
  const total = Math.floor((EVENTS * 46) / 50);
  while (Number((await client.query('SELECT sum(n)::int AS n FROM channels')).rows[0].n ?? 0) < total) await pause(20);
  await client.end();
  await child.kill();
  return path;
}

/**
 * Pages go back to the addresses that the server had them at, so they must be free here: what this process has for its kernels is taken, and kept,
 * while they are not.
 */
function keepPagesFree(): void {
  const low = pages.allocate(LOW_PAGES);
  new KernelMemory().alloc(1);
  pages.release(low, LOW_PAGES);
}

/** Compares everything with the model, then goes on; gives the steps that are there. */
async function use(engine: TidemarkEngine, seed: number): Promise<number> {
  const steps = await check((text) => sql(engine, text), seed);
  const channels = (await sql(engine, 'SELECT * FROM channels')).map(String).sort();
  assert.deepEqual(channels, (await sql(engine, CHANNELS)).map(String).sort());
  await sql(engine, 'INSERT INTO items VALUES (1000, 0, 0, NULL); CHECKPOINT');
  return steps;
}

type Random = (n: number) => number;

/** Kinds of damage: the bytes that are left, or null when the file is gone. */
const DAMAGES: Record<string, (whole: Buffer, at: number, random: Random) => Buffer | null> = {
  cut: (whole, at) => whole.subarray(0, at),
  flipped(whole, at, random) {
    const bytes = Buffer.from(whole);
    bytes[at] ^= 1 << random(8);
    return bytes;
  },
  zeroed(whole, at) {
    const bytes = Buffer.from(whole);
    return bytes.fill(0, at, Math.min(bytes.length, at + 4096));
  },
  torn(whole, at, random) {
    const bytes = Buffer.from(whole);
    for (let i = at; i < bytes.length; i++) bytes[i] = random(256);
    return bytes;
  },
  emptied: (whole) => whole.subarray(0, 0),
  gone: () => null,
};

test('every file of a real directory damaged in turn', { timeout: 3_600_000 }, async () => {
  const { random, seed } = seeded('damage to a real directory');
  const path = await worked(seed);
  keepPagesFree();
  const files = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)));
  for (const pattern of [/^layout$/, /^lock$/, /^log\/\d+\.log$/, /manifest-/, /pages-/])
    assert.ok(
      files.some((file) => pattern.test(file)),
      `no file like ${pattern} in ${files}`,
    );
  const newestLog = files
    .filter((file) => file.endsWith('.log'))
    .sort()
    .at(-1);
  const outcomes = { whole: 0, older: 0, refused: 0, earlierCheckpoint: 0 };
  const tryOne = async (file: string, how: string): Promise<void> => {
    const copy = join(root, 'copy');
    cpSync(path, copy, { recursive: true, filter: (source) => !source.endsWith('/log/reserve') });
    const whole = readFileSync(join(path, file));
    const at = random(whole.length);
    const label = `${file} ${how} at ${at} of ${whole.length}, seed ${seed}`;
    const left = DAMAGES[how](whole, at, random);
    if (left === null) rmSync(join(copy, file), { force: true });
    else writeFileSync(join(copy, file), left);
    const messages: string[] = [];
    const engine = await openEngine({ log: (_, message) => messages.push(message) });
    try {
      await openData(engine, { path: copy });
      const steps = await use(engine, seed);
      if (file !== newestLog) assert.equal(steps, STEPS, `${label}: acknowledged steps are missing`);
      if (steps === STEPS) outcomes.whole++;
      else outcomes.older++;
      assert.ok(!messages.some((message) => /in use in this process/.test(message)), messages.join());
      if (messages.some((message) => /checkpoint \d+ cannot be used/.test(message))) outcomes.earlierCheckpoint++;
    } catch (error) {
      if (!(error instanceof SqlError) || error.message.startsWith('line ')) throw new Error(label, { cause: error });
      assert.match(error.sqlstate, /^(XX001|55000)$/, `${label}: ${error.message}; ${messages.join('; ')}`);
      outcomes.refused++;
    } finally {
      await engine.close();
      rmSync(copy, { recursive: true, force: true });
    }
  };
  for (const [n, file] of files.entries()) {
    progress(`damage: file ${n + 1} of ${files.length}`);
    for (const how of Object.keys(DAMAGES)) for (let i = rounds(1, 8); i > 0; i--) await tryOne(file, how);
  }
  console.log(`# note: ${files.length} files, ${JSON.stringify(outcomes)}`);
  for (const [name, n] of Object.entries(outcomes)) assert.ok(n > 0, `${name}: none`);
});

const COLD = /^cold\/cold-/;

/** A directory as kill -9 leaves it, with state that has gone to disk after every step. */
function workedCold(seed: number): string {
  const path = join(root, 'cold');
  const aim: Aim = { operation: 'writeNow', file: '/cold/cold-', nth: 60, when: 'after', during: 'work' };
  const { signal, stderr } = spawnSync(process.execPath, [victim, path, String(seed), JSON.stringify(aim), 'cold'], {
    encoding: 'utf8',
  });
  assert.deepEqual([signal, stderr], ['SIGKILL', '']);
  return path;
}

/** A server on the directory: its rows are right, also where all of them change; or it ends, for what it was to read is damaged; or it does not start. */
async function life(data: string, seed: number, label: string): Promise<'right' | 'ended' | 'refused'> {
  let child: Child;
  try {
    child = await Child.start(data);
  } catch (error) {
    const { message } = error as Error;
    assert.match(message, /the server ended with 1/, label);
    if (/fatal: the cold file/.test(message)) return 'ended';
    assert.match(message, /damaged|missing|cut short|cannot be/, label);
    return 'refused';
  }
  const client = await child.connect();
  const types = { getTypeParser: () => (value: string | Buffer) => value };
  const ask = async (text: string): Promise<(string | null)[][]> =>
    (await client.query<(string | null)[]>({ text, rowMode: 'array', types })).rows;
  try {
    await check(ask, seed);
    await ask('UPDATE items SET v = v + 100, g = g + 1');
    await checkViews(ask, 'after a change of all rows');
    await ask('CHECKPOINT');
    return 'right';
  } catch (error) {
    if (error instanceof assert.AssertionError) throw new Error(label, { cause: error });
    await child.ended();
    assert.match(child.output, /fatal: the cold file .* is damaged/, `${label}: ${error}`);
    return 'ended';
  } finally {
    await client.end().catch(() => undefined);
    await child.kill();
  }
}

test('every file of state on disk damaged in turn: the rows are right, or the server ends and starts without it, or is refused', {
  timeout: 3_600_000,
}, async () => {
  const { random, seed } = seeded('damage to state on disk');
  const path = workedCold(seed);
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((file) => COLD.test(file));
  assert.ok(files.length > 0);
  const outcomes = { right: 0, ended: 0, refused: 0 };
  const hows = Object.keys(DAMAGES);
  for (let i = 0; i < Math.max(rounds(1, 8) * files.length, hows.length); i++) {
    const [file, how] = [files[i % files.length], hows[i % hows.length]];
    const copy = join(root, 'copy');
    cpSync(path, copy, { recursive: true, filter: (source) => !source.endsWith('/log/reserve') });
    const whole = readFileSync(join(path, file));
    // Most of a file is what later checkpoints have written again: its end is read.
    const at = random(2) === 0 ? random(whole.length) : whole.length - 1 - random(Math.min(whole.length, 40_000));
    const left = DAMAGES[how](whole, at, random);
    if (left === null) rmSync(join(copy, file));
    else writeFileSync(join(copy, file), left);
    const label = `${file} ${how} at ${at} of ${whole.length}, seed ${seed}`;
    progress(`damage to state on disk: ${label}`);
    let outcome = await life(copy, seed, label);
    outcomes[outcome]++;
    for (let lives = 1; outcome === 'ended'; lives++) {
      assert.ok(lives < 5, `${label}: it ends again and again`);
      outcome = await life(copy, seed, label);
    }
    rmSync(copy, { recursive: true, force: true });
  }
  console.log(`# note: ${files.length} cold files, ${JSON.stringify(outcomes)}`);
  assert.ok(outcomes.ended + outcomes.refused > 0, 'no damage was met');
});
