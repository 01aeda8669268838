/**
 * Append-only: a node that never retracts a row. Two-valued lattice; true is a proof from append-only relations upwards.
 *
 * An outer, semi- or anti-join may take a row back when the other side changes, so it needs that side to be constant; a semi-join
 * over an append-only right side only ever adds.
 */
import type { PlanNode } from '../../operators/plan.ts';

/** `inputs[i]`: input i is append-only; `fixed[i]`: input i never changes after the first tick. */
export function isAppendOnly(node: PlanNode, inputs: boolean[], fixed: boolean[], source: boolean): boolean {
  switch (node.op) {
    case 'source':
      return source;
    case 'constant':
    case 'window_close':
      return true;
    case 'map':
    case 'flatmap':
    case 'union':
    case 'distinct':
      return inputs.every((x) => x);
    case 'temporal':
      return inputs[0] && node.until === null;
    case 'join':
      if (node.kind === 'inner' || node.kind === 'semi') return inputs[0] && inputs[1];
      if (node.kind === 'left' || node.kind === 'anti') return inputs[0] && fixed[1];
      if (node.kind === 'right') return inputs[1] && fixed[0];
      return fixed[0] && fixed[1];
    case 'setop':
      return node.kind === 'intersect' ? inputs[0] && inputs[1] : inputs[0] && fixed[1];
    case 'topn':
      return inputs[0] && node.limit === null && node.offset === 0 && node.rank === 'none';
    case 'recursive':
      return false;
    case 'aggregate':
      // Groups of which only the key is shown come and stay.
      return fixed.every((x) => x) || (node.calls.length === 0 && inputs[0]);
    case 'over':
    case 'session':
    case 'asof':
    case 'single_row':
      return fixed.every((x) => x);
  }
}

/** True for a node that depends on no relation and no clock: its output is whole after the first tick. */
export function isFixed(node: PlanNode, inputs: boolean[]): boolean {
  if (node.op === 'source' || node.op === 'temporal' || node.op === 'window_close' || node.op === 'recursive')
    return false;
  return inputs.every((x) => x);
}
