/**
 * The planner's second half: logical plan -> rewrites -> dataflow plan.
 *
 *   planQuery   a bound SELECT, for a view or for one read
 *   planRows    a bare logical plan with its columns in a given order (sources of INSERT, UPDATE, DELETE)
 *   nodeKey     structural identity of a node, for sharing operators between views
 *   explainQuery, explainNodes, explainedLines the plan as a tree, and that as text
 *   keptRows, keptRemark    what nothing ever takes from a view's state, and that in words
 */
import type { DataflowPlan, SortKey } from '../../operators/plan.ts';
import { analysePlan } from '../analyse/index.ts';
import { outputColumns } from '../logical/columns.ts';
import type { BoundQuery, Col, Logical, OnceItem } from '../logical/plan.ts';
import { refuseTooLarge } from '../logical/written_out.ts';
import { rewrite } from '../rewrite/index.ts';
import { uniqueIds } from '../rewrite/unique_ids.ts';
import { annotate } from './annotate.ts';
import { PlanBuilder } from './builder.ts';
import { lowerContext } from './lower.ts';
import { type LowerContext, ordered } from './lowering.ts';
import type { PhysicalQuery, PlanOptions } from './query.ts';
import { closeWindows } from './window_close.ts';

export {
  type ExplainedNode,
  explained,
  explainedLines,
  explainNodes,
  explainQuery,
  type NodeRemark,
} from './explain.ts';
export { keptRows } from './kept_rows.ts';
export { keptRemark } from './kept_text.ts';
export { keyDigest, nodeKeys, type RowsOf } from './node_key.ts';
export type { PhysicalColumn, PhysicalQuery, PlanMode, PlanOptions } from './query.ts';

/** Plans a bound query. Throws SqlError 0A000 where a view cannot be maintained (now() outside a temporal filter, ...). */
export function planQuery(bound: BoundQuery, options: PlanOptions): PhysicalQuery {
  const visible = bound.columns.map((c) => c.col);
  const order = options.mode === 'read' ? bound.order : visibleOrder(bound);
  const hidden = hiddenColumns(bound.plan, order, visible);
  const cx = newContext(options);
  const root = rootNode(bound.plan, [...visible, ...hidden], cx, options, bound.emitOnWindowClose);
  const plan = cx.builder.finish(root);
  const facts = analysePlan(plan, (oid) => cx.builder.relations.get(oid), options.timeZone);
  const result = facts[plan.root];
  const ids = [...visible, ...hidden].map((c) => c.id);
  return {
    plan: annotate(plan, facts),
    columns: bound.columns.map((c) => ({
      name: c.col.name,
      type: c.col.type,
      ...(c.origin ? { origin: c.origin } : {}),
    })),
    order: order.map((o): SortKey => ({ col: ids.indexOf(o.id), desc: o.desc, nullsFirst: o.nullsFirst })),
    key: result.keys.find((k) => k.every((c) => c < visible.length)) ?? null,
    appendOnly: options.mode === 'view' && result.appendOnly,
    facts,
  };
}

/** Plans `logical` so that the root's columns are exactly `outIds`, in order. */
export function planRows(logical: Logical, outIds: number[], options: PlanOptions = { mode: 'read' }): DataflowPlan {
  const cols = columnsById(logical, outIds);
  const cx = newContext(options);
  const plan = cx.builder.finish(rootNode(logical, cols, cx, options, false));
  return annotate(
    plan,
    analysePlan(plan, (oid) => cx.builder.relations.get(oid), options.timeZone),
  );
}

function newContext(options: PlanOptions): LowerContext {
  const items = new Map<OnceItem, number>();
  const cx = lowerContext(new PlanBuilder(options.timeZone), options.mode, (item) => {
    const node = items.get(item) ?? rootNode(item.plan, item.outputs, cx, options, false);
    cx.builder.keepWhole(node);
    items.set(item, node);
    return node;
  });
  return cx;
}

function rootNode(plan: Logical, cols: Col[], cx: LowerContext, options: PlanOptions, onClose: boolean): number {
  refuseTooLarge(plan);
  const unique = uniqueIds(plan);
  const wanted = cols.map((c) => ({ ...c, id: unique.ids.get(c.id) ?? c.id }));
  const rewritten = rewrite(unique.plan, new Set(wanted.map((c) => c.id)), options);
  const root = ordered(cx.lower(rewritten), wanted, cx);
  return onClose ? closeWindows(root.node, cx.builder) : root.node;
}

/** In a view the order only matters as far as its columns are part of the result. */
function visibleOrder(bound: BoundQuery): BoundQuery['order'] {
  const ids = new Set(bound.columns.map((c) => c.col.id));
  const end = bound.order.findIndex((o) => !ids.has(o.id));
  return end === -1 ? bound.order : bound.order.slice(0, end);
}

function hiddenColumns(plan: Logical, order: BoundQuery['order'], visible: Col[]): Col[] {
  const shown = new Set(visible.map((c) => c.id));
  const ids = [...new Set(order.map((o) => o.id))].filter((id) => !shown.has(id));
  return columnsById(plan, ids);
}

function columnsById(plan: Logical, ids: number[]): Col[] {
  const byId = new Map(outputColumns(plan).map((c) => [c.id, c]));
  return ids.map((id) => {
    const col = byId.get(id);
    if (!col) throw new Error(`column ${id} is not part of the plan's output`);
    return col;
  });
}
