/** The one place that picks the evaluator of a window call. */
import { unsupported } from '../errors.ts';
import type { SortKey, WindowCall } from '../plan.ts';
import type { Heap } from '../state/heap.ts';
import type { ColType } from '../types.ts';
import { rankFunction } from './rank_functions.ts';
import { valueFunction } from './value_functions.ts';
import { WindowAggregate } from './window_aggregate.ts';
import type { WindowEvaluator } from './window_call.ts';

/** `types` and `order` are of the window's input; the heap holds what aggregates keep during a step. */
export function makeEvaluator(call: WindowCall, order: SortKey[], types: ColType[], heap: Heap): WindowEvaluator {
  if (call.aggregate) return new WindowAggregate(call, order, types, heap);
  const name = call.fn.slice(0, call.fn.indexOf('('));
  const evaluator = rankFunction(name, call) ?? valueFunction(name, call, order, types);
  if (evaluator === null) throw unsupported(`window function ${call.fn}`);
  return evaluator;
}
