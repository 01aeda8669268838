/**
 * Filling a new view.
 *
 *   all it reads is there at the present tick (stored relations, nodes of the graph, streams without rows so far):  in one tick, at once
 *   many rows of stored relations, and no nodes of its in the graph:  in slices between ticks (fill_in_slices.ts)
 *   else:
 *     streams it reads that were never read before: opened now, the view sees them from their first row on
 *     streams that were read already:               their recorded history is replayed into the view while ticks go on; when the
 *                                                   view has caught up, the streams are held for the last stretch; the watermark
 *                                                   is that of the replay, for older rows are still to come into this view
 *     stored relations:                             read whole at the tick in which the view becomes live
 */
import { Arena } from '../../operators/batch/arena.ts';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { GraphTick } from '../../operators/flow.ts';
import { turn } from '../../operators/turn.ts';
import { startPosition } from '../sources/start.ts';
import type { TidemarkEngine } from './engine.ts';
import { fillInSlices, isLongFill } from './fill_in_slices.ts';
import { RecordCounts } from './record_counts.ts';
import type { StreamRuntime } from './stream.ts';
import type { HistoryPiece } from './stream_history.ts';
import { replay } from './stream_replay.ts';
import type { ViewRuntime } from './view.ts';

/** Rounds of replay while the streams run before they are held. */
const FREE_ROUNDS = 3;

/** What goes with a view's first tick, in the same turn. */
export interface Becoming {
  /** Before it: throws when the view may not become live any more. */
  check(): void;
  /** After it. */
  live(): void;
  /** The statement's cancellation; absent: it has none. */
  signal?: AbortSignal;
}

interface Progress {
  stream: StreamRuntime;
  columns: number[];
  /** Offsets that the view has seen, by partition. */
  reached: Map<number, bigint>;
  found: RecordCounts;
  /** That of the piece replayed last: what is to come is not before it. */
  watermark: bigint | null;
}

export async function backfill(engine: TidemarkEngine, view: ViewRuntime, becoming: Becoming): Promise<void> {
  const streams = neededStreams(engine, view);
  const starts = new Map<StreamRuntime, Map<number, bigint>>();
  for (const stream of streams.keys()) if (!stream.opened) starts.set(stream, await startOffsets(engine, stream));
  const isEmpty = (relation: number) => engine.streams.get(relation)?.history.isEmpty === true;
  becoming.check();
  const now = streams.size === 0 || !isTooMuch(engine, view);
  if (isLongFill(engine, view)) {
    const live = () => {
      firstTick(engine, becoming, () => engine.loop.attachFed(view, true));
      becoming.live();
    };
    await fillInSlices(engine, view, { ...becoming, live });
  } else if (now && firstTick(engine, becoming, () => engine.loop.attachNow(view, isEmpty))) becoming.live();
  else await replayAndAttach(engine, view, streams, becoming);
  // Another view may have opened a stream in the meantime; this one has replayed what it read since.
  for (const [stream, offsets] of starts) if (!stream.opened) engine.sourceTicks.openStream(stream, offsets);
  engine.sourceTicks.schedule();
}

/** Filling in one tick needs so many times the bytes that are read from disk, about. */
const COPIES = 4;

/**
 * Whether the operators that the view has in common with others have so much on disk that it cannot be read in one tick: then the streams are replayed, whose
 * rows come piece by piece and may go to disk in between.
 */
function isTooMuch(engine: TidemarkEngine, view: ViewRuntime): boolean {
  let bytes = 0;
  for (const key of view.plan.keys)
    for (const index of engine.loop.graph.node(key)?.coldStates() ?? []) bytes += index.coldBytes;
  return bytes * COPIES > budget.limit - pages.usedBytes - budget.outsideBytes;
}

/** The streams that the view reads, with the columns it needs. */
function neededStreams(engine: TidemarkEngine, view: ViewRuntime): Map<StreamRuntime, Set<number>> {
  const streams = new Map<StreamRuntime, Set<number>>();
  for (const { relation, columns } of view.sources) {
    const stream = engine.streams.get(relation);
    if (stream === undefined || stream.spec.envelope === 'upsert') continue;
    stream.columns.need(columns);
    const needed = streams.get(stream) ?? new Set();
    for (const column of columns) needed.add(column);
    streams.set(stream, needed);
  }
  return streams;
}

