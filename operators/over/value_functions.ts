/**
 * lag, lead (a row at a distance) and first_value, last_value, nth_value (a row of the frame). Values are copied as slots.
 *
 * lag(x) and lead(x) reach one row; with an offset argument, which may differ by row, they reach the whole partition.
 */
import { type BatchBuilder, readDatum } from '../batch/builder.ts';
import { SqlError } from '../errors.ts';
import type { EvalContext } from '../expr/ir.ts';
import type { Tick } from '../operator.ts';
import type { SortKey, WindowCall } from '../plan.ts';
import type { ColType } from '../types.ts';
import { Frame, frameReach, type Reach } from './frame.ts';
import type { PartitionView } from './partition_view.ts';
import type { WindowEvaluator } from './window_call.ts';

const ALL = Number.POSITIVE_INFINITY;

abstract class ValueFunction implements WindowEvaluator {
  abstract readonly reach: Reach;
  abstract write(view: PartitionView, i: number, out: BatchBuilder, column: number, row: number, tick: Tick): void;

  begin(): void {
    // Nothing is kept.
  }

  end(): void {
    // Nothing is kept.
  }

  release(): void {
    // Nothing is kept.
  }
}

class Shifted extends ValueFunction {
  readonly reach: Reach;
  readonly #args: number[];
  readonly #direction: number;

  constructor(call: WindowCall, direction: 1 | -1) {
    super();
    this.#args = call.args;
    this.#direction = direction;
    const distance = call.args.length === 1 ? 1 : ALL;
    const [before, after] = direction < 0 ? [0, distance] : [distance, 0];
    this.reach = call.args.length === 1 ? { before, after, peers: false } : { before: ALL, after: ALL, peers: false };
  }

  write(view: PartitionView, i: number, out: BatchBuilder, column: number, row: number): void {
    const [value, offset, otherwise] = this.#args;
    const distance = offset === undefined ? 1 : readDatum(view.columns[offset], i);
    if (distance === null) {
      out.setNull(column, row);
      return;
    }
    const at = i + this.#direction * Number(distance);
    if (at >= 0 && at < view.n) out.copySlot(column, row, view.columns[value], at);
    else if (otherwise === undefined) out.setNull(column, row);
    else out.copySlot(column, row, view.columns[otherwise], i);
  }
}

class InFrame extends ValueFunction {
  readonly reach: Reach;
  readonly #args: number[];
  readonly #name: string;
  readonly #frame: Frame;

  constructor(name: string, call: WindowCall, order: SortKey[], types: ColType[]) {
    super();
    this.#name = name;
    this.#args = call.args;
    this.#frame = new Frame(call.frame, order, types);
    this.reach = frameReach(call.frame);
  }

  write(view: PartitionView, i: number, out: BatchBuilder, column: number, row: number, tick: Tick): void {
    const at = this.#position(view, i, tick.evalContext);
    if (at < 0) out.setNull(column, row);
    else out.copySlot(column, row, view.columns[this.#args[0]], at);
  }

  /** Position of the wanted row, -1 when the frame has none. */
  #position(view: PartitionView, i: number, ctx: EvalContext): number {
    const start = this.#frame.start(view, i, ctx);
    const end = Math.max(start, this.#frame.end(view, i, ctx));
    const parts = this.#parts(view, i, start, end);
    const size = parts.reduce((sum, [from, to]) => sum + to - from, 0);
    let wanted = this.#name === 'last_value' ? size - 1 : 0;
    if (this.#name === 'nth_value') {
      const n = readDatum(view.columns[this.#args[1]], i);
      if (n === null) return -1;
      if (Number(n) <= 0) throw new SqlError('22016', 'argument of nth_value must be greater than zero');
      wanted = Number(n) - 1;
    }
    for (const [from, to] of parts) {
      if (wanted < 0) return -1;
      if (wanted < to - from) return from + wanted;
      wanted -= to - from;
    }
    return -1;
  }

  /** The frame without what EXCLUDE takes out, in order. */
  #parts(view: PartitionView, i: number, start: number, end: number): [number, number][] {
    const excluded = this.#frame.excluded(view, i);
    if (excluded === null) return [[start, end]];
    const { from, to, keep } = excluded;
    const parts: [number, number][] = [[start, Math.min(end, from)]];
    if (keep >= start && keep < end) parts.push([keep, keep + 1]);
    parts.push([Math.max(start, to), end]);
    return parts.filter(([a, b]) => a < b);
  }
}

/** Null when `name` is none of these. */
export function valueFunction(
  name: string,
  call: WindowCall,
  order: SortKey[],
  types: ColType[],
): WindowEvaluator | null {
  switch (name) {
    case 'lag':
      return new Shifted(call, -1);
    case 'lead':
      return new Shifted(call, 1);
    case 'first_value':
    case 'last_value':
    case 'nth_value':
      return new InFrame(name, call, order, types);
    default:
      return null;
  }
}
