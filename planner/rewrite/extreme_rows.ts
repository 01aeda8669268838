/**
 * Rows that have the greatest (or least) value of their group, written as a join of the rows with the extremes of the same rows:
 *
 *   rows r join (select k, max(v) as m from rows group by k) e on r.v = e.m and r.k = e.k    ->    Top-1 with ties of rows by v, per k
 *
 * The join keeps all rows; on input in which a beaten row stays beaten the Top-N keeps the best ones alone (operators/top_ties.ts).
 *
 * A group is a value of r's own columns (then the join must say so), or a window of time to which r belongs while the join bounds its time by the
 * window's start or end. Such bounds may let r match another window besides its own: one that ends at the very time of r.
 *
 *        e's window   [----------)                  0 <= end - r.time <= size:  ends in [r.time, r.time + size]; those of r's own windows
 *        r                       *------            lie in (r.time, r.time + size], so any other one is r.time itself
 *
 * Few rows have the time of an end. They are joined with the groups' extremes as before, and those are taken from the Top-N's rows:
 *
 *   union all   own windows:  filter on (topn)      others:  filter (time is an end) (rows) join on (aggregate k, max(v) (topn))
 *
 * With values and keys of types whose equal values look alike only, since r's own stand for the group's. q7 of Nexmark is of the second kind, q5 of
 * the first, over counts of groups.
 */
import { interval } from '../../operators/datum.ts';
import { EPOCH_DIFF_MICROS } from '../../operators/expr/datetime/calendar.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import { bandsOf } from '../analyse/band.ts';
import { canFail, comparisonOf, isEquality } from '../analyse/functions.ts';
import { isVolatilePlan } from '../analyse/volatile_plan.ts';
import { outputColumns } from '../logical/columns.ts';
import {
  column,
  conjunction,
  conjuncts,
  constant,
  INT8,
  isNull,
  rewriteExpr,
  structureText,
  substitute,
  usesOnly,
} from '../logical/expressions.ts';
import type { Col, Logical } from '../logical/plan.ts';
import { filterBy, freshCopy, Ids, outputIds, rewritePlan } from '../logical/tree.ts';
import { type Flat, flatten, sameRows } from './same_rows.ts';

type Join = Logical & { op: 'join' };
type Aggregate = Logical & { op: 'aggregate' };
type Window = Logical & { op: 'timewindow' };

export function extremeRows(plan: Logical): Logical {
  const ids = new Ids(plan);
  return rewritePlan(plan, (p) => {
    if (p.op !== 'join' || p.kind !== 'inner' || isVolatilePlan(p)) return p;
    return rewritten(p, p.left, p.right, ids) ?? rewritten(p, p.right, p.left, ids) ?? p;
  });
}

/** What the join is made of; expressions are over the columns of `rows`, and of the window that it is put into. */
interface Parts {
  join: Join;
  /** The rows, and the side's columns over them. */
  rows: Flat;
  /** The extremes' aggregate, and the side's columns over it. */
  groups: Aggregate;
  extremes: Flat;
  /** The window that the groups' rows are put into and the rows are not. */
  window: Window | null;
  keys: Expr[];
  value: Expr;
  greatest: boolean;
  /** The join's conditions, over the columns of `rows` and `groups`. */
  on: Expr[];
}

function rewritten(join: Join, rowSide: Logical, extremeSide: Logical, ids: Ids): Logical | null {
  const parts = partsOf(join, rowSide, extremeSide);
  if (parts === null) return null;
  const { groups, rows, on, keys } = parts;
  if (![...keys, parts.value].every((e) => looksAlike(e.t))) return null;
  if (![...rows.at.values(), ...parts.extremes.at.values(), ...on].every(isTotal)) return null;
  if (!beatenForGood(parts)) return null;
  const free = groups.keys.filter((key, i) => !on.some((e) => equates(e, key.col.id, keys[i])));
  const isValue = (e: Expr) => equates(e, extremeOf(parts).id, parts.value);
  if (!on.some((e) => isValue(e) || (free.length === 0 && reaches(e, parts)))) return null;
  const best = bestOf(parts);
  if (free.length === 0) return ownGroups(parts, best, outputColumns(join));
  const others = otherWindows(parts, free);
  return others === null || !on.some(isValue) ? null : union(parts, best, others, ids);
}

