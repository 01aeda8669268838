/**
 * npm run bench -- profile qN: runs the query from JSON bytes to the blackhole under the CPU profiler of node:inspector.
 *
 *   nexmark-qN.cpuprofile   in the working folder; Chrome's developer tools and speedscope draw it as a flame graph
 *   a table of operators    rows in and out, nanoseconds a row, state
 *   a table of functions    those that take most of the time themselves
 */
import { writeFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector/promises';
import { Table } from '../table.ts';
import { MessageEngine } from './engine.ts';
import { Chunk } from './input.ts';

const WARM_UP = 100_000;
const FUNCTIONS = 30;
const INTERVAL_MICROS = 200;
/** The profiler itself and the pause before it starts. */
const OUTSIDE = /^(dispatch|\(idle\)) /;

export async function profile(options: {
  query: string;
  events: number;
  tickEvents: number;
  json: boolean;
}): Promise<void> {
  const { query, events, tickEvents } = options;
  const run = await MessageEngine.open(query, 'blackhole');
  const input = (from: number, to: number) => new Chunk(run.tables(), from, to);
  const first = input(0, WARM_UP);
  for (const tick of first.rawTicks(tickEvents)) run.tick(tick);
  first.release();
  for (const node of run.engine.loop.graph.nodes()) node.timed = true;
  const before = run.figures();
  const chunk = input(WARM_UP, WARM_UP + events);
  const ticks = chunk.rawTicks(tickEvents);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROS });
  await session.post('Profiler.start');
  for (const tick of ticks) run.tick(tick);
  const profile = (await session.post('Profiler.stop')).profile;
  const file = `nexmark-${query}.cpuprofile`;
  writeFileSync(file, JSON.stringify(profile));
  operators(run, before, chunk.count, options.json);
  functions(profile, chunk.count, options.json);
  console.error(`${chunk.count} events; ${file} written`);
  await run.engine.close();
}

function operators(
  run: MessageEngine,
  before: ReturnType<MessageEngine['figures']>,
  events: number,
  json: boolean,
): void {
  const table = new Table(json);
  run.figures().forEach((after, i) => {
    const nanoseconds = Number(after.nanoseconds - before[i].nanoseconds);
    const rowsIn = after.rowsIn - before[i].rowsIn;
    table.add({
      operator: `${i} ${after.op}`,
      rowsIn,
      rowsOut: after.rowsOut - before[i].rowsOut,
      nsPerRowIn: rowsIn === 0 ? null : nanoseconds / rowsIn,
      nsPerEvent: nanoseconds / events,
      stateRows: after.stateRows,
      stateBytes: after.stateBytes,
    });
  });
}

function functions(profile: Profiler.Profile, events: number, json: boolean): void {
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'} ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`,
    ]),
  );
  const self = new Map<string, number>();
  let total = 0;
  profile.samples?.forEach((id, i) => {
    const micros = profile.timeDeltas?.[i] ?? 0;
    const name = names.get(id) ?? '';
    if (OUTSIDE.test(name)) return;
    self.set(name, (self.get(name) ?? 0) + micros);
    total += micros;
  });
  const table = new Table(json);
  for (const [name, micros] of [...self].sort((a, b) => b[1] - a[1]).slice(0, FUNCTIONS))
    table.add({ function: name.padEnd(60), percent: (micros * 100) / total, nsPerEvent: (micros * 1000) / events });
}
