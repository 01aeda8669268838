/**
 * Many materialized views over ten streams with history: what a CREATE costs, and what a tick costs with 1, 10, 100, 1000 of them.
 *
 *   equal         every view over a stream is the same query
 *   overlapping   views filter differently what one aggregate of their stream gives
 *   distinct      every view filters its stream differently before it aggregates
 *
 * A tick brings rows to all streams; an idle tick brings rows to a stream that no view reads. Ticks are CPU time of the process, so that other
 * work on the machine does not count; CREATEs are both.
 */
import '../operators/expr/functions/index.ts';
import { PAGE_BYTES } from '../operators/batch/memory.ts';
import { pages } from '../operators/batch/pages.ts';
import { initParser } from '../planner/parse/parse.ts';
import { TidemarkEngine } from '../src/runtime/engine.ts';
import { runScript } from '../src/runtime/script.ts';
import type { RawBatch } from '../src/sources/source.ts';
import { MemorySource } from './memory_source.ts';
import { measure, median, quantile, Table } from './table.ts';

export interface ViewsBenchOptions {
  views: number;
  /** Rows that each stream has before the first view is made. */
  history: number;
  json: boolean;
}

const STREAMS = 10;
/** Rows of a tick, over all streams. */
const TICK_ROWS = 1000;
const TICKS = 20;
const GROUPS = 100;

type Work = 'equal' | 'overlapping' | 'distinct';

function query(work: Work, i: number): string {
  const stream = `s${i % STREAMS}`;
  const aggregate = (where: string) => `SELECT k, count(*) AS n, sum(v) AS total FROM ${stream} ${where} GROUP BY k`;
  switch (work) {
    case 'equal':
      return aggregate('');
    case 'overlapping':
      return `SELECT k, n FROM (${aggregate('')}) q WHERE total % 1000 <> ${Math.floor(i / STREAMS)}`;
    case 'distinct':
      return aggregate(`WHERE v % 1000 <> ${Math.floor(i / STREAMS)}`);
  }
}

/** A memory source that can be read again. */
class KeptSource extends MemorySource {
  readonly #kept: RawBatch[] = [];
  #rows = 0;

  /** Makes `n` more records. */
  produce(n: number): void {
    const texts = Array.from({ length: n }, (_, i) => {
      const row = this.#rows + i;
      return `{"k":${row % GROUPS},"v":${(row * 7919) % 100_000},"note":"row ${row}"}`;
    });
    const ends: number[] = [];
    let at = 0;
    for (const text of texts) {
      at += text.length;
      ends.push(at);
    }
    const batch: RawBatch = {
      partition: 0,
      baseOffset: BigInt(this.#rows),
      nextOffset: BigInt(this.#rows + n),
      n,
      bytes: Buffer.from(texts.join('')),
      valueStart: Int32Array.from([0, ...ends.slice(0, -1)]),
      valueEnd: Int32Array.from(ends),
      keyStart: new Int32Array(n).fill(-1),
      keyEnd: new Int32Array(n),
      offset: Float64Array.from({ length: n }, (_, i) => this.#rows + i),
      timestamp: new Float64Array(n),
      headers: () => [],
    };
    this.#rows += n;
    this.#kept.push(batch);
    this.offer(batch);
  }

  override async *readRange(_partition: number, from: bigint, to: bigint): AsyncGenerator<RawBatch> {
    for (const batch of this.#kept) if (batch.baseOffset >= from && batch.nextOffset <= to) yield batch;
  }
}

export async function viewsBench(options: ViewsBenchOptions): Promise<void> {
  await initParser();
  const table = new Table(options.json);
  for (const work of ['equal', 'overlapping', 'distinct'] as const) await run(work, options, table);
}

async function run(work: Work, { views, history, json: _ }: ViewsBenchOptions, table: Table): Promise<void> {
  const sources: KeptSource[] = [];
  const before = pages.usedPages;
  const engine = new TidemarkEngine({
    automatic: false,
    tickRows: Number.MAX_SAFE_INTEGER,
    openSource: () => {
      const source = new KeptSource();
      sources.push(source);
      return source;
    },
  });
  for (let i = 0; i <= STREAMS; i++) {
    await runScript(
      engine,
      `CREATE STREAM s${i} (k BIGINT, v BIGINT, note TEXT) WITH (connector = 'kafka', topic = 's${i}', brokers = 'memory', format = 'json')`,
    );
    // A view that reads everything makes the stream run from its first record.
    await runScript(engine, `CREATE SINK first${i} AS SELECT * FROM s${i} WITH (connector = 'blackhole')`);
  }
  for (const source of sources) source.produce(history);
  while (engine.sourceTicks.pump());
  const created: { cpu: number; wall: number }[] = [];
  for (let i = 0; i < views; i++) {
    created.push(
      await measure(async () => {
        await runScript(engine, `CREATE MATERIALIZED VIEW v${i} AS ${query(work, i)}`);
      }),
    );
    const n = i + 1;
    if (n !== views && ![1, 10, 100].includes(n)) continue;
    const tick = await ticks(engine, sources.slice(0, STREAMS));
    const idle = await ticks(engine, sources.slice(STREAMS));
    const walls = created.map((c) => c.wall * 1000);
    const cpus = created.map((c) => c.cpu * 1000);
    table.add({
      work,
      views: n,
      createP50Ms: median(walls),
      createP99Ms: quantile(walls, 0.99),
      createCpuP50Ms: median(cpus),
      createCpuP99Ms: quantile(cpus, 0.99),
      tickCpuMs: tick,
      idleTickCpuMs: idle,
      nodes: [...engine.loop.graph.nodes()].length,
      stateMiB: ((pages.usedPages - before) * PAGE_BYTES) / 2 ** 20,
      heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
    });
  }
  await engine.close();
}

/** CPU milliseconds of a tick (median) with rows in these streams. */
async function ticks(engine: TidemarkEngine, sources: KeptSource[]): Promise<number> {
  const times: number[] = [];
  for (let t = 0; t < TICKS; t++) {
    for (const source of sources) source.produce(TICK_ROWS / sources.length);
    const { cpu } = await measure(() => {
      engine.sourceTicks.pump();
    });
    times.push(cpu * 1000);
  }
  return median(times);
}
