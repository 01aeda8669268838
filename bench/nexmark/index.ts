/**
 * Nexmark in process: JSON bytes in memory -> scan -> decode -> operators -> blackhole; beside it the same with a materialized view at the end.
 *
 *   jsonParseRatio     CPU of JSON.parse of the same messages one by one / CPU of the query, in turn within one process
 *   handWrittenRatio   CPU of a hand-written program over decoded objects / CPU of the operators over decoded columns
 *
 * An event is a message of a stream that the query's plan reads, counted once however often the plan reads the stream: of 10,000 Nexmark
 * events q0 has to read 9,200 (the bids), q3 800 (people and auctions), q4 9,800. child.ts says what is measured and how.
 */
import { spawnSync } from 'node:child_process';
import { QUERIES } from '../../test/nexmark/suite.ts';
import { PEERS, type PeerName } from '../peers/index.ts';
import { median, type Row, Table } from '../table.ts';
import { builtChild } from './built.ts';
import type { Measured, Way } from './child.ts';

export interface NexmarkBenchOptions {
  queries: string[];
  events: number;
  tickEvents: number;
  runs: number;
  json: boolean;
}

const WAYS: Way[] = ['blackhole', 'view', 'columns', 'hand'];
const PEER_NAMES = Object.keys(PEERS) as PeerName[];

export function nexmarkBench(options: NexmarkBenchOptions): void {
  const queries = options.queries.length > 0 ? options.queries : QUERIES;
  const table = new Table(options.json);
  for (const query of queries) {
    const rows: Row[] = [];
    for (let run = 0; run < options.runs; run++) rows.push(figures(query, options));
    const middle: Row = { ...rows[0] };
    for (const name of Object.keys(middle))
      if (typeof middle[name] === 'number') middle[name] = median(rows.map((r) => r[name] as number));
    table.add(middle);
  }
}

/**
 * npm run bench -- peers [q0 ...]: the operators alone beside other incremental libraries, from decoded columns here and decoded objects there; `...Ratio` is
 * the CPU of an event in the library / in the operators.
 */
export function peersBench(options: NexmarkBenchOptions): void {
  const table = new Table(options.json);
  for (const query of options.queries.length > 0 ? options.queries : QUERIES) {
    const columns = runApart(query, 'columns', options);
    const row: Row = { query, events: columns.events, eventsPerCpuSecond: Math.round(columns.events / columns.cpu) };
    for (const name of PEER_NAMES) {
      const { events, cpu } = runApart(query, name, options);
      row[`${name}EventsPerCpuSecond`] = Math.round(events / cpu);
      row[`${name}Ratio`] = cpu / events / (columns.cpu / columns.events);
    }
    table.add(row);
  }
}

/** One run: a process for each way. */
function figures(query: string, options: NexmarkBenchOptions): Row {
  const [blackhole, view, columns, hand] = WAYS.map((way) => runApart(query, way, options));
  return {
    query,
    events: blackhole.events,
    eventsPerCpuSecond: Math.round(blackhole.events / blackhole.cpu),
    eventsPerSecond: Math.round(blackhole.events / blackhole.wall),
    jsonParseRatio: blackhole.parseCpu / blackhole.cpu,
    viewEventsPerCpuSecond: Math.round(view.events / view.cpu),
    viewJsonParseRatio: view.parseCpu / view.cpu,
    columnEventsPerCpuSecond: Math.round(columns.events / columns.cpu),
    handWrittenRatio: hand.cpu / columns.cpu,
    tickP50Ms: blackhole.tickP50Ms,
    tickP99Ms: blackhole.tickP99Ms,
    stateRows: blackhole.stateRows,
    stateBytes: blackhole.stateBytes,
    peakRssBytes: blackhole.peakRssBytes,
  };
}

export function runApart(query: string, way: Way, options: NexmarkBenchOptions): Measured {
  const args = ['--expose-gc', builtChild(), query, way, String(options.events), String(options.tickEvents)];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${query} ${way} failed`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measured;
}
