/**
 * The engine: catalog, ticks, streams and the statements that use them.
 *
 *   prepare(statement) -> RunnableStatement -> execute -> Result
 *
 * Ticks run when input is there: a source that has rows schedules one (source_ticks.ts), a commit runs one at once.
 */
import { performance } from 'node:perf_hooks';
import type { Batch } from '../../operators/batch/batch.ts';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { Deltas } from '../../operators/deltas.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import { copyContext } from '../../operators/expr/context.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { ListedMap } from '../../operators/lists.ts';
import { Interrupted, turn } from '../../operators/turn.ts';
import type { BindEnv } from '../../planner/bind/index.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { Catalog } from '../catalog/catalog.ts';
import type { CatalogObject, Inherited } from '../catalog/objects.ts';
import { BOOTSTRAP, type Roles } from '../catalog/roles.ts';
import { checkStaying } from '../catalog/staying.ts';
import { ChangeKeeper } from '../changes/change_keeper.ts';
import type { Ticks } from '../changes/waiting.ts';
import type { CheckpointSchedule } from '../checkpoint/schedule.ts';
import type { ColdFiles } from '../cold/cold_files.ts';
import { type Journal, settingsOf } from '../durable/journal.ts';
import type { DefinitionRecord } from '../durable/records.ts';
import type { RecoveryReport } from '../durable/recovery.ts';
import type { Replay } from '../durable/replay.ts';
import type { Engine, PreparedStatement, Result, SessionContext, TakeRows } from '../engine.ts';
import { type KafkaAccess, kafkaHere } from '../kafka/access.ts';
import { type FileAccess, filesHere } from '../sources/files/access.ts';
import { PostgresAccess } from '../sources/postgres/access.ts';
import { checkNeeds } from './access.ts';
import { bindEnv } from './bind_env.ts';
import { changedBy, keepPending } from './change_at_commit.ts';
import { Chilling } from './chilling.ts';
import type { Commits, Work } from './commits.ts';
import { prepareCopy } from './copy.ts';
import { prepareDefinition } from './definitions.ts';
import { close, unpend } from './drop_at_commit.ts';
import { prepareFetch } from './durable_subscription.ts';
import type { EngineOptions } from './engine_options.ts';
import { ExistingSchemas } from './existing_schemas.ts';
import { prepareExplain } from './explain.ts';
import { keepChanges } from './kept_changes.ts';
import { KeptDefinitions } from './kept_definitions.ts';
import type { LocalStream } from './local_stream.ts';
import { MemoryHold } from './memory_hold.ts';
import { prepareModification, prepareModifyingSelect } from './modifications.ts';
import { tellLeft } from './open_objects.ts';
import { prepareDo } from './plpgsql/do_block.ts';
import { isRepeatable, type RunnableStatement } from './prepared.ts';
import { prepareQuery } from './queries.ts';
import type { ReadSources } from './reads.ts';
import { renamingOf } from './rename_at_commit.ts';
import { replicationOf } from './replication_slots.ts';
import { own } from './role_names.ts';
import { Sequences } from './sequences.ts';
import { prepareSetConstraints } from './set_constraints.ts';
import { settleNeeded, settleOwn } from './settle_at_once.ts';
import { retractsOnly } from './signed_batches.ts';
import type { Sink } from './sink.ts';
import { SinkHold } from './sink_hold.ts';
import { SourceTicks } from './source_ticks.ts';
import type { StreamRuntime } from './stream.ts';
import { prepareSubscribe } from './subscribe.ts';
import { SystemCatalog } from './system_catalog.ts';
import { systemClock } from './system_clock.ts';
import { checkEffect, takeEffect } from './take_effect.ts';
import { dropTemporary, isEmptied } from './temporary.ts';
import { TickLoop } from './tick_loop.ts';
import { TickTimes } from './tick_times.ts';
import { EngineTransaction } from './transaction.ts';
import { undoMade } from './undo_made.ts';
import { prepareUtility } from './utility.ts';
import type { ViewRuntime } from './view.ts';
import { checkDeferred, checkFit } from './write_check.ts';
import { WriteConflict } from './write_conflict.ts';

