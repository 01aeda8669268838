/**
 * The figures of a server as families of samples: what the relations of the tidemark schema and pg_stat_activity say. Nothing is counted for it, so it costs only when it is asked for: as much as a SELECT from
 * each of these relations. It is read in pieces, between which ticks may run: the figures of one object are those of one tick, those of two need not be.
 *
 * A figure that is not known (the lag of a source that has no end, the age of a checkpoint before the first) has no sample.
 */
import { budget } from '../../operators/batch/budget.ts';
import { EPOCH_DIFF_SECONDS } from '../../operators/expr/datetime/calendar.ts';
import type { PostgresServer } from '../postgres/options.ts';
import type { TidemarkEngine } from '../runtime/engine.ts';
import { memoryFigures, sourceStatus } from '../runtime/system_catalog.ts';
import type { ViewRuntime } from '../runtime/view.ts';
import type { Family, FamilyType, Labels, Sample } from './exposition.ts';

const microsToUnix = (micros: bigint) => Number(micros) / 1e6 + EPOCH_DIFF_SECONDS;

type Value = number | bigint | null;

/** Families by name, in the order in which they were first given a sample. */
class Families {
  readonly #families = new Map<string, Family>();

  add(name: string, type: FamilyType, help: string, labels: Labels, value: Value): void {
    if (value === null) return;
    const sample: Sample = { labels, value };
    const known = this.#families.get(name);
    if (known === undefined) this.#families.set(name, { name: `tidemark_${name}`, type, help, samples: [sample] });
    else known.samples.push(sample);
  }

  gauge(name: string, help: string, labels: Labels, value: Value): void {
    this.add(name, 'gauge', help, labels, value);
  }

  counter(name: string, help: string, labels: Labels, value: Value): void {
    this.add(name, 'counter', help, labels, value);
  }

