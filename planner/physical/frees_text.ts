/** EXPLAIN's words for when a node's state is freed: `at watermark - 10 s (bid)`. */
import type { PlanNode, Retention } from '../../operators/plan.ts';

const PASSES = 'when now() passes';

/** Null for a node that keeps no state. `leaves[i]`: rows of input i leave by the clock. */
export function freesText(node: PlanNode, relationName: (oid: number) => string, leaves: boolean[]): string | null {
  switch (node.op) {
    case 'temporal':
      return PASSES;
    case 'window_close':
      return 'at watermark';
    case 'recursive':
      return 'never';
    case 'aggregate':
    case 'distinct':
    case 'setop':
    case 'join':
    case 'asof':
    case 'topn':
    case 'over':
    case 'session':
    case 'single_row':
      return retentionText(node, relationName, leaves);
    default:
      return null;
  }
}

function retentionText(node: PlanNode, relationName: (oid: number) => string, leaves: boolean[]): string {
  const frees = node.frees ?? [];
  const texts = node.inputs.map((_, i) => {
    const own = frees.filter((f) => f.input === i);
    return own.length === 0 && leaves[i] ? PASSES : sideText(own, relationName);
  });
  if (frees.length === 0 && node.op === 'aggregate' && node.global) return 'never';
  if (frees.length > 0) {
    if (node.op === 'over' && !node.partition.includes(frees[0].column))
      return `${texts[0]}, all but what frames reach`;
    if (node.op === 'asof') return `${texts[0]}, all but the last right row of a key`;
    if (node.op === 'setop') return texts[0];
  }
  return texts.every((t) => t === texts[0]) ? texts[0] : `left ${texts[0]}, right ${texts[1]}`;
}

function sideText(frees: Retention[], relationName: (oid: number) => string): string {
  if (frees.length === 0) return 'never';
  return frees.map((f) => `${atWatermark(f.lag)} (${f.sources.map(relationName).join(', ')})`).join(' and ');
}

function atWatermark(lag: bigint): string {
  if (lag === 0n) return 'at watermark';
  return `at watermark ${lag > 0n ? '-' : '+'} ${duration(lag < 0n ? -lag : lag)}`;
}

/** Microseconds in the largest unit that keeps them whole. */
function duration(us: bigint): string {
  const units: [bigint, string][] = [
    [86400000000n, 'd'],
    [3600000000n, 'h'],
    [60000000n, 'min'],
    [1000000n, 's'],
    [1000n, 'ms'],
  ];
  const unit = units.find(([size]) => us % size === 0n);
  return unit ? `${us / unit[0]} ${unit[1]}` : `${us} µs`;
}
