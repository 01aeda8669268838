/**
 * Filling a new view over relations with many rows, in slices between ticks.
 *
 *   pin, scans of what it reads as of the pin's tick -> the view's own graph, piece by piece | deltas since the tick -> the same | it becomes live in one turn
 *
 * Each piece is a tick of the view's, and nobody sees it before the last. That costs more than all rows in one tick: what a piece gives out the next may take back. So it is
 * for many rows only, and not for operators that look at all rows of a group or partition in each of its ticks.
 * Where others have nodes of the plan running, the view is filled from those (backfill.ts).
 */
import { Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import type { AggCall, PlanNode } from '../../operators/plan.ts';
import { turn } from '../../operators/turn.ts';
import type { Becoming } from './backfill.ts';
import type { TidemarkEngine } from './engine.ts';
import { PieceSize } from './piece_size.ts';
import { changesSince } from './pins.ts';
import { ReadTurns } from './read_turns.ts';
import type { RelationScan } from './relation_scan.ts';
import { feedOrder } from './sliced_read.ts';
import type { ViewRuntime } from './view.ts';

/** Fewer are read in some milliseconds. */
const MANY_ROWS = 16384;
const LEAST_PIECE = 64;
const GREATEST_PIECE = 8192;
/** A Top-N of more rows shows them in each piece. */
const FEW_SHOWN = 100;

const IN_PIECES = new Set<PlanNode['op']>([
  'source',
  'map',
  'flatmap',
  'union',
  'join',
  'distinct',
  'setop',
  'temporal',
]);
/** What these come to a group keeps as a sum. */
const SUMS = /^(count|sum|avg|min|max|bool_and|bool_or|every)\(/;

export function isLongFill(engine: TidemarkEngine, view: ViewRuntime): boolean {
  const { loop, replay } = engine;
  const { plan, keys } = view.plan;
  if (replay !== null || view.stored === null) return false;
  let rows = 0;
  let isOnDisk = false;
  for (const { relation } of view.sources) {
    const stored = loop.relations.get(relation);
    if (stored === undefined) return false;
    rows += stored.rows;
    isOnDisk ||= stored.hasRowsOnDisk;
  }
  // Few that are on disk may be more than memory has room for.
  if ((rows < MANY_ROWS && !isOnDisk) || !plan.nodes.every(goesInPieces)) return false;
  return plan.nodes.every((node, i) => node.op === 'source' || loop.graph.node(keys[i]) === undefined);
}

function goesInPieces(node: PlanNode): boolean {
  if (node.op === 'aggregate') return node.calls.every(isSum);
  if (node.op === 'topn') return node.limit !== null && node.offset + node.limit <= FEW_SHOWN;
  return IN_PIECES.has(node.op);
}

function isSum({ fn, orderBy }: AggCall): boolean {
  return orderBy.length === 0 && SUMS.test(fn);
}

/** `live` follows in the turn of the last check: nothing comes in between. */
export async function fillInSlices(engine: TidemarkEngine, view: ViewRuntime, becoming: Becoming): Promise<void> {
  const { loop, chilling } = engine;
  const pin = loop.pin();
  const scans = feedOrder(view.physical.plan).flatMap((relation) => {
    const stored = loop.relations.get(relation);
    return stored === undefined ? [] : [{ relation, scan: stored.scan([]) }];
  });
  const signal = becoming.signal ?? null;
  const feed = (deltas: Map<number, Batch>, inArena: Arena) =>
    turn.of(signal, () => loop.feedPast(view, pin.tick, deltas, inArena));
  const turns = new ReadTurns(signal);
  const arena = new Arena();
  const next = (scan: RelationScan, rows: number) => {
    // Not behind it: the piece shows long values of rows that could go.
    chilling.makeRoomToFill();
    return scan.next(rows, arena);
  };
  chilling.filling.add(view);
  try {
    for (const { relation, scan } of scans) {
      const size = new PieceSize(LEAST_PIECE, GREATEST_PIECE);
      for (let piece = next(scan, size.rows); piece !== null; piece = next(scan, size.rows)) {
        size.begin();
        if (piece.n > 0) feed(new Map([[relation, piece]]), arena);
        arena.reset();
        size.end();
        await turns.pause();
      }
    }
    for (const { deltas, late } of changesSince(pin)) {
      const read = new Map([...deltas].filter(([relation]) => scans.some((scan) => scan.relation === relation)));
      chilling.makeRoomToFill();
      if (read.size > 0) withScratch((scratch) => feed(read, scratch));
      if (!late) await turns.pause();
    }
    becoming.check();
  } finally {
    chilling.filling.delete(view);
    for (const { scan } of scans) scan.close();
    loop.unpin(pin);
    arena.release();
  }
  becoming.live();
}
