/**
 * SUBSCRIBE: the rows of a view or query at one tick, then every change, each with its tick and diff.
 *
 *   tick bigint, [progress boolean,] diff bigint, columns...
 *
 * All changes of a tick come together. The queue of a slow reader is bounded: beyond it the subscription ends with 53400.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { BatchBuilder, weightOf } from '../../operators/batch/builder.ts';
import { SqlError } from '../../operators/errors.ts';
import { colType, OID } from '../../operators/types.ts';
import type { Statement, SubscribeStatement } from '../../planner/parse/ast.ts';
import type { ResultColumn, RowChunk, RowStream, SessionContext } from '../engine.ts';
import { fill, planView } from './create_view.ts';
import type { TidemarkEngine } from './engine.ts';
import { type RunnableStatement, resultColumn, runnable } from './prepared.ts';
import type { Observer } from './tick_loop.ts';
import { ViewRuntime } from './view.ts';

/** Rows that may wait for a reader. */
const MAX_QUEUED_ROWS = 5_000_000;

interface Queued {
  batch: Batch;
  arena: Arena;
  next: number;
}

class Subscription implements RowStream, Observer {
  readonly #columns: ResultColumn[];
  readonly #progress: boolean;
  readonly #upTo: bigint | null;
  readonly #stop: () => void;
  #queue: Queued[] = [];
  #rows = 0;
  #current: Queued | null = null;
  #wake: (() => void) | null = null;
  #ended = false;
  #failure: SqlError | null = null;

