/**
 * npm run bench -- nexmark [q0 q1 ...] | profile qN | growth [q4 ...] | peers [q0 ...] | kafka | wire | latency | stalls [text ...] | statements [text ...] | aggregates [call ...] | functions | avro | start | durability | sinks | changes | cold | views   [--json] [--events N] [--megabytes N] [--tick N] [--runs N]
 *
 * Each prints a table, or with --json one JSON object a line. Figures are ratios inside one run wherever they can be: machines differ.
 */
import { parseArgs } from 'node:util';
import { aggregatesBench } from './aggregates.ts';
import { avroBench } from './avro.ts';
import { changeCostBench } from './change_cost.ts';
import { coldBench } from './cold.ts';
import { durabilityBench } from './durability.ts';
import { functionsBench } from './functions.ts';
import { kafkaBench } from './kafka.ts';
import { latencyBench } from './latency.ts';
import { logCostBench } from './log_cost.ts';
import { growthBench } from './nexmark/growth.ts';
import { nexmarkBench, peersBench } from './nexmark/index.ts';
import { profile } from './nexmark/profile.ts';
import { sinkLatencyBench } from './sink_latency.ts';
import { stallsBench } from './stalls/index.ts';
import { startBench } from './start.ts';
import { statementsBench } from './statements/index.ts';
import { viewsBench } from './views.ts';
import { wireBench } from './wire.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    events: { type: 'string' },
    megabytes: { type: 'string' },
    runs: { type: 'string' },
    rows: { type: 'string' },
    tick: { type: 'string' },
    seconds: { type: 'string', default: '5' },
  },
});

const number = (text: string | undefined, fallback: number) => (text === undefined ? fallback : Number(text));

switch (positionals[0]) {
  case 'nexmark':
    nexmarkBench({
      queries: positionals.slice(1),
      events: number(values.events, 300_000),
      tickEvents: number(values.tick, 10_000),
      runs: number(values.runs, 3),
      json: values.json,
    });
    break;
  case 'peers':
    peersBench({
      queries: positionals.slice(1),
      events: number(values.events, 200_000),
      tickEvents: number(values.tick, 10_000),
      runs: 1,
      json: values.json,
    });
    break;
  case 'profile':
    await profile({
      query: positionals[1] ?? '',
      events: number(values.events, 500_000),
      tickEvents: number(values.tick, 10_000),
      json: values.json,
    });
    break;
  case 'growth':
    await growthBench({
      queries: positionals.slice(1),
      events: number(values.events, 8_000_000),
      tickEvents: number(values.tick, 10_000),
      megabytes: values.megabytes === undefined ? null : Number(values.megabytes),
      json: values.json,
    });
    break;
  case 'functions':
    await functionsBench({ rows: number(values.rows, 100_000), runs: number(values.runs, 5), json: values.json });
    break;
  case 'kafka':
    await kafkaBench({ messages: number(values.events, 500_000), json: values.json });
    break;
  case 'durability':
    await logCostBench({
      events: number(values.events, 300_000),
      tickRows: number(values.tick, 10_000),
      runs: Math.max(3, number(values.runs, 3)),
      json: values.json,
    });
    await durabilityBench({
      events: number(values.events, 1_000_000),
      tickRows: number(values.tick, 10_000) / 5,
      megabytes: number(values.megabytes, 1000),
      json: values.json,
    });
    await sinkLatencyBench({ seconds: number(values.seconds, 5), json: values.json });
    break;
  case 'sinks':
    await sinkLatencyBench({ seconds: number(values.seconds, 5), json: values.json });
    break;
  case 'changes':
    await changeCostBench({
      events: number(values.events, 300_000),
      tickRows: number(values.tick, 10_000),
      runs: number(values.runs, 3),
      json: values.json,
    });
    break;
  case 'cold':
    await coldBench({ events: number(values.events, 2_000_000), runs: number(values.runs, 1), json: values.json });
    break;
  case 'wire':
    await wireBench({
      rows: number(values.rows, 1_000_000),
      seconds: number(values.seconds, 5),
      runs: number(values.runs, 5),
      json: values.json,
    });
    break;
  case 'latency':
    await latencyBench({ seconds: number(values.seconds, 5), json: values.json });
    break;
  case 'stalls':
    await stallsBench({ only: positionals.slice(1), json: values.json });
    break;
  case 'statements':
    await statementsBench({
      only: positionals.slice(1),
      rows: number(values.rows, 1_000_000),
      runs: number(values.runs, 3),
      json: values.json,
    });
    break;
  case 'aggregates':
    aggregatesBench({ only: positionals.slice(1), json: values.json });
    break;
  case 'avro':
    avroBench({ runs: number(values.runs, 7), json: values.json });
    break;
  case 'start':
    await startBench({ runs: number(values.runs, 5), json: values.json });
    break;
  case 'views':
    await viewsBench({ views: number(values.rows, 1000), history: number(values.events, 10_000), json: values.json });
    break;
  default:
    console.error(
      'npm run bench -- nexmark [q0 q1 ...] | profile qN | growth [q4 ...] | peers [q0 ...] | kafka | wire | latency | stalls [text ...] | statements [text ...] | aggregates [call ...] | avro | start | durability | sinks | changes | cold | views   [--json] [--events N] [--megabytes N] [--tick N] [--runs N]',
    );
    process.exit(2);
}
