/** What time does to a node of a plan: the clock or a watermark may move it without input, and a watermark may free its state. */
import type { PlanNode } from './plan.ts';

/** Operators that may have output without input because time has passed. */
export function isClocked(spec: PlanNode): boolean {
  return spec.op === 'temporal' || (spec.op === 'recursive' && spec.step.nodes.some(isClocked));
}

/** Operators whose output at a tick is not only of the rows that came up to then. */
export function movesWithoutInput(spec: PlanNode): boolean {
  return isClocked(spec) || watermarksOf(spec).length > 0;
}

/** Relations whose watermark frees state of the operator. */
export function freedBy(spec: PlanNode): Set<number> {
  return new Set((spec.frees ?? []).flatMap((f) => f.sources));
}

/** Relations whose watermark moves the operator. */
export function watermarksOf(spec: PlanNode): number[] {
  if (spec.op === 'window_close') return spec.sources;
  return spec.op === 'recursive' ? spec.step.nodes.flatMap(watermarksOf) : [];
}