/** What did not fit is tried again so often after state has gone to disk. */
const MOST_TRIES = 3;

export class TidemarkEngine implements Engine {
  readonly catalog: Catalog;
  readonly system: SystemCatalog;
  readonly loop: TickLoop;
  readonly memory: MemoryHold;
  readonly chilling: Chilling;
  readonly streams = new ListedMap<number, StreamRuntime>();
  /** Streams without a connector that have a watermark. */
  readonly localStreams = new Map<number, LocalStream>();
  /** The statements that made what is there. */
  readonly definitions = new KeptDefinitions();
  readonly sequences = new Sequences(this);
  readonly sinks = new ListedMap<number, Sink>();
  readonly sinkHold = new SinkHold(this);
  readonly typeNamed: Engine['typeNamed'] = (...said) => this.catalog.typeNamed(...said);
  /** Durable subscriptions: the tick up to which each was acknowledged; null: nothing yet. */
  readonly subscriptions = new Map<number, bigint | null>();
  /** Queries that are followed from an earlier tick, while they are not live yet. */
  readonly pastQueries = new Set<ViewRuntime>();
  /** What ticks changed, for those who follow or look back. */
  readonly changes: ChangeKeeper;
  readonly tickTimes = new TickTimes();
  readonly log: NonNullable<EngineOptions['log']>;
  readonly version: string;
  readonly openSource: NonNullable<EngineOptions['openSource']>;
  readonly kafka: KafkaAccess;
  readonly files: FileAccess;
  readonly postgres = new PostgresAccess(() => this.journal?.durable() ?? Promise.resolve());
  /** Ticks of what sources have. */
  readonly sourceTicks: SourceTicks;
  /** The tick log; null: everything is in memory only. */
  journal: Journal | null = null;
  /** There is a data directory, from when it begins to be read: another server goes on where this one ends, be it in the midst of its start. */
  lasting = false;
  /** While the tick log is replayed: nothing runs by itself, and the clock is the log's. */
  replay: Replay | null = null;
  /** Takes checkpoints; null: none are taken. */
  checkpoints: CheckpointSchedule | null = null;
  /** Where state goes that does not fit in memory; null: nowhere. */
  cold: ColdFiles | null = null;
  /** Digests of --init scripts that ran to their end in this data directory. */
  readonly scripts = new Set<string>();
  /** How the start went; null without a data directory. */
  recovery: RecoveryReport | null = null;
  #lastInTurn: Promise<unknown> = Promise.resolve();
  readonly #searchPaths = new ExistingSchemas();

  constructor(options: EngineOptions = {}) {
    this.log = options.log ?? (() => undefined);
    this.version = options.version ?? '0';
    this.openSource = options.openSource ?? (() => null);
    this.kafka = options.kafka ?? kafkaHere;
    this.files = options.files ?? filesHere;
    this.sourceTicks = new SourceTicks(this, options.automatic ?? true, options.tickRows ?? 10000, options.elapsed);
    const clock = options.clock ?? systemClock;
    this.changes = new ChangeKeeper(
      (oid) => this.catalog.get(oid)?.name ?? String(oid),
      (level, message) => this.log(level, message),
    );
    this.loop = new TickLoop(
      () => this.replay?.now ?? clock(),
      (relation) => (this.streams.get(relation) ?? this.localStreams.get(relation))?.watermark ?? null,
      this.changes,
    );
    this.memory = new MemoryHold(this);
    this.chilling = new Chilling(this);
    this.system = new SystemCatalog(this);
    this.catalog = new Catalog(this.system);
  }

  get catalogVersion(): number {
    return this.catalog.version;
  }

  get roles(): Roles {
    return this.catalog.roles;
  }

