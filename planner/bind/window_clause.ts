/**
 * Window definitions: PARTITION BY, ORDER BY and frames of OVER (...) and WINDOW w AS (...), resolved once the select list is known.
 */
import type { Datum } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { FrameBound, WindowFrame } from '../../operators/plan.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import { structureText } from '../logical/expressions.ts';
import type { LogicalWindow, OrderItem } from '../logical/plan.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { formatType } from '../types/type_name.ts';
import { INT8, isUnknown, operatorFor, resolveUnknown, toSpecific, tryCoerce, typeOf } from './coercion.ts';
import { constantValue } from './constant_value.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { locationOf } from './node.ts';
import { checkEquality, sortItem } from './sort_item.ts';
import type { Target } from './target.ts';
import { DEFAULT_FRAME } from './window_call.ts';

/** Bits of WindowDef.frameOptions (PostgreSQL's parsenodes.h). */
const FRAME = {
  nonDefault: 0x1,
  range: 0x2,
  rows: 0x4,
  groups: 0x8,
  startUnbounded: 0x20,
  endUnboundedPreceding: 0x40,
  startUnboundedFollowing: 0x80,
  endUnbounded: 0x100,
  startCurrent: 0x200,
  endCurrent: 0x400,
  startPreceding: 0x800,
  endPreceding: 0x1000,
  startFollowing: 0x2000,
  endFollowing: 0x4000,
  excludeCurrent: 0x8000,
  excludeGroup: 0x10000,
  excludeTies: 0x20000,
} as const;

/** Functions whose result does not depend on the frame. */
const FRAMELESS = new Set(['row_number', 'rank', 'dense_rank', 'percent_rank', 'cume_dist', 'ntile', 'lag', 'lead']);

interface Definition {
  name: string | undefined;
  partition: Expr[];
  order: OrderItem[];
  hasOrder: boolean;
  frame: WindowFrame;
  hasFrame: boolean;
}

/** Resolves all definitions of the level and completes its window calls. */
export function resolveWindows(level: Level, targets: Target[]): void {
  const done: Definition[] = [];
  for (const node of level.windowDefinitions) {
    if (node.name && done.some((d) => d.name === node.name)) {
      throw level.error('42P20', `window "${node.name}" is already defined`, locationOf(node));
    }
    done.push(define(level, node, done, targets));
  }
  for (const use of level.windows) {
    const d = done[use.definition];
    const frameless = FRAMELESS.has(use.call.fn.slice(0, use.call.fn.indexOf('(')));
    const frame = frameless ? DEFAULT_FRAME : d.frame;
    Object.assign(use.call, { partition: d.partition, order: d.order, frame } satisfies Partial<LogicalWindow>);
  }
}

/** Binds a sort or partition expression. An untyped literal that the select list has too becomes text there as well. */
function bindKey(level: Level, targets: Target[], node: PgNode): Expr {
  const bound = level.bind(node);
  if (!isUnknown(level, bound)) return bound;
  const text = structureText(bound);
  for (const t of targets) if (structureText(t.expr) === text) t.expr = resolveUnknown(level, t.expr);
  return resolveUnknown(level, bound);
}

function define(level: Level, node: PgNode, earlier: Definition[], targets: Target[]): Definition {
  const at = locationOf(node);
  const base = node.refname ? earlier.find((d) => d.name === node.refname) : undefined;
  if (node.refname && !base) throw level.error('42704', `window "${node.refname}" does not exist`, at);
  const order = level.inClause('window_order', () =>
    ((node.orderClause ?? []) as PgNode[]).map((s) =>
      sortItem(level, s.SortBy, bindKey(level, targets, s.SortBy.node)),
    ),
  );
  const partition = level.inClause('window_partition', () =>
    ((node.partitionClause ?? []) as PgNode[]).map((n) => {
      const e = bindKey(level, targets, n);
      checkEquality(level, e);
      return e;
    }),
  );
  const options: number = node.frameOptions ?? 0;
  const hasFrame = (options & FRAME.nonDefault) !== 0;
  if (base) {
    if (partition.length > 0) {
      throw level.error('42P20', `cannot override PARTITION BY clause of window "${node.refname}"`, at);
    }
    if (base.hasOrder && order.length > 0) {
      throw level.error('42P20', `cannot override ORDER BY clause of window "${node.refname}"`, at);
    }
    if (base.hasFrame) {
      const copies = node.name || order.length > 0 || hasFrame;
      throw level.error('42P20', `cannot copy window "${node.refname}" because it has a frame clause`, at, {
        hint: copies ? undefined : 'Omit the parentheses in this OVER clause.',
      });
    }
  }
  const finalOrder = distinctItems(base && order.length === 0 ? base.order : order);
  return {
    name: node.name,
    partition: base ? base.partition : distinctExprs(partition),
    order: finalOrder,
    hasOrder: finalOrder.length > 0,
    frame: frameOf(level, node, options, finalOrder, at),
    hasFrame,
  };
}

