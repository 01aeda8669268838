/**
 * The partitions of a stream in event time: what each of them lets the watermark be, and which of them has to wait for the others.
 *
 *   mark       = greatest time seen - delay              the stream's is the least of partitions that are not idle; the greatest, where all are
 *   waits(p)   = times of p's last batch > slowest + AHEAD        slowest: the least greatest time of partitions that have more to give
 *
 * Partitions are read at about the same rate of bytes, so where one has many rows a second and another few, the second runs days ahead in event
 * time while a topic's history is read, and all that waits for the watermark (open windows, sides of joins) is kept meanwhile. What is read of a partition
 * that waits stays with the source; no row is later or earlier for it in any view's answer, as the tick log has what each tick took.
 *
 * Traps: a time that is nonsense must not stop its partition, so it counts by the least time of a batch, and nobody waits longer than PATIENCE_MS.
 * A partition that has more and gives nothing (its broker is away) is nobody's reason to wait. One at its end is not either.
 */
import { ListedMap } from '../../operators/lists.ts';
import type { Source } from '../sources/source.ts';

/** Event time that one partition may be ahead of another, in microseconds. */
const AHEAD = 60_000_000n;
/** A partition that waits gives a batch after so long, and one that has given none for so long is not waited for. */
const PATIENCE_MS = 10_000;

export interface PartitionState {
  readonly partition: number;
  /** Greatest time seen; null: none yet. */
  maxTime: bigint | null;
  /** Offset of the next record. */
  position: bigint;
  /** At its end since then, in awake milliseconds; null: it has more, or nobody has looked. */
  idleSince: number | null;
  /** Least time of the rows that it gave last. */
  lastLeast: bigint | null;
  /** It has given records since the last look. */
  gave: boolean;
  /** When it gave records last, or began or ended to wait. */
  since: number | null;
  waits: boolean;
}

/** What is known of a stream's partitions beyond what was taken. */
export interface Look {
  /** Undefined: nobody knows, as the source has not looked yet or cannot now. */
  end(partition: number): bigint | undefined;
  /** The partition of which the engine has records that no tick has taken. */
  pending: number | undefined;
  awakeMs: number;
}

export class Partitions {
  readonly #all = new ListedMap<number, PartitionState>();

  add(partition: number, position: bigint, maxTime: bigint | null = null): PartitionState {
    const state: PartitionState = {
      partition,
      maxTime,
      position,
      idleSince: null,
      lastLeast: null,
      gave: false,
      since: null,
      waits: false,
    };
    this.#all.set(partition, state);
    return state;
  }

  has(partition: number): boolean {
    return this.#all.has(partition);
  }

  of(partition: number): PartitionState {
    // Many streams have one only.
    const first = this.#all.list[0];
    if (first?.partition === partition) return first;
    return this.#all.get(partition) ?? this.add(partition, 0n);
  }

  positions(): Map<number, bigint> {
    return new Map(this.#all.list.map(({ partition, position }) => [partition, position]));
  }

  save(): { partition: number; maxTime: bigint | null; position: bigint }[] {
    return this.#all.list.map(({ partition, maxTime, position }) => ({ partition, maxTime, position }));
  }

  /** Rows with such times were taken of it. */
  took(partition: number, least: bigint | null, greatest: bigint | null): void {
    const state = this.of(partition);
    state.idleSince = null;
    state.gave = true;
    if (greatest === null) return;
    state.lastLeast = least;
    if (state.maxTime === null || greatest > state.maxTime) state.maxTime = greatest;
  }

  /** No partition counts as silent so far. */
  forgetIdle(): void {
    for (const state of this.#all.list) state.idleSince = null;
  }

  /**
   * What the watermark may follow: the least of the partitions' greatest times, without those that are idle (at their end for `idleMs`), or the greatest
   * where all are, as none of them holds it back; null where one that is not idle has no time yet.
   */
  time(look: Look, idleMs: number): bigint | null {
    const { awakeMs } = look;
    let least: bigint | null = null;
    let greatest: bigint | null = null;
    for (const state of this.#all.list) {
      if (hasMore(state, look) !== false) state.idleSince = null;
      else state.idleSince ??= awakeMs;
      const { maxTime, idleSince } = state;
      if (idleSince !== null && awakeMs - idleSince >= idleMs) {
        if (maxTime !== null && (greatest === null || maxTime > greatest)) greatest = maxTime;
        continue;
      }
      if (maxTime === null) return null;
      if (least === null || maxTime < least) least = maxTime;
    }
    return least ?? greatest;
  }

  /** Lets those wait that are ahead, or nobody where the rows of all are wanted. True when some wait. */
  align(look: Look, source: Pick<Source, 'pause' | 'resume'>, wantsAll: boolean): boolean {
    const { awakeMs } = look;
    const all = this.#all.list;
    if (all.length < 2) return false;
    let slowest: bigint | null = null;
    for (const state of all) {
      if (state.gave || state.since === null) state.since = awakeMs;
      state.gave = false;
      if (wantsAll || state.maxTime === null || hasMore(state, look) !== true) continue;
      if (!state.waits && awakeMs - state.since >= PATIENCE_MS) continue;
      if (slowest === null || state.maxTime < slowest) slowest = state.maxTime;
    }
    let waiting = false;
    for (const state of all) {
      const { partition, lastLeast, since } = state;
      const tired = state.waits && awakeMs - (since as number) >= PATIENCE_MS;
      const waits: boolean = slowest !== null && lastLeast !== null && lastLeast - slowest > AHEAD && !tired;
      if (waits !== state.waits) {
        state.waits = waits;
        state.since = awakeMs;
        // What it gave last is no reason any more: the next batch is.
        if (tired) state.lastLeast = null;
        if (waits) source.pause(partition);
        else source.resume(partition);
      }
      waiting ||= waits;
    }
    return waiting;
  }
}

/** Undefined where nobody knows. */
function hasMore({ partition, position }: PartitionState, { end, pending }: Look): boolean | undefined {
  if (pending === partition) return true;
  const last = end(partition);
  return last === undefined ? undefined : last > position;
}