  begin(): EngineTransaction {
    return new EngineTransaction(this.loop, this.#commits);
  }

  prepare(statement: Statement, paramTypes: number[], session: SessionContext): PreparedStatement {
    switch (statement.k) {
      case 'select':
        return prepareQuery(this, statement, paramTypes, session);
      case 'modifying_select':
        return prepareModifyingSelect(this, statement, paramTypes, session);
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
        return prepareModification(this, statement, paramTypes, session);
      case 'copy':
        return prepareCopy(this, statement, session);
      case 'subscribe':
        return prepareSubscribe(this, statement, statement, session);
      case 'fetch':
        return prepareFetch(this, statement, session);
      case 'explain':
        return prepareExplain(this, statement, paramTypes, session);
      case 'utility':
        return prepareUtility(this, statement);
      case 'do':
        return prepareDo(this, statement);
      case 'set_constraints':
        return prepareSetConstraints(this, statement);
      default:
        return prepareDefinition(this, statement, session);
    }
  }

  execute(prepared: PreparedStatement, params: Datum[], session: SessionContext, signal: AbortSignal): Promise<Result> {
    return this.#run(prepared, params, session, signal, true);
  }

  /** `durable`: until values of sequences that it gave are on the disk. */
  async #run(
    prepared: PreparedStatement,
    params: Datum[],
    session: SessionContext,
    signal: AbortSignal,
    durable: boolean,
  ): Promise<Result> {
    const { needs } = prepared as RunnableStatement;
    if (needs !== undefined) checkNeeds(this, needs, session);
    this.chilling.makeRoom();
    for (let tries = 0; ; tries++) {
      const before = this.transactionOf(session).mark();
      try {
        const result = await (prepared as RunnableStatement).run(params, session, signal);
        const waiting = durable ? this.sequences.durable(session) : null;
        if (waiting !== null) await waiting.catch((error: unknown) => this.#refuse(result, error));
        return result;
      } catch (error) {
        if (error instanceof Interrupted) throw error.reason;
        if (!(error instanceof OutOfMemory)) throw error;
        if (tries === MOST_TRIES || !isRepeatable(prepared) || !this.chilling.makeMore()) throw error.toSqlError();
        this.transactionOf(session).backTo(before);
      }
    }
  }

  #refuse(result: Result, error: unknown): never {
    if (result.kind === 'rows') result.rows.close();
    throw error;
  }

  async executeAlone(
    prepared: PreparedStatement,
    params: Datum[],
    session: SessionContext,
    signal: AbortSignal,
    before: () => Promise<void> | null,
  ): Promise<Result> {
    const transaction = this.transactionOf(session);
    transaction.standAlone();
    let plan = prepared;
    const run = async () => {
      signal.throwIfAborted();
      if (plan.catalogVersion !== this.catalogVersion) plan = this.prepare(plan.statement, plan.paramTypes, session);
      let result: Result | null = null;
      try {
        result = await this.#run(plan, params, session, signal, false);
        await before();
        await transaction.publish(signal);
        // The record of what was published comes behind those of the sequences.
        if (!transaction.hasPublished) await this.sequences.durable(session);
        return result;
      } catch (error) {
        if (result?.kind === 'rows') result.rows.close();
        if (!(error instanceof WriteConflict)) throw error;
        transaction.startOver();
        return null;
      }
    };
    for (let result = await run(); ; result = await this.#inTurn(run)) if (result !== null) return result;
  }

  /** Runs what was overtaken once: one after the other, or those of many clients would overtake each other many times. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const running = this.#lastInTurn.then(run);
    this.#lastInTurn = running.catch(() => undefined);
    return running;
  }

  executeNow(
    prepared: PreparedStatement,
    params: Datum[],
    session: SessionContext,
    take: TakeRows,
  ): Result | 'taken' | null {
    const { needs, runNow } = prepared as RunnableStatement;
    if (runNow === undefined) return null;
    if (needs !== undefined) checkNeeds(this, needs, session);
    return runNow(params, session, take);
  }

  bindEnv(session: SessionContext, paramTypes: number[], mode: BindEnv['mode']): ReturnType<typeof bindEnv> {
    return bindEnv(this, session, paramTypes, mode);
  }

  /** The transaction that a session's statement runs in. */
  transactionOf(session: SessionContext): EngineTransaction {
    if (!(session.transaction instanceof EngineTransaction)) throw new Error('the session has a foreign transaction');
    return session.transaction;
  }

  /** Session settings with the tick that the transaction sees, and those schemas of the search path that exist. */
  contextOf(session: SessionContext, params: Datum[] = []): EvalContext {
    const context = copyContext(session.evalContext);
    context.searchPath = this.#searchPaths.of(session.searchPath, this.catalog);
    context.tick = this.transactionOf(session).tick;
    context.params = params;
    return context;
  }

  readonly readSources: ReadSources = {
    system: (relation, context) => this.system.rows(relation, context),
    // The rows of a keyed table are kept: its history holds commands, not rows.
    stream: (relation) => (this.loop.relations.has(relation) ? undefined : this.streams.get(relation)),
  };

  readonly #commits: Commits = {
    checkFit: (...whether) => checkFit(this, ...whether),
    checkDeferred: (...whether) => checkDeferred(this, ...whether),
    isEmptied: (relation) => isEmptied(this, relation),
    publish: (...what) => this.#commit(...what),
    durable: async () => this.journal?.durable(),
    nextOid: () => this.catalog.nextOid,
    newOid: () => this.catalog.newOid(),
    madeBy: (transaction) => this.catalog.madeBy(transaction),
    undo: (transaction, from) => undoMade(this, transaction, from),
    stay: (oids) => unpend(this, oids),
    pending: (transaction) => this.catalog.pending.of(transaction),
    keepPending: (transaction, kept) => keepPending(this, transaction, kept),
    checkEffect: (...of) => checkEffect(this, ...of),
  };