  constructor(
    columns: ResultColumn[],
    progress: boolean,
    upTo: bigint | null,
    start: (observer: Observer) => () => void,
    signal: AbortSignal,
  ) {
    this.#columns = columns;
    this.#progress = progress;
    this.#upTo = upTo;
    this.#stop = start(this);
    signal.addEventListener('abort', () => this.#end());
  }

  onTick(tick: bigint, delta: Batch | null): void {
    if (this.#ended) return;
    if (this.#upTo !== null && tick >= this.#upTo) {
      this.#end();
      return;
    }
    if (delta !== null) this.#push(tick, delta);
    if (this.#progress) this.#push(tick, null);
  }

  /** Adds one tick's rows (or its progress row) to the queue. */
  #push(tick: bigint, delta: Batch | null): void {
    const arena = new Arena();
    const builder = new BatchBuilder(
      this.#columns.map((c) => c.type),
      arena,
      Math.max(1, delta?.n ?? 1),
    );
    const lead = this.#progress ? 3 : 2;
    const rows = delta?.n ?? 1;
    for (let row = 0; row < rows; row++) {
      const to = builder.addRow(1);
      builder.setDatum(0, to, tick);
      if (this.#progress) builder.setDatum(1, to, delta === null);
      builder.setDatum(lead - 1, to, delta === null ? null : BigInt(weightOf(delta, row)));
      for (let c = lead; c < this.#columns.length; c++) {
        if (delta === null) builder.setNull(c, to);
        else builder.copyDeep(c, to, delta.columns[c - lead], row);
      }
    }
    this.#queue.push({ batch: builder.build(), arena, next: 0 });
    this.#rows += rows;
    if (this.#rows > MAX_QUEUED_ROWS) {
      this.#failure = new SqlError('53400', `the subscription fell behind by more than ${MAX_QUEUED_ROWS} rows`, {
        hint: 'Read faster, or subscribe to a smaller query.',
      });
      this.#end();
    }
    this.#wake?.();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
    this.#wake?.();
  }

  async next(maxRows: number, timeoutMs?: number): Promise<RowChunk | null> {
    this.#current?.arena.release();
    this.#current = null;
    if (this.#queue.length === 0 && !this.#ended) await this.#wait(timeoutMs);
    if (this.#failure !== null) throw this.#failure;
    const head = this.#queue[0];
    if (head === undefined) {
      if (this.#ended) return null;
      return { batch: { n: 0, columns: [], weights: 0 }, from: 0, count: 0 };
    }
    const from = head.next;
    const count = Math.min(maxRows, head.batch.n - from);
    head.next += count;
    this.#rows -= count;
    if (head.next === head.batch.n) {
      this.#queue.shift();
      this.#current = head;
    }
    return { batch: head.batch, from, count };
  }

  #wait(timeoutMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? null : setTimeout(() => this.#wake?.(), timeoutMs);
      this.#wake = () => {
        this.#wake = null;
        if (timer !== null) clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#end();
    for (const queued of this.#queue) queued.arena.release();
    this.#queue = [];
    this.#current?.arena.release();
    this.#current = null;
  }
}

/** `statement` is what the client sent (SUBSCRIBE itself, or the COPY or DECLARE around it). */
export function prepareSubscribe(
  engine: TidemarkEngine,
  statement: Statement,
  subscribe: SubscribeStatement,
  session: SessionContext,
): RunnableStatement {
  const target = subscribeTarget(engine, subscribe, session);
  const columns: ResultColumn[] = [
    resultColumn('tick', OID.int8),
    ...(subscribe.progress ? [resultColumn('progress', OID.bool)] : []),
    resultColumn('diff', OID.int8),
    ...target.columns,
  ];
  return runnable(statement, engine.catalogVersion, columns, async (_params, current, signal) => {
    const rows = await startSubscription(engine, subscribe, target, columns, current, signal);
    return { kind: 'rows', columns, rows, tag: (n) => `SUBSCRIBE ${n}` };
  });
}

interface Target {
  /** A relation that is kept already, or a query to maintain. */
  stored: number | null;
  query: ReturnType<typeof planView> | null;
  columns: ResultColumn[];
}

function subscribeTarget(engine: TidemarkEngine, subscribe: SubscribeStatement, session: SessionContext): Target {
  if ('relation' in subscribe.target) {
    const { schema, name } = subscribe.target.relation;
    const relation = engine.catalog.relation(schema, name, session.searchPath);
    if (relation === null) throw new SqlError('42P01', `relation "${name}" does not exist`);
    const columns = relation.columns.map((c, i) => ({
      name: c.name,
      type: c.type,
      relation: relation.oid,
      attnum: i + 1,
    }));
    if (engine.loop.relations.has(relation.oid)) return { stored: relation.oid, query: null, columns };
    const from = {
      RangeVar: {
        ...(schema === undefined ? {} : { schemaname: schema }),
        relname: name,
        inh: true,
        relpersistence: 'p',
      },
    };
    const all = { ResTarget: { val: { ColumnRef: { fields: [{ A_Star: {} }] } } } };
    const query = planView(
      engine,
      {
        select: { targetList: [all], fromClause: [from], limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' },
        text: subscribe.text,
      },
      session,
    );
    return { stored: null, query, columns };
  }
  const query = planView(engine, subscribe.target.query, session);
  const columns = query.physical.columns.map((c) => ({
    name: c.name,
    type: colType(c.type.oid, c.type.typmod),
    relation: 0,
    attnum: 0,
  }));
  return { stored: null, query, columns };
}

async function startSubscription(
  engine: TidemarkEngine,
  subscribe: SubscribeStatement,
  target: Target,
  columns: ResultColumn[],
  session: SessionContext,
  signal: AbortSignal,
): Promise<RowStream> {
  let oid = target.stored;
  let drop: () => void = () => undefined;
  if (oid === null && target.query !== null) {
    const temporary = engine.catalog.newOid();
    oid = temporary;
    const view = new ViewRuntime(temporary, 'subscription', target.query.physical, session.evalContext, []);
    await fill(engine, view, { check: () => undefined, live: () => engine.journal?.passed(engine.loop) });
    drop = () => engine.loop.detachView(temporary);
  }
  const relation = oid as number;
  if (subscribe.asOf !== null && subscribe.asOf !== engine.loop.tick) {
    drop();
    throw new SqlError('22023', `changes since tick ${subscribe.asOf} are not kept`, {
      detail: `The present tick is ${engine.loop.tick}.`,
    });
  }
  const start = (observer: Observer) => {
    const stored = engine.loop.relations.get(relation);
    if (subscribe.snapshot && stored !== undefined && stored.rows > 0) {
      const arena = new Arena();
      observer.onTick(engine.loop.tick, stored.snapshot(arena));
      arena.release();
    } else if (subscribe.progress) observer.onTick(engine.loop.tick, null);
    const stop = engine.loop.observe(relation, observer);
    return () => {
      stop();
      drop();
    };
  };
  return new Subscription(columns, subscribe.progress, subscribe.upTo, start, signal);
}
