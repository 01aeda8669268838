/**
 * npm run bench -- growth [q4 ...] [--events LONGEST]: what an event costs after a history of 1, 2, 4, ... million events, and what a stored row takes.
 *
 *   one engine a query: history ......... 1 M [measured] ...... 2 M [measured] ............ 4 M [measured] ...
 *
 * Measured are the last MEASURED events before each length, beside JSON.parse of the same messages in turn, so that `growth` (the ratio to parsing at
 * the shortest history / the ratio here) means the same however busy the machine is at either time. A stored row's bytes stand beside its raw ones and what it may
 * take (raw_bytes.ts). Each query runs in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { QUERIES } from '../../test/nexmark/suite.ts';
import { Table } from '../table.ts';
import { MessageEngine } from './engine.ts';
import { Chunk } from './input.ts';
import { RawBytes } from './raw_bytes.ts';

const CHUNK = 50_000;
const MEASURED = 200_000;
const SHORTEST = 1_000_000;

export interface GrowthOptions {
  queries: string[];
  /** The longest history. */
  events: number;
  tickEvents: number;
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
    const { events, tickEvents, json } = options;
    const args = ['--import', 'tsx', main, 'growth', query, '--events', `${events}`, '--tick', `${tickEvents}`];
    const { status } = spawnSync(process.execPath, json ? [...args, '--json'] : args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`growth of ${query} failed`);
  }
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
    if (counts) raw.stop();
    if (counts) parse += cpuSeconds(() => chunk.parseAll());
    const used = cpuSeconds(() => {
      for (const tick of ticks) run.tick(tick);
    });
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
    table.add({
      query,
      history: length,
      nsPerEvent: Math.round((own / events) * 1e9),
      jsonParseRatio: ratio,
      growth: first / ratio,
      stateRows: state.rows,
      stateBytes: state.bytes,
      bytesPerRow: perRow(state.bytes),
      rawBytesPerRow: perRow(bound.raw),
      boundPerRow: perRow(bound.bytes),
    });
    length *= 2;
    events = 0;
    own = 0;
    parse = 0;
  }
  await run.engine.close();
}