function distinctExprs(list: Expr[]): Expr[] {
  const texts = list.map((e) => structureText(e));
  return list.filter((_, i) => texts.indexOf(texts[i]) === i);
}

function distinctItems(list: OrderItem[]): OrderItem[] {
  const texts = list.map((o) => structureText(o.expr));
  return list.filter((_, i) => texts.indexOf(texts[i]) === i);
}

function frameOf(level: Level, node: PgNode, options: number, order: OrderItem[], at: number): WindowFrame {
  if ((options & FRAME.nonDefault) === 0) return DEFAULT_FRAME;
  const mode = options & FRAME.rows ? 'rows' : options & FRAME.groups ? 'groups' : 'range';
  if (mode === 'groups' && order.length === 0) {
    throw level.error('42P20', 'GROUPS mode requires an ORDER BY clause', at);
  }
  const hasOffset = node.startOffset || node.endOffset;
  if (mode === 'range' && hasOffset && order.length !== 1) {
    const what = 'RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column';
    throw level.error('42P20', what, at);
  }
  const offset = (n: PgNode, k: 'preceding' | 'following'): FrameBound =>
    mode === 'range' ? rangeOffset(level, n, k, order[0].expr) : countOffset(level, n, k, mode);
  const start: FrameBound =
    options & FRAME.startPreceding
      ? offset(node.startOffset, 'preceding')
      : options & FRAME.startFollowing
        ? offset(node.startOffset, 'following')
        : { k: options & FRAME.startCurrent ? 'current' : 'unboundedPreceding' };
  const end: FrameBound =
    options & FRAME.endPreceding
      ? offset(node.endOffset, 'preceding')
      : options & FRAME.endFollowing
        ? offset(node.endOffset, 'following')
        : { k: options & FRAME.endUnbounded ? 'unboundedFollowing' : 'current' };
  const exclude =
    options & FRAME.excludeCurrent
      ? 'current'
      : options & FRAME.excludeGroup
        ? 'group'
        : options & FRAME.excludeTies
          ? 'ties'
          : 'none';
  return { mode, start, end, exclude };
}

/** Offset of ROWS and GROUPS: a constant bigint. */
function countOffset(level: Level, node: PgNode, k: 'preceding' | 'following', mode: 'rows' | 'groups'): FrameBound {
  const what = mode.toUpperCase();
  const bound = level.bindIn(mode === 'rows' ? 'window_rows' : 'window_groups', node);
  const expr = toSpecific(level, bound, INT8, what);
  const value = offsetValue(level, expr, what);
  const which = k === 'preceding' ? 'starting' : 'ending';
  if (value === null) throw level.error('22004', `frame ${which} offset must not be null`);
  if ((value as bigint) < 0n) throw level.error('22013', `frame ${which} offset must not be negative`);
  return { k, offset: value, offsetType: INT8 };
}

function offsetValue(level: Level, expr: Expr, what: string): Datum {
  visitExpr(expr, (x) => {
    if (x.k === 'col' && level.shared.columns.get(x.id)?.kind !== 'subquery') {
      throw level.error('42P10', `argument of ${what} must not contain variables`, level.shared.locations.get(x));
    }
    return true;
  });
  return constantValue(level, expr, `a frame offset that is not a constant`);
}

/** The type of a RANGE offset for an order column, as PostgreSQL's in_range functions have it; null when there is none. */
function rangeOffsetType(order: number): ColType | null {
  switch (order) {
    case OID.int2:
    case OID.int4:
    case OID.int8:
    case OID.numeric:
    case OID.float8:
      return colType(order);
    case OID.float4:
      return colType(OID.float8);
    case OID.date:
    case OID.time:
    case OID.timetz:
    case OID.timestamp:
    case OID.timestamptz:
    case OID.interval:
      return colType(OID.interval);
    default:
      return null;
  }
}

function rangeOffset(level: Level, node: PgNode, k: 'preceding' | 'following', order: Expr): FrameBound {
  const bound = level.bindIn('window_range', node);
  const wanted = rangeOffsetType(order.t.oid);
  const orderName = formatType(order.t.oid);
  const at = exprLocation(level, bound);
  if (!wanted) {
    throw level.error(
      '0A000',
      `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${orderName}`,
      at,
    );
  }
  const given = typeOf(level, bound);
  const integers: number[] = [OID.int2, OID.int4, OID.int8];
  const takesAsIs = integers.includes(order.t.oid) && integers.includes(given.oid);
  const target = takesAsIs ? given : wanted;
  const expr = tryCoerce(level, bound, target, 'implicit');
  if (!expr) {
    throw level.error(
      '0A000',
      `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${orderName} and offset type ${formatType(given.oid)}`,
      at,
      { hint: 'Cast the offset value to an appropriate type.' },
    );
  }
  const value = offsetValue(level, expr, 'RANGE');
  const stand: Expr = { k: 'const', v: value, t: expr.t };
  const add = operatorFor(level, '+', order, stand, at);
  const sub = operatorFor(level, '-', order, stand, at);
  return { k, offset: value, offsetType: expr.t, add: add.fn, sub: sub.fn };
}