  /** Publishes what a transaction wrote, made and dropped as one tick, if `check` (which throws) finds nothing against it by then. */
  async #commit(
    { deltas, made, dropped, changing }: Work,
    check: () => void,
    signal: AbortSignal | null,
  ): Promise<() => Promise<void>> {
    const { journal } = this;
    const copies = this.chilling.copiesWritten();
    if (copies !== null) await copies;
    const renaming = changing === null ? [] : renamingOf(this, changing);
    const changed = changing === null ? [] : changedBy(this, changing);
    const ended = { shown: made, dropped, renaming, changed };
    const frame = journal === null ? null : await journal.admitRows(deltas, ended);
    try {
      turn.of(signal, check);
      this.chilling.makeRoom();
      turn.of(signal, () => {
        if ([...deltas.values()].every(retractsOnly))
          budget.makeRoom(pages.usedBytes, () => this.#publishOrChill(deltas));
        else this.#publishOrChill(deltas);
      });
    } catch (error) {
      if (error instanceof Interrupted) throw error.reason;
      throw error instanceof OutOfMemory ? error.toSqlError('for the tick of the transaction') : error;
    }
    const closing = takeEffect(this, ended);
    const sequence = journal === null || frame === null ? null : journal.committed(this.loop, frame);
    const closed = close(this, closing);
    return async () => {
      if (sequence !== null) await journal?.log.durable(sequence);
      await closed;
    };
  }

  /** When it does not fit, and state can go to disk, it is tried again. */
  #publishOrChill(deltas: Map<number, Batch>): void {
    for (let tries = 0; ; tries++) {
      try {
        this.publishRows(deltas);
        return;
      } catch (error) {
        if (!(error instanceof OutOfMemory) || tries === MOST_TRIES) throw error;
        // What goes to disk is no statement's, and goes whole.
        if (!turn.of(null, () => this.chilling.makeMore())) throw error;
      }
    }
  }

  /** One tick with these rows of tables and local streams; of the latter, late ones stay out. */
  publishRows(rows: Map<number, Batch>): void {
    this.loop.advanceClock();
    const start = performance.now();
    this.loop.runKept((undo) => {
      const deltas = new Deltas();
      for (const [oid, batch] of rows) {
        const local = this.localStreams.get(oid);
        local?.keepIn(undo);
        deltas.set(oid, local?.accept(batch, this.loop.arena) ?? batch);
      }
      return deltas;
    });
    for (const oid of rows.keys()) this.localStreams.get(oid)?.endTick();
    this.tickTimes.took(start);
  }

  forgetValues({ evalContext }: SessionContext): void {
    if (evalContext.session !== undefined) this.sequences.forget(evalContext.session);
  }

  discardTemporary(session: SessionContext): void {
    dropTemporary(this, session, this.transactionOf(session));
  }

  hasSubscription(name: string): boolean {
    return this.catalog.objects().some((object) => object.kind === 'subscription' && object.name === name);
  }

  /** Makes an object that has just come to life part of the catalog. `from`: what it has of one that it replaces. */
  define(object: CatalogObject, session: SessionContext, reads = object.dependencies, from?: Inherited): void {
    const inherited = from ?? this.replay?.inherited;
    if (this.replay === null) checkStaying(this.catalog, reads, session.searchPath);
    Object.assign(object, structuredClone(inherited));
    own(this, object, session);
    this.catalog.add(object, this.openFor(session, object.oid));
    keepChanges(this, object.oid);
    const identity = object.kind === 'sink' ? object.identity : undefined;
    this.defined(
      { sql: object.sql, made: object.oid, dropped: [], identity, ...(inherited && { inherited }) },
      session,
      this.#needs(object, reads, session),
    );
  }

  /** The transaction that alone sees what its statement makes now, until it ends; undefined: everybody sees it at once. */
  openFor(session: SessionContext, oid: number): number | undefined {
    return this.replay === null ? this.transactionOf(session).opens(oid, session) : this.replay.open;
  }

  /** From now on everybody sees what a transaction has made: in the turn of the tick that says so. */
  show(oids: number[]): void {
    if (oids.length === 0) return;
    this.catalog.show(oids);
    this.definitions.show(oids);
  }

  #needs({ schema, ownedBy = BOOTSTRAP }: CatalogObject, reads: number[], { searchPath }: SessionContext): number[] {
    const owner = this.catalog.roles.isOwn(ownedBy) ? [] : [ownedBy];
    return [...reads, this.catalog.schemaOid(schema, searchPath), ...owner];
  }

  readonly replication = replicationOf(this);

  /** How far ticks are, and how far they are on the disk. */
  get ticks(): Ticks {
    const { loop, journal } = this;
    return {
      get last() {
        return loop.tick;
      },
      get durable() {
        return journal === null ? loop.tick : journal.log.durableTickNow;
      },
      untilDurable: (tick) => journal?.log.durableTick(tick) ?? Promise.resolve(),
    };
  }

  /**
   * A statement has changed the catalog: told to the tick log in the same turn. `reads`: what must be there to do it again; `rows`: what it gave rows in the
   * tick that has just run.
   */
  defined(
    what: Omit<DefinitionRecord, 'settings' | 'now' | 'open'>,
    session: SessionContext,
    reads: number[] = [],
    rows: Batch | null = null,
  ): void {
    if (what.altered !== undefined) tellLeft(this, [what.altered], session);
    const settings = settingsOf(session.evalContext, session.searchPath);
    const open = this.catalog.open.get(what.made);
    const isAtOnce = open === undefined && rows === null && this.replay === null;
    if (isAtOnce && this.catalog.hasOpen) settleNeeded(this, [what.made, ...reads], session);
    if (open !== undefined && rows === null) settleOwn(this, what.made, session);
    const record = { ...what, settings, ...(open === undefined ? {} : { open }) };
    this.definitions.add({ ...record, now: '0' }, reads);
    if (rows === null) this.journal?.defined(this.loop, record);
    else this.journal?.definedWith(this.loop, record, rows);
    // What is left (connections to be closed, the disk) nobody may say was cancelled.
    session.done?.();
  }

  flush(): Promise<void> {
    return this.sourceTicks.flush();
  }

  async close(): Promise<void> {
    this.sourceTicks.close();
    this.memory.close();
    this.chilling.close();
    await this.checkpoints?.close();
    for (const sink of this.sinks.values()) await sink.close(!this.lasting);
    // An orderly end skips no values.
    for (const sequence of this.sequences.all()) sequence.settle();
    await this.checkpoints?.leavePortable();
    for (const stream of this.streams.values()) await stream.close();
    for (const stream of this.localStreams.values()) stream.release();
    this.streams.clear();
    this.localStreams.clear();
    this.loop.close();
    this.catalog.forgetTypes();
    this.system.catalogs?.close();
    this.cold?.close();
    await this.changes.close();
    await this.journal?.close();
  }
}
