/**
 * Logical plan -> physical nodes. Works on a rewritten plan (no apply, no grouping sets).
 *
 *   Lowered = a node and, for each logical column id, its position in the node's row
 *
 * Renaming and reordering columns cost nothing: they only change the id -> position map. A stateful node's input is first cut to
 * exactly the columns it needs (`exactly`), because those are what its state will hold. Everything that a node takes by column
 * position (keys, arguments, order) is projected into columns before it.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { isVolatile } from '../analyse/functions.ts';
import { outputColumns } from '../logical/columns.ts';
import type { Logical } from '../logical/plan.ts';
import { type PlanBuilder, toPositions } from './builder.ts';
import { pointLookup } from './lookup.ts';
import { lowerAggregate } from './lower_aggregate.ts';
import { lowerAsof, lowerJoin } from './lower_join.ts';
import { lowerRecursive } from './lower_recursive.ts';
import { lowerTimeWindow } from './lower_timewindow.ts';
import { lowerTopN, lowerWindow } from './lower_window.ts';
import {
  addUnary,
  appending,
  columnsOfCols,
  exactly,
  type LowerContext,
  type Lowered,
  ordered,
  placed,
  readOnce,
  uniqueExprs,
} from './lowering.ts';
import type { PlanMode } from './query.ts';

/** A context to lower with; `working` and `outside` are set inside a recursion's step. */
export function lowerContext(
  builder: PlanBuilder,
  mode: PlanMode,
  once: LowerContext['once'],
  inside: Partial<Pick<LowerContext, 'working' | 'outside'>> = {},
): LowerContext {
  const cx: LowerContext = { builder, mode, once, working: new Map(), ...inside, lower: (p) => lower(p, cx) };
  return cx;
}

function lower(p: Logical, cx: LowerContext): Lowered {
  const outside = cx.outside?.(p);
  if (outside) return outside;
  switch (p.op) {
    case 'get':
      cx.builder.relations.set(p.relation.oid, cx.mode === 'read' ? readOnce(p.relation) : p.relation);
      return placed(
        cx.builder.add({
          op: 'source',
          inputs: [],
          ...columnsOfCols(p.cols),
          relation: p.relation.oid,
          columns: p.columns,
        }),
        p.cols,
      );
    case 'values':
      return placed(
        cx.builder.add({
          op: 'constant',
          inputs: [],
          ...columnsOfCols(p.cols),
          rows: p.rows,
          ...(p.returned === undefined ? {} : { notes: ['what an item of WITH returns'] }),
        }),
        p.cols,
      );
    case 'filter': {
      const direct = p.input.op === 'get' && cx.mode === 'read' ? pointLookup(p.input, p.predicate, cx.builder) : null;
      const input = direct ?? cx.lower(p.input);
      return { node: cx.builder.map(input.node, toPositions(p.predicate, input.at), null, []), at: input.at };
    }
    case 'project':
      return lowerProject(p, cx);
    case 'join':
      return lowerJoin(p, cx);
    case 'asof':
      return lowerAsof(p, cx);
    case 'aggregate':
      return lowerAggregate(p, cx);
    case 'window':
      return lowerWindow(p, cx);
    case 'topn':
      return lowerTopN(p, cx);
    case 'distinct': {
      const input = exactly(cx.lower(p.input), outputColumns(p.input), cx);
      return { node: distinct(input.node, cx), at: input.at };
    }
    case 'setop':
      return lowerSetOp(p, cx);
    case 'tablefunc': {
      const input = exactly(cx.lower(p.input), outputColumns(p.input), cx);
      const args = p.args.map((a) => toPositions(a, input.at));
      const added = [...p.cols, ...(p.ordinality ? [p.ordinality] : [])];
      const node = appending(
        cx,
        {
          op: 'flatmap',
          fn: p.fn,
          args,
          ordinality: p.ordinality !== null,
          left: p.left,
          ...(args.some(isVolatile) ? { eachRow: true } : {}),
        },
        input,
        added,
      );
      return node;
    }
    case 'timewindow':
      return lowerTimeWindow(p, cx);
    case 'single_row': {
      const input = exactly(cx.lower(p.input), outputColumns(p.input), cx);
      const keys = p.keys.map((id) => input.at.get(id)!);
      if (cx.builder.facts(input.node).keys.some((k) => k.every((c) => keys.includes(c)))) return input;
      return { node: addUnary(cx, { op: 'single_row', keys }, input.node), at: input.at };
    }
    case 'temporal': {
      const input = exactly(cx.lower(p.input), outputColumns(p.input), cx);
      const position = (id: number | null): number | null => (id === null ? null : input.at.get(id)!);
      return {
        node: addUnary(cx, { op: 'temporal', from: position(p.from), until: position(p.until) }, input.node),
        at: input.at,
      };
    }
    case 'recursive':
      return lowerRecursive(p, cx, (builder, inside) => lowerContext(builder, cx.mode, cx.once, inside));
    case 'working': {
      const node = cx.working.get(p.id);
      if (node === undefined) throw new Error(`working table ${p.id} is not in scope`);
      return placed(node, p.cols);
    }
    case 'once': {
      const node = cx.once(p.item);
      return { node, at: new Map(p.cols.map((c, i) => [c.id, p.columns[i]])) };
    }
    case 'apply':
      throw new Error('an apply is left in the plan');
  }
}

function lowerProject(p: Logical & { op: 'project' }, cx: LowerContext): Lowered {
  const input = cx.lower(p.input);
  const items = p.items.map((i) => toPositions(i.expr, input.at));
  const at = new Map<number, number>();
  if (items.every((e) => e.k === 'col')) {
    p.items.forEach((item, i) => {
      at.set(item.col.id, (items[i] as Expr & { k: 'col' }).id);
    });
    return { node: input.node, at };
  }
  const { exprs, names, positions } = uniqueExprs(
    items,
    p.items.map((i) => i.col.name),
  );
  p.items.forEach((item, i) => {
    at.set(item.col.id, positions[i]);
  });
  return { node: cx.builder.map(input.node, null, exprs, names), at };
}

function lowerSetOp(p: Logical & { op: 'setop' }, cx: LowerContext): Lowered {
  const shape = columnsOfCols(p.cols);
  if (p.kind !== 'union') {
    const inputs = [p.left, p.right].map((side) => ordered(cx.lower(side), outputColumns(side), cx).node);
    return placed(cx.builder.add({ op: 'setop', inputs, ...shape, kind: p.kind, all: p.all }), p.cols);
  }
  const inputs = [p.left, p.right]
    .flatMap((side) => unionArms(side, !p.all))
    .map((arm) => ordered(cx.lower(arm), outputColumns(arm), cx).node);
  const union = cx.builder.add({ op: 'union', inputs, ...shape });
  return placed(p.all ? union : distinct(union, cx), p.cols);
}

/** Rows with a key are distinct already. */
function distinct(input: number, cx: LowerContext): number {
  return cx.builder.facts(input).keys.length > 0 ? input : addUnary(cx, { op: 'distinct' }, input);
}

/** The arms of a tree of UNIONs. Under a UNION that removes duplicates it makes no difference which of those below it do. */
function unionArms(p: Logical, removed: boolean): Logical[] {
  if (p.op !== 'setop' || p.kind !== 'union' || (!p.all && !removed)) return [p];
  return [...unionArms(p.left, removed), ...unionArms(p.right, removed)];
}