function partsOf(join: Join, rowSide: Logical, extremeSide: Logical): Parts | null {
  const extremes = flatten(extremeSide);
  const groups = extremes.plan;
  if (groups.op !== 'aggregate' || groups.groupingSets || groups.aggregates.length !== 1) return null;
  const [call] = groups.aggregates;
  const fn = /^(min|max)\(/.exec(call.fn)?.[1];
  if (fn === undefined || call.filter !== null) return null;
  const rows = flatten(rowSide);
  const found = below(flatten(groups.input), rows.plan);
  if (found === null) return null;
  const conditions = new Map([...rows.at, ...extremes.at]);
  return {
    join,
    rows,
    groups,
    extremes,
    window: found.window,
    keys: groups.keys.map((k) => found.over(k.expr)),
    value: found.over(call.args[0]),
    greatest: fn === 'max',
    on: conjuncts(join.on).map((e) => substitute(e, conditions)),
  };
}

/** How the input of the groups stands over the rows: as they are, or put into windows. */
function below(input: Flat, rows: Logical): { window: Window | null; over(e: Expr): Expr } | null {
  const same = sameRows(rows, input.plan);
  if (same !== null) return { window: null, over: (e) => substitute(substitute(e, input.at), same) };
  const window = input.plan;
  if (window.op !== 'timewindow' || (window.kind !== 'tumble' && window.kind !== 'hop')) return null;
  const inner = flatten(window.input);
  const found = sameRows(rows, inner.plan);
  const time = found && substitute(substitute(columnOf(window.input, window.time), inner.at), found);
  if (found === null || time?.k !== 'col' || !outputIds(rows).has(time.id)) return null;
  return {
    window: { ...window, input: rows, time: time.id },
    over: (e) => substitute(substitute(substitute(e, input.at), inner.at), found),
  };
}

function columnOf(p: Logical, id: number): Expr {
  return column(outputColumns(p).find((c) => c.id === id)!);
}

/** Equal values of the type cannot be told apart. */
function looksAlike({ oid }: ColType): boolean {
  const kinds = [OID.int2, OID.int4, OID.int8, OID.date, OID.time, OID.timestamp, OID.timestamptz] as number[];
  return [...kinds, OID.text, OID.varchar, OID.bool, OID.uuid].includes(oid);
}

/** Moving a time by a constant is not taken for a failure, as in analyse/band.ts. */
function isTotal(e: Expr): boolean {
  if (!canFail(e)) return true;
  if (e.k !== 'call') return false;
  const moves = /^timestamp(tz)?_(pl|mi)_interval\(/.test(e.fn) && e.args[1].k === 'const';
  return (moves || comparisonOf(e.fn) !== null) && e.args.every(isTotal);
}

/** Whether the Top-N need not keep rows that are beaten: rows that only come, or groups of such by what only grows with them. */
function beatenForGood({ rows: { plan }, keys, value, greatest, window }: Parts): boolean {
  if (onlyComes(plan)) return true;
  if (plan.op !== 'aggregate' || window !== null || !onlyComes(plan.input)) return false;
  const growing = greatest ? /^(count|max)\(/ : /^min\(/;
  const own = new Set(plan.keys.map((k) => k.col.id));
  const call = plan.aggregates.find((a) => value.k === 'col' && a.out.id === value.id);
  return call !== undefined && growing.test(call.fn) && keys.every((k) => usesOnly(k, own));
}

function onlyComes(p: Logical): boolean {
  if (p.op === 'get') return p.relation.appendOnly;
  if (p.op === 'filter' || p.op === 'project') return onlyComes(p.input);
  return p.op === 'timewindow' && p.kind !== 'session' && onlyComes(p.input);
}

/** `e` says that the column has this value. */
function equates(e: Expr, id: number, value: Expr): boolean {
  if (e.k !== 'call' || e.args.length !== 2 || !isEquality(e.fn)) return false;
  return e.args.some((a, i) => a.k === 'col' && a.id === id && same(e.args[1 - i], value));
}

/** `e` says that a row's value is at least the greatest of its group (at most the least). */
function reaches(e: Expr, parts: Parts): boolean {
  if (e.k !== 'call' || e.args.length !== 2) return false;
  const name = comparisonOf(e.fn)?.name;
  if (name !== '>=' && name !== '<=') return false;
  const [least, most] = name === '<=' ? e.args : [e.args[1], e.args[0]];
  const [value, extreme] = parts.greatest ? [most, least] : [least, most];
  return extreme.k === 'col' && extreme.id === extremeOf(parts).id && same(value, parts.value);
}

function extremeOf({ groups }: Parts): Col {
  return groups.aggregates[0].out;
}

function same(a: Expr, b: Expr): boolean {
  return structureText(a, false) === structureText(b, false);
}

/** `e` says that a key of the groups has a row's value. */
function isOwn(e: Expr, { groups, keys }: Parts): boolean {
  return groups.keys.some((k, i) => equates(e, k.col.id, keys[i]));
}

/** The best rows of each group. NULL has no equal. */
function bestOf(parts: Parts): Logical {
  const { rows, groups, window, keys, value, greatest, on } = parts;
  const compared = keys.filter((key, i) => on.some((e) => equates(e, groups.keys[i].col.id, key)));
  return {
    op: 'topn',
    input: filterBy(window ?? rows.plan, conjunction([value, ...compared].map((e) => isNull(e, true)))),
    partition: keys,
    order: [{ expr: value, desc: greatest, nullsFirst: false }],
    limit: constant(1n, INT8),
    offset: null,
    withTies: true,
  };
}

/** The best rows that match their own group, with what the join shows of both; `cols`: the columns to give it as. */
function ownGroups(parts: Parts, best: Logical, cols: Col[]): Logical {
  const { groups, on, keys, value, rows, extremes, join } = parts;
  const extreme = extremeOf(parts).id;
  const own = new Map([...groups.keys.map((k, i): [number, Expr] => [k.col.id, keys[i]]), [extreme, value]]);
  // What says that a row is of its own group, and has its value, holds for the best rows.
  const left = on.filter((e) => !equates(e, extreme, value) && !reaches(e, parts) && !isOwn(e, parts));
  const columns = new Map([...rows.at, ...extremes.at]);
  const items = outputColumns(join).map((c, i) => ({ col: cols[i], expr: substitute(columns.get(c.id)!, own) }));
  return { op: 'project', input: filterBy(best, conjunction(left.map((e) => substitute(e, own)))), items };
}

interface Others {
  /** Whether a row has the time of an end, over the rows' columns; and the end of a group, over the groups' columns. */
  atEnd: Expr;
  time: Expr;
  end: Expr;
}

/** The only windows besides its own that a row can match, see above; null when that is not known. */
function otherWindows({ groups, keys, window, on }: Parts, free: Aggregate['keys']): Others | null {
  if (window === null || free.length !== 1) return null;
  const [{ col }] = free;
  const key = keys[groups.keys.indexOf(free[0])];
  const isEnd = key.k === 'col' && key.id === window.end.id;
  if (!isEnd && !(key.k === 'col' && key.id === window.start.id)) return null;
  if (keys.some((k) => k !== key && !usesOnly(k, outputIds(window.input)))) return null;
  const step = window.kind === 'tumble' ? window.size : window.slide;
  if (window.size % step !== 0n) return null;
  // column - of <= most
  const within = (c: number, of: number, most: bigint): boolean =>
    bandsOf(conjunction(on)).some((b) => b.column === c && b.of === of && b.most <= most);
  if (!within(window.time, col.id, isEnd ? 0n : window.size)) return null;
  if (!within(col.id, window.time, isEnd ? window.size : 0n)) return null;
  const time = columnOf(window.input, window.time);
  const t = time.t.oid === OID.timestamp ? 'timestamp' : 'timestamptz';
  const call = (fn: string, args: Expr[], type: ColType): Expr => ({ k: 'call', fn, args, t: type, strict: true });
  const length = (micros: bigint): Expr => constant(interval(0, 0, micros), colType(OID.interval));
  const later = (e: Expr, by: bigint): Expr => call(`${t}_pl_interval(${t},interval)`, [e, length(by)], time.t);
  const compare = (name: 'eq' | 'lt', a: Expr, b: Expr): Expr =>
    call(`${t}_${name}(${t},${t})`, [a, b], colType(OID.bool));
  const origin = constant(window.offset - EPOCH_DIFF_MICROS, time.t);
  const start = call(`date_bin(interval,${t},${t})`, [length(step), time, origin], time.t);
  return {
    // An infinite time is its own window's end too.
    atEnd: conjunction([compare('eq', time, start), compare('lt', time, later(start, step))]),
    time,
    end: isEnd ? column(col) : later(column(col), window.size),
  };
}

/** Rows with their own groups, and rows at the end of another window with that. */
function union(parts: Parts, best: Logical, { atEnd, time, end }: Others, ids: Ids): Logical {
  const { join, rows, groups, extremes, keys, value, on } = parts;
  const cols = (): Col[] => outputColumns(join).map((c) => ids.col(c.name, c.type));
  const copy = freshCopy(best, ids);
  const again = freshCopy(rows.plan, ids);
  const moved = (e: Expr, by: ReadonlyMap<number, number>): Expr =>
    rewriteExpr(e, (x) => (x.k === 'col' ? { ...x, id: by.get(x.id) ?? x.id } : x));
  const right: Logical = {
    ...groups,
    input: copy.plan,
    keys: groups.keys.map((k, i) => ({ ...k, expr: moved(keys[i], copy.ids) })),
    aggregates: groups.aggregates.map((a) => ({ ...a, args: [moved(value, copy.ids)] })),
  };
  const equality: Expr = {
    k: 'call',
    fn: atEndEquality(time.t),
    args: [moved(time, again.ids), end],
    t: colType(OID.bool),
    strict: true,
  };
  const others: Logical = {
    op: 'join',
    kind: 'inner',
    left: filterBy(again.plan, moved(atEnd, again.ids)),
    right,
    on: conjunction([...on.map((e) => moved(e, again.ids)), equality]),
  };
  const columns = new Map([...rows.at, ...extremes.at]);
  const items = cols();
  return {
    op: 'setop',
    kind: 'union',
    all: true,
    left: ownGroups(parts, best, cols()),
    right: {
      op: 'project',
      input: others,
      items: outputColumns(join).map((c, i) => ({ col: items[i], expr: moved(columns.get(c.id)!, again.ids) })),
    },
    cols: outputColumns(join),
  };
}

function atEndEquality({ oid }: ColType): string {
  return oid === OID.timestamp ? 'timestamp_eq(timestamp,timestamp)' : 'timestamptz_eq(timestamptz,timestamptz)';
}