async function replayAndAttach(
  engine: TidemarkEngine,
  view: ViewRuntime,
  streams: Map<StreamRuntime, Set<number>>,
  becoming: Becoming,
): Promise<void> {
  const progress = [...streams].map(
    ([stream, columns]): Progress => ({
      stream,
      columns: [...columns],
      reached: new Map(),
      found: new RecordCounts(),
      watermark: null,
    }),
  );
  // A view below is read at the end, so old rows still come from there, whatever the streams' watermarks say.
  const late = view.sources.some(({ relation }) =>
    engine.catalog.relationByOid(relation)?.monotone?.some((m) => m !== null),
  );
  // A stream whose rows have not begun to come has no watermark yet, whatever its own is by now.
  const watermark = (relation: number) =>
    late ? null : (progress.find((p) => p.stream.oid === relation)?.watermark ?? null);
  engine.chilling.filling.add(view);
  try {
    for (let round = 0; ; round++) {
      if (round === FREE_ROUNDS) for (const { stream } of progress) stream.held = true;
      let moved = false;
      for (const p of progress) if (await replayNew(engine, view, p, watermark, becoming)) moved = true;
      if (!moved) break;
    }
    for (const { stream, found } of progress) found.check(`stream "${stream.relation.name}"`, stream.history.counts());
    becoming.check();
    firstTick(engine, becoming, () => engine.loop.attach(view, (relation) => engine.loop.relations.has(relation)));
    becoming.live();
  } finally {
    engine.chilling.filling.delete(view);
    for (const { stream } of progress) stream.held = false;
  }
}

/** Makes a view live that was given all its rows up to this tick. */
export function attachFed(engine: TidemarkEngine, view: ViewRuntime): void {
  firstTick(engine, {}, () => engine.loop.attachFed(view, false));
  engine.journal?.passed(engine.loop);
  engine.sourceTicks.schedule();
}

/** The view's first tick. It is a tick for all others even when the view fails in it. */
function firstTick<T>(engine: TidemarkEngine, { signal }: Pick<Becoming, 'signal'>, run: () => T): T {
  const { tick } = engine.loop;
  try {
    return turn.of(signal ?? null, run);
  } catch (error) {
    if (engine.loop.tick !== tick) engine.journal?.passed(engine.loop);
    throw error;
  }
}

/** Offsets that a stream's `start` option names. While the log is replayed, nobody is asked: it says where the stream began. */
export async function startOffsets(engine: TidemarkEngine, stream: StreamRuntime): Promise<Map<number, bigint>> {
  if (engine.replay !== null) return new Map();
  return stream.source.startOffsets(startPosition(stream.spec.options.start));
}

/** Replays what the stream's history has beyond the view's progress. False when there is nothing. */
async function replayNew(
  engine: TidemarkEngine,
  view: ViewRuntime,
  p: Progress,
  watermark: GraphTick['watermark'],
  becoming: Becoming,
): Promise<boolean> {
  const pieces = p.stream.history.pieces(p.reached);
  for (const piece of pieces) {
    p.watermark = piece.watermark;
    await replayPiece(engine, view, p, piece, watermark, becoming.signal ?? null);
    p.reached.set(piece.partition, piece.to);
  }
  return pieces.length > 0;
}

async function replayPiece(
  engine: TidemarkEngine,
  view: ViewRuntime,
  p: Progress,
  piece: HistoryPiece,
  watermark: GraphTick['watermark'],
  signal: AbortSignal | null,
): Promise<void> {
  let arena = new Arena();
  try {
    for await (const batch of replay(p.stream, piece, p.columns, () => arena, p.found)) {
      engine.chilling.makeRoomToFill();
      signal?.throwIfAborted();
      turn.of(signal, () => engine.loop.feed(view, p.stream.oid, batch, arena, watermark));
      arena.release();
      arena = new Arena();
    }
  } finally {
    arena.release();
  }
}