  all(): Family[] {
    return [...this.#families.values()];
  }
}

/** A little of it at a time: after each step others may run. */
export function* familiesOf(
  engine: TidemarkEngine,
  postgres: Pick<PostgresServer, 'sessions'>,
): Generator<void, Family[]> {
  const to = new Families();
  ticks(engine, to);
  for (const oid of [...engine.streams.keys()]) {
    source(engine, oid, to);
    yield;
  }
  late(engine, to);
  for (const view of [...engine.loop.views()]) {
    // It may have been dropped meanwhile.
    if (engine.loop.view(view.oid) === view) oneView(engine, view, to);
    yield;
  }
  yield* tables(engine, to);
  sinks(engine, to);
  subscriptions(engine, to);
  yield;
  memory(engine, to);
  yield;
  durability(engine, to);
  connections(postgres, to);
  return to.all();
}

/** Of the object of a kind, whose name is the label's. */
function named(engine: TidemarkEngine, kind: string, oid: number): Labels | null {
  const object = engine.catalog.get(oid);
  return object === undefined ? null : { schema: object.schema, [kind]: object.name };
}

function ticks(engine: TidemarkEngine, to: Families): void {
  const { count, milliseconds } = engine.tickTimes;
  to.gauge('build_info', 'The version, as a label; always 1.', { version: engine.version }, 1);
  to.gauge('tick', 'The tick that a SELECT sees; it goes on after a restart.', {}, engine.loop.tick);
  to.counter('ticks_total', 'Ticks that changed rows since the start.', {}, count);
  to.counter('tick_seconds_total', 'Time that these ticks took.', {}, milliseconds / 1000);
}

function source(engine: TidemarkEngine, oid: number, to: Families): void {
  const stream = engine.streams.get(oid);
  const labels = named(engine, 'source', oid);
  if (stream === undefined || labels === null) return;
  const { rows, bytes } = stream.statistics;
  to.counter('source_rows_total', 'Rows that a source has given.', labels, rows);
  to.counter('source_bytes_total', 'Bytes of the messages that a source has given.', labels, bytes);
  to.counter('source_errors_total', 'Messages that could not be read.', labels, stream.errors.count);
  to.gauge('source_error_rows', "Rows of tidemark.errors('source') now.", labels, stream.errors.relation.rows);
  const { watermark } = stream;
  const at = watermark === null ? null : microsToUnix(watermark);
  to.gauge('source_watermark_seconds', 'The watermark, in seconds since 1970.', labels, at);
  const running = (partition: number | null) => Number(sourceStatus(engine, stream, partition) === 'running');
  to.gauge(
    'source_left_bytes',
    'Bytes of files, or of the log of a database, that are not read yet.',
    labels,
    stream.source.left?.() ?? null,
  );
  const positions = stream.partitionPositions();
  if (positions.size === 0) to.gauge('source_running', RUNNING, labels, running(null));
  for (const [partition, position] of positions) {
    const own = { ...labels, partition: String(partition) };
    const end = stream.endOf(partition) ?? null;
    to.gauge('source_running', RUNNING, own, running(partition));
    to.gauge('source_position', 'The next offset to be read.', own, position);
    to.gauge('source_end_position', 'The offset at which the partition ends.', own, end);
    const lag = end === null ? null : end > position ? end - position : 0n;
    to.gauge('source_lag_messages', 'Messages between the two.', own, lag);
  }
}

const RUNNING = "1: tidemark.sources shows status 'running'; 0: something holds the source up.";

function late(engine: TidemarkEngine, to: Families): void {
  const help = 'Rows that came behind the watermark.';
  for (const [oid, stream] of engine.streams) {
    const labels = stream.relation.watermark === undefined ? null : named(engine, 'stream', oid);
    if (labels !== null) to.counter('late_rows_total', help, labels, stream.statistics.late);
  }
  for (const [oid, stream] of engine.localStreams) {
    const labels = named(engine, 'stream', oid);
    if (labels !== null) to.counter('late_rows_total', help, labels, stream.lateCount);
  }
}

function oneView(engine: TidemarkEngine, view: ViewRuntime, to: Families): void {
  const { stored } = view;
  const labels = named(engine, 'view', view.oid);
  if (stored === null || labels === null) return;
  const figures = view.figures();
  const { nodes, root } = view.physical.plan;
  const sum = (of: (figure: (typeof figures)[number]) => number) => figures.reduce((n, figure) => n + of(figure), 0);
  const came = figures.reduce((n, { rowsOut }, i) => n + (nodes[i].op === 'source' ? rowsOut : 0), 0);
  to.gauge('view_rows', 'Rows of a view now.', labels, stored.rows);
  to.gauge('view_bytes', 'Memory of these rows.', labels, stored.bytes);
  to.gauge('view_cold_bytes', 'Bytes of these rows on disk only.', labels, stored.coldBytes);
  to.gauge(
    'view_state_rows',
    'Rows in the state of its operators.',
    labels,
    sum((f) => f.stateRows),
  );
  to.gauge(
    'view_state_bytes',
    'Memory of this state; views that share it have it each.',
    labels,
    sum((f) => f.stateBytes),
  );
  to.counter('view_rows_in_total', 'Changes that its relations gave it, since its operators were made.', labels, came);
  to.counter(
    'view_rows_out_total',
    'Changes of its rows, since its operators were made.',
    labels,
    figures[root].rowsOut,
  );
  to.counter('view_errors_total', 'Rows that failed.', labels, view.errors.count);
  to.gauge('view_error_rows', "Rows of tidemark.errors('view') now.", labels, view.errors.relation.rows);
}

function* tables(engine: TidemarkEngine, to: Families): Generator<void> {
  for (const object of engine.catalog.objects()) {
    const stored = object.kind === 'table' ? engine.loop.relations.get(object.oid) : undefined;
    if (stored === undefined) continue;
    const labels = { schema: object.schema, table: object.name };
    to.gauge('table_rows', 'Rows of a table now.', labels, stored.rows);
    to.gauge('table_bytes', 'Memory of these rows.', labels, stored.bytes);
    to.gauge('table_cold_bytes', 'Bytes of these rows on disk only.', labels, stored.coldBytes);
    yield;
  }
}

function sinks(engine: TidemarkEngine, to: Families): void {
  for (const [oid, { statistics }] of engine.sinks) {
    const labels = named(engine, 'sink', oid);
    if (labels === null) continue;
    to.gauge('sink_running', '1: running; 0: retrying or stopped.', labels, Number(statistics.status === 'running'));
    to.counter('sink_rows_total', 'Changes that a sink has written since the start.', labels, statistics.rows);
    to.counter('sink_errors_total', 'Writes that failed since the start.', labels, statistics.errors);
    to.gauge('sink_queued_ticks', 'Ticks that wait to be written.', labels, statistics.queued);
    to.gauge('sink_tick', 'The last tick that is written.', labels, statistics.tick);
  }
}

function subscriptions(engine: TidemarkEngine, to: Families): void {
  for (const object of engine.catalog.objects()) {
    if (object.kind !== 'subscription') continue;
    const labels = { schema: object.schema, subscription: object.name };
    const position = engine.subscriptions.get(object.oid) ?? null;
    const log = engine.changes.log(object.follows);
    to.gauge('subscription_position', 'The tick up to which the client has what it follows.', labels, position);
    to.gauge('subscription_kept_bytes', 'Changes that are kept of what it follows.', labels, log?.bytes ?? null);
  }
}

function memory(engine: TidemarkEngine, to: Families): void {
  to.gauge(
    'memory_limit_bytes',
    'What --memory-limit says, or the default.',
    {},
    Number.isFinite(budget.limit) ? budget.limit : null,
  );
  for (const [kind, bytes] of memoryFigures(engine)) {
    if (kind === 'used') to.gauge('memory_used_bytes', 'All that counts for the limit.', {}, bytes);
    else if (kind !== 'limit') to.gauge('memory_bytes', 'Its parts, as in tidemark.memory.', { kind }, bytes);
  }
  to.gauge('memory_held', '1: sources wait for memory.', {}, Number(engine.memory.held));
}

function durability({ journal, checkpoints, recovery, cold }: TidemarkEngine, to: Families): void {
  if (journal !== null) {
    const { log } = journal;
    to.counter('log_bytes_total', 'Bytes given to the tick log since the start.', {}, log.appendedBytes);
    to.gauge('log_pending_bytes', 'Of these, what is not on the disk yet.', {}, log.pendingBytes);
    to.gauge(
      'log_open',
      '1: the tick log takes records; 0: the disk is full or has failed.',
      {},
      Number(log.state === 'open'),
    );
  }
  if (checkpoints !== null) {
    const { taken, failed, age, bytesSince, lastReport } = checkpoints;
    const replayed = lastReport === null ? (recovery?.logBytes ?? 0) : 0;
    to.counter('checkpoints_total', 'Checkpoints taken since the start.', {}, taken);
    to.counter('checkpoint_failures_total', 'Checkpoints given up since the start.', {}, failed);
    to.gauge(
      'checkpoint_age_seconds',
      'Since the last one of this start was over.',
      {},
      age === null ? null : age / 1000,
    );
    to.gauge('checkpoint_tick', 'Its tick.', {}, lastReport?.tick ?? null);
    to.gauge(
      'checkpoint_duration_seconds',
      'How long it took.',
      {},
      lastReport === null ? null : lastReport.milliseconds / 1000,
    );
    to.gauge('log_since_checkpoint_bytes', 'What a start would have to replay.', {}, replayed + bytesSince);
  }
  if (recovery !== null)
    to.gauge('recovery_seconds', 'How long the last start took.', {}, recovery.milliseconds / 1000);
  if (cold !== null) {
    const { bytes, liveBytes, reads } = cold.figures;
    to.gauge('cold_bytes', 'Files of rows that memory has no room for.', {}, bytes);
    to.gauge('cold_live_bytes', 'Of these, what is still wanted.', {}, liveBytes);
    to.counter('cold_reads_total', 'Reads from them since the start.', {}, reads);
  }
}

function connections(postgres: Pick<PostgresServer, 'sessions'>, to: Families): void {
  const states = { active: 0, idle: 0, 'idle in transaction': 0, 'idle in transaction (aborted)': 0 };
  let tls = 0;
  for (const session of postgres.sessions()) {
    states[session.state]++;
    if (session.tls !== null) tls++;
  }
  for (const [state, count] of Object.entries(states))
    to.gauge('connections', 'Sessions of Postgres clients, by state.', { state }, count);
  to.gauge('tls_connections', 'Of these, those over TLS.', {}, tls);
}
