/**
 * npm run bench -- growth [q4 ...] [--events LONGEST]: what an event costs after a history of 1, 2, 4, ... million events, and what a stored row takes.
 *
 *   one engine a query: history ......... 1 M [measured] ...... 2 M [measured] ............ 4 M [measured] ...
 *
 * Measured are the last MEASURED events before each length, beside JSON.parse of the same messages in turn, so that `growth` (the ratio to parsing at
 * the shortest history / the ratio here) means the same however busy the machine is at either time. A stored row's bytes stand beside its raw ones and what it may
 * take (raw_bytes.ts). With --megabytes the engine has so much memory, and what does not fit goes to disk (`coldMb`). Each query runs in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { budget } from '../../operators/batch/budget.ts';
import { cold } from '../../operators/state/cold_store.ts';
import { ColdFiles } from '../../src/cold/cold_files.ts';
import { realDisk } from '../../src/durable/disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { QUERIES } from '../../test/nexmark/suite.ts';
import { Table } from '../table.ts';
import { MessageEngine } from './engine.ts';
import { Chunk } from './input.ts';
import { RawBytes } from './raw_bytes.ts';

const CHUNK = 50_000;
const MEASURED = 200_000;
const SHORTEST = 1_000_000;
const CACHE_BYTES = 64 << 20;

export interface GrowthOptions {
  queries: string[];
  /** The longest history. */
  events: number;
  tickEvents: number;
  /** The memory limit; null: all there is, and no state on disk. */
  megabytes: number | null;
  json: boolean;
}

export async function growthBench(options: GrowthOptions): Promise<void> {
  const queries = options.queries.length > 0 ? options.queries : QUERIES;
  if (queries.length === 1) {
    await grow(queries[0], options);
    return;
  }
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  for (const query of queries) {
    const { events, tickEvents, megabytes, json } = options;
    const args = ['--import', 'tsx', main, 'growth', query, '--events', `${events}`, '--tick', `${tickEvents}`];
    if (megabytes !== null) args.push('--megabytes', `${megabytes}`);
    const { status } = spawnSync(process.execPath, json ? [...args, '--json'] : args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`growth of ${query} failed`);
  }
}

const PLOT_UNIT = 16;
const PLOT_MARKS = [1.5, 2.5];

/** Growth as a bar: 16 characters are 1, and at 1.5 and 2.5, the most that it may be with bounded and with growing state, stands a mark. */
function plot(growth: number): string {
  const length = Math.min(Math.round(growth * PLOT_UNIT), PLOT_MARKS[1] * PLOT_UNIT + 1);
  const line = '#'
    .repeat(length)
    .padEnd(PLOT_MARKS[1] * PLOT_UNIT + 1)
    .split('');
  for (const mark of PLOT_MARKS) if (line[mark * PLOT_UNIT] === ' ') line[mark * PLOT_UNIT] = '|';
  return line.join('');
}

function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function grow(query: string, options: GrowthOptions): Promise<void> {
  const table = new Table(options.json);
  const run = await MessageEngine.open(query, 'blackhole');
  const disk = options.megabytes === null ? null : await coldState(run.engine, options.megabytes);
  const tables = run.tables();
  const raw = new RawBytes(run.engine.loop.graph);
  let length = SHORTEST;
  let first: number | null = null;
  let events = 0;
  let own = 0;
  let parse = 0;
  for (let from = 0; from < options.events; from += CHUNK) {
    const chunk = new Chunk(tables, from, from + CHUNK);
    const ticks = chunk.rawTicks(options.tickEvents);
    const counts = from >= length - MEASURED;
    // As warm in the first stretch as in the others.
    if (!counts && from >= length - 2 * MEASURED) chunk.parseAll();
    if (counts) raw.stop();
    if (counts) parse += cpuSeconds(() => chunk.parseAll());
    const used = cpuSeconds(() => {
      for (const tick of ticks) run.tick(tick);
    });
    chunk.release();
    // Sinks and timers get their turn.
    await turn();
    if (!counts) continue;
    own += used;
    events += chunk.count;
    if (from + CHUNK < length) continue;
    const ratio = parse / own;
    first ??= ratio;
    const state = run.state();
    const bound = raw.bound();
    const perRow = (bytes: number) => (state.rows === 0 ? null : bytes / state.rows);
    const growth = first / ratio;
    table.add({
      query,
      history: length,
      nsPerEvent: Math.round((own / events) * 1e9),
      jsonParseRatio: ratio,
      growth,
      stateRows: state.rows,
      stateBytes: state.bytes,
      bytesPerRow: perRow(state.bytes),
      rawBytesPerRow: perRow(bound.raw),
      boundPerRow: perRow(bound.bytes),
      coldMb: disk === null ? null : Math.round(disk.files.figures.liveBytes / 2 ** 20),
      ...(options.json ? {} : { plot: plot(growth) }),
    });
    length *= 2;
    events = 0;
    own = 0;
    parse = 0;
  }
  await run.engine.close();
  if (disk !== null) rmSync(disk.folder, { recursive: true });
}

/** Limits memory; old state goes to files of a folder of its own. */
async function coldState(engine: TidemarkEngine, megabytes: number): Promise<{ files: ColdFiles; folder: string }> {
  budget.limit = megabytes * 2 ** 20;
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-growth-'));
  const files = await ColdFiles.start(
    { disk: realDisk, folder, cacheBytes: CACHE_BYTES },
    { loaded: [], named: new Set() },
  );
  engine.cold = files;
  cold.store = files;
  return { files, folder };
}
