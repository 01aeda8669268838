/**
 * TUMBLE, HOP, CUMULATE and SESSION in FROM: the relation's columns, then window_start and window_end.
 *
 *   TUMBLE(relation, time, size [, offset])          HOP(relation, time, slide, size [, offset])
 *   CUMULATE(relation, time, step, size [, offset])  SESSION(relation, time, gap [, key, ...])
 */
import type { Interval } from '../../operators/datum.ts';
import { colType, OID } from '../../operators/types.ts';
import type { Logical } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { formatType } from '../types/type_name.ts';
import { toSpecific } from './coercion.ts';
import { constantValue } from './constant_value.ts';
import { columnsItem, type FromItem, queryItem } from './from_item.ts';
import { bindRangeVar } from './from_relation.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { locationOf, names, rawLocation, stringOf } from './node.ts';

type Kind = (Logical & { op: 'timewindow' })['kind'];

/** Arguments: relation, time column, then durations. */
const DURATIONS: Record<Kind, string[]> = {
  tumble: ['size', 'offset'],
  hop: ['slide', 'size', 'offset'],
  cumulate: ['step', 'size', 'offset'],
  session: ['gap'],
};

const MICROS_PER_DAY = 86_400_000_000n;

/** True for a call of one of the four in FROM. */
export function isTimeWindow(call: PgNode): boolean {
  const path = names(call.funcname);
  return path.length === 1 && path[0] in DURATIONS;
}

/** Binds TUMBLE(...) and the like. */
export function bindTimeWindow(level: Level, call: PgNode, alias: PgNode | undefined): FromItem {
  const kind = names(call.funcname)[0] as Kind;
  const args: PgNode[] = call.args ?? [];
  const wanted = DURATIONS[kind];
  const required = kind === 'hop' || kind === 'cumulate' ? 4 : 3;
  const most = kind === 'session' ? Number.POSITIVE_INFINITY : 2 + wanted.length;
  if (args.length < required || args.length > most) {
    throw level.error('42883', `${kind.toUpperCase()} takes ${signature(kind)}`, locationOf(call));
  }
  const inner = windowInput(level, args[0], kind);
  const time = columnOf(level, inner, args[1]);
  if (time.type.oid !== OID.timestamp && time.type.oid !== OID.timestamptz) {
    const type = formatType(time.type.oid);
    const message = `the time column of ${kind.toUpperCase()} must be type timestamp or timestamp with time zone, not type ${type}`;
    throw level.error('42804', message, rawLocation(args[1]));
  }
  const duration = (name: string): bigint | null => {
    const node = args[2 + wanted.indexOf(name)];
    return wanted.includes(name) && node ? durationOf(level, node, kind, name) : null;
  };
  const size = duration('size') ?? duration('gap') ?? 0n;
  const slide = duration('slide') ?? duration('step') ?? size;
  if (kind === 'cumulate' && size % slide !== 0n) {
    throw level.error('22023', 'the size of CUMULATE must be a multiple of its step', rawLocation(args[3]));
  }
  const keys = kind === 'session' ? args.slice(3).map((n) => columnOf(level, inner, n).id) : [];
  const start = level.shared.newCol('window_start', time.type);
  const end = level.shared.newCol('window_end', time.type);
  const plan: Logical = {
    op: 'timewindow',
    kind,
    input: inner.plan,
    time: time.id,
    size,
    slide,
    offset: duration('offset') ?? 0n,
    keys,
    start,
    end,
  };
  const columns = inner.self.columns.map((c) => {
    const id = c.expr.k === 'col' ? c.expr.id : -1;
    const info = level.shared.columns.get(id);
    return { name: c.name, col: { id, name: c.name, type: c.expr.t }, origin: info?.origin, shape: info?.shape };
  });
  return columnsItem(level, plan, alias, inner.self.name, [
    ...columns,
    { name: 'window_start', col: start },
    { name: 'window_end', col: end },
  ]);
}

function signature(kind: Kind): string {
  const durations = DURATIONS[kind].map((d) => (d === 'offset' ? '[, offset]' : `, ${d}`)).join('');
  return `(relation, time column${durations}${kind === 'session' ? ' [, key, ...]' : ''})`;
}

/** The first argument: the name of a relation, or a subquery in parentheses. */
function windowInput(level: Level, node: PgNode, kind: Kind): FromItem {
  const sub = node.SubLink;
  if (sub?.subLinkType === 'EXPR_SUBLINK') {
    const query = level.inClause('from_subselect', () =>
      level.shared.binders.select(level, sub.subselect, { resolveUnknown: true, keepOrder: false }),
    );
    return queryItem(level, query, undefined, kind);
  }
  const path = node.ColumnRef?.fields.map(stringOf) as string[] | undefined;
  if (!path || path.length > 2) {
    const message = `the first argument of ${kind.toUpperCase()} must be a relation or a subquery in parentheses`;
    throw level.error('42601', message, rawLocation(node));
  }
  return bindRangeVar(level, rangeVarOf(node.ColumnRef, path));
}

/** The name as a RangeVar, which stays on the node: a view writes its relation's schema there (BindEnv.onRelation). */
function rangeVarOf(ref: PgNode, path: string[]): PgNode {
  const schemaname = path.length > 1 ? path[0] : undefined;
  ref.rangeVar ??= { relname: path[path.length - 1], schemaname, location: locationOf(ref) };
  return ref.rangeVar;
}

/** A column of the relation, by name or as DESCRIPTOR(name). */
function columnOf(level: Level, inner: FromItem, node: PgNode) {
  const descriptor =
    node.FuncCall && names(node.FuncCall.funcname)[0] === 'descriptor' ? node.FuncCall.args?.[0] : node;
  const fields = descriptor?.ColumnRef?.fields as PgNode[] | undefined;
  if (!fields) throw level.error('42601', 'a column of the relation is expected here', rawLocation(node));
  const name = stringOf(fields[fields.length - 1]);
  const found = inner.self.columns.find((c) => c.name === name);
  if (found?.expr.k !== 'col') {
    throw level.error('42703', `column "${name}" does not exist`, rawLocation(descriptor));
  }
  return { id: found.expr.id, name, type: found.expr.t };
}

/** A constant interval in microseconds: positive, except an offset; months have no fixed length. */
function durationOf(level: Level, node: PgNode, kind: Kind, name: string): bigint {
  const what = `the ${name} of ${kind.toUpperCase()}`;
  const expr = toSpecific(level, level.bindIn('option', node), colType(OID.interval), what);
  const at = exprLocation(level, expr);
  const value = constantValue(level, expr, `${what} that is not a constant`) as Interval | null;
  if (value === null) throw level.error('22004', `${what} must not be null`, at);
  if (value.months !== 0) {
    throw level.error('0A000', `${what} must not have months: they differ in length`, at);
  }
  const micros = BigInt(value.days) * MICROS_PER_DAY + value.micros;
  if (micros <= 0n && name !== 'offset') throw level.error('22023', `${what} must be greater than zero`, at);
  return micros;
}
