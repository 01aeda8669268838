/** Engines that run one Nexmark query: fed with messages, or with columns that were decoded beforehand. */
import '../../operators/expr/functions/index.ts';
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { BatchBuilder } from '../../operators/batch/builder.ts';
import { detach } from '../../operators/batch/detach.ts';
import { Deltas } from '../../operators/deltas.ts';
import { kernels } from '../../operators/kernels/index.ts';
import { initParser } from '../../planner/parse/parse.ts';
import { jsonDecoder } from '../../src/formats/json/index.ts';
import { TidemarkEngine } from '../../src/runtime/engine.ts';
import { LocalStream } from '../../src/runtime/local_stream.ts';
import { runScript } from '../../src/runtime/script.ts';
import type { NexmarkTable } from '../../src/sources/nexmark/numbering.ts';
import type { RawBatch } from '../../src/sources/source.ts';
import { streamsSql, views } from '../../test/nexmark/suite.ts';
import { MemorySource } from '../memory_source.ts';
import type { RawTick } from './input.ts';

const MOST_TRIES = 1000;

export type End = 'blackhole' | 'view';

function querySql(query: string, end: End): string {
  const sql = views.get(query);
  if (sql === undefined) throw new Error(`there is no query ${query}`);
  if (end === 'view') return sql;
  return sql
    .replace(/CREATE MATERIALIZED VIEW (\w+) AS/, 'CREATE SINK $1 AS')
    .replace(/;\s*$/, " WITH (connector = 'blackhole');");
}

abstract class QueryEngine {
  readonly engine: TidemarkEngine;

  constructor(engine: TidemarkEngine) {
    this.engine = engine;
  }

  /** The streams that the query's plan reads: their messages are the events that count. */
  tables(): NexmarkTable[] {
    const read = new Set([...this.engine.loop.views()].flatMap((v) => v.sources.map((s) => s.relation)));
    return [...read].map((oid) => this.nameOf(oid)).filter((name) => name !== null);
  }

  /** The stream's name, or null for a table. */
  protected abstract nameOf(oid: number): NexmarkTable | null;

  figures() {
    return [...this.engine.loop.graph.nodes()].map((node) => ({
      view: [...node.flows].map((flow) => flow.owner.name).join(', '),
      op: node.spec.op,
      ...node.figures(),
    }));
  }

  state(): { rows: number; bytes: number } {
    const figures = this.figures();
    return {
      rows: figures.reduce((n, f) => n + f.stateRows, 0),
      bytes: figures.reduce((n, f) => n + f.stateBytes, 0),
    };
  }
}

/** What a source is to give to a tick. */
interface Offer {
  source: MemorySource;
  batch: RawBatch;
}

export class MessageEngine extends QueryEngine {
  readonly #sources: Map<string, MemorySource>;

  private constructor(engine: TidemarkEngine, sources: Map<string, MemorySource>) {
    super(engine);
    this.#sources = sources;
  }

  static async open(query: string, end: End): Promise<MessageEngine> {
    await initParser();
    const sources = new Map<string, MemorySource>();
    const engine = new TidemarkEngine({
      automatic: false,
      tickRows: Number.MAX_SAFE_INTEGER,
      openSource: (spec) => {
        const source = new MemorySource();
        sources.set(spec.options.topic, source);
        return source;
      },
    });
    await runScript(
      engine,
      streamsSql((table) => `connector = 'kafka', topic = '${table}', brokers = 'memory', format = 'json'`),
    );
    await runScript(engine, querySql(query, end));
    return new MessageEngine(engine, sources);
  }

  protected override nameOf(oid: number): NexmarkTable | null {
    return (this.engine.streams.get(oid)?.relation.name as NexmarkTable) ?? null;
  }

  tick(input: RawTick): void {
    this.prepared(input)();
  }

  /** tick() as a function that has nothing to look up: whose batches these are costs a hundredth of a tick of eight messages. */
  prepared(input: RawTick): () => void {
    const offers: Offer[] = [];
    for (const [table, batch] of input) {
      const source = this.#sources.get(table);
      if (source !== undefined) offers.push({ source, batch });
    }
    return () => this.#run(offers);
  }

  #run(offers: Offer[]): void {
    for (const { source, batch } of offers) source.offer(batch);
    this.engine.sourceTicks.pump();
    // While memory is short sources are held: each turn makes some room.
    for (let tries = 0; this.#waits(); tries++) {
      if (tries === MOST_TRIES) throw new Error('memory is full, and nothing more goes to disk');
      this.engine.sourceTicks.pump();
    }
  }

  #waits(): boolean {
    for (const stream of this.engine.streams.list) if (stream.ready()) return true;
    return false;
  }
}

/** One tick's rows as batches by relation; they live in the arena that they were decoded into. */
export type ColumnTick = Map<number, Batch>;

/** Rows reach the graph as decoded columns; in the streams' place stand such that only keep the watermark. */
export class ColumnEngine extends QueryEngine {
  readonly #streams: Map<number, LocalStream>;

  private constructor(engine: TidemarkEngine, streams: Map<number, LocalStream>) {
    super(engine);
    this.#streams = streams;
  }

  static async open(query: string): Promise<ColumnEngine> {
    const { engine } = await MessageEngine.open(query, 'blackhole');
    const streams = new Map([...engine.streams].map(([oid, { relation }]) => [oid, new LocalStream(relation)]));
    engine.streams.clear();
    for (const [oid, stream] of streams) engine.localStreams.set(oid, stream);
    return new ColumnEngine(engine, streams);
  }

  protected override nameOf(oid: number): NexmarkTable | null {
    return (this.#streams.get(oid)?.relation.name as NexmarkTable) ?? null;
  }

  decode(tick: RawTick, arena: Arena): ColumnTick {
    const out: ColumnTick = new Map();
    for (const [oid, { relation }] of this.#streams) {
      const raw = tick.get(relation.name as NexmarkTable);
      if (raw === undefined) continue;
      const columns = relation.columns.map(({ name, type }) => ({
        name,
        type,
        notNull: false,
        origin: { k: 'field' as const, name },
      }));
      const builder = new BatchBuilder(
        columns.map((c) => c.type),
        arena,
        raw.n,
      );
      jsonDecoder({ columns, needed: columns.map((_, i) => i) }).decode(raw, 0, raw.n, builder, 0n);
      const batch = builder.build();
      // As a stream tells its dependents (src/runtime/stream_columns.ts placed()).
      for (const column of batch.columns) if (kernels.allSet(column.valid, batch.n) !== 0) column.valid = 0;
      out.set(oid, detach(batch, arena));
    }
    return out;
  }

  tick(input: ColumnTick): void {
    const accepted = new Deltas();
    for (const [oid, batch] of input)
      accepted.set(oid, this.#streams.get(oid)?.accept(batch, this.engine.loop.arena) ?? batch);
    this.engine.sourceTicks.publishInput(accepted, []);
  }
}
