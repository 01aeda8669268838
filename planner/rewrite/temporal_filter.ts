/**
 * now() in a view. A condition that compares a time of the row with now() becomes a temporal filter: each row has an interval
 * [from, until) of the clock in which it is part of the view.
 *
 *   e >  now() + d    now() <  e - d      until = e - d
 *   e >= now() + d    now() <= e - d      until = e - d + 1 µs
 *   e <= now() + d    now() >= e - d      from  = e - d
 *   e <  now() + d    now() >  e - d      from  = e - d + 1 µs
 *
 * e is timestamptz, or timestamp or date taken in the view's time zone; d is a constant interval without months (a month has no
 * inverse). Local forms of the clock (now()::timestamp, localtimestamp, the day and other units of clock_step.ts) count in UTC and other zones of one
 * offset only: elsewhere local time jumps back once a year. Any other now() in a view is refused, because nothing says when its value changes.
 */
import { type Datum, type Interval, interval } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { findZone } from '../../operators/expr/datetime/time_zone.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import { type ComparisonName, comparisonOf, functionVolatility } from '../analyse/functions.ts';
import { outputColumns } from '../logical/columns.ts';
import { conjunction, conjuncts, constant, isNull, someExpr, structureText } from '../logical/expressions.ts';
import type { Col, Logical } from '../logical/plan.ts';
import { extend, filterBy, Ids, keepColumns } from '../logical/tree.ts';
import { planExprs, planInputs, withInputs } from '../logical/walk.ts';
import { type ClockStep, clockStep, stepBounds } from './clock_step.ts';

const CLOCKS = new Set(['now', 'transaction_timestamp', 'statement_timestamp', 'localtimestamp', 'current_date']);
const TIMESTAMPTZ = colType(OID.timestamptz);
const INTERVAL = colType(OID.interval);
const MIRRORED: Record<ComparisonName, ComparisonName> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** Turns the now() conditions of filters into temporal nodes. Throws 0A000 for every other use of a clock or volatile function. */
export function temporalFilters(plan: Logical, { timeZone, again }: { timeZone?: string; again?: boolean }): Logical {
  const fixed = hasOneOffset(timeZone);
  const ids = new Ids(plan);
  const visit = (p: Logical): Logical => {
    const rebuilt = withInputs(p, planInputs(p).map(visit));
    if (rebuilt.op === 'filter' && someExpr(rebuilt.predicate, isClock)) return temporal(rebuilt, ids, fixed);
    for (const e of planExprs(rebuilt)) refuseClocks(e, again === true);
    return rebuilt;
  };
  return visit(plan);
}

/** Whether the zone has one offset from UTC at all times; undefined: any zone. */
export function hasOneOffset(timeZone: string | undefined): boolean {
  return timeZone !== undefined && findZone(timeZone)?.fixed != null;
}

/** They count to the present day. */
const AGES = new Set(['age(timestamp)', 'age(timestamptz)']);

/** now() and its kin. */
export function isClock(e: Expr): boolean {
  return e.k === 'call' && CLOCKS.has(nameOf(e.fn));
}

function nameOf(fn: string): string {
  return fn.slice(0, fn.indexOf('('));
}

function refuseClocks(e: Expr, again: boolean): void {
  if (someExpr(e, isClock)) throw notTemporal();
  someExpr(e, (x) => {
    if (x.k === 'call' && AGES.has(x.fn) && !again) {
      throw new SqlError('0A000', 'age() of one time cannot be used in a view: its result changes from day to day', {
        hint: 'Give both times: age(a, b).',
      });
    }
    if (x.k === 'call' && functionVolatility(x.fn) === 'v') {
      throw new SqlError(
        '0A000',
        `function ${nameOf(x.fn)} cannot be used in a view: its result changes from call to call`,
      );
    }
    return false;
  });
}

function notTemporal(): SqlError {
  return new SqlError('0A000', 'now() can be used in a view only to bound a time in WHERE', {
    hint:
      "Write a condition of the form  expression < | <= | > | >= now() [+ | - interval '...'], or one with current_date or date_trunc('...', now()) in " +
      'UTC, joined with other conditions by AND. The interval must be constant and without months. For the time at which a row came in, give the stream a column with DEFAULT now().',
  });
}

interface Bounds {
  from: Expr[];
  until: Expr[];
  /** The times that must not be NULL. */
  times: Expr[];
}

function temporal(p: Logical & { op: 'filter' }, ids: Ids, fixed: boolean): Logical {
  const bounds: Bounds = { from: [], until: [], times: [] };
  const rest: Expr[] = [];
  for (const e of conjuncts(p.predicate)) {
    if (!someExpr(e, isClock)) rest.push(e);
    else addBound(e, bounds, fixed);
  }
  const input = filterBy(p.input, conjunction(rest));
  // An unknown time makes the condition unknown; an open bound would mean "for ever".
  const times = new Map(bounds.times.map((e) => [structureText(e), e]));
  const known = [...times.values()].map((e) => isNull(e, true));
  const added: { col: Col; expr: Expr }[] = [];
  const bound = (name: string, exprs: Expr[], greatest: boolean): number | null => {
    if (exprs.length === 0) return null;
    const col = ids.col(name, TIMESTAMPTZ);
    added.push({ col, expr: exprs.length === 1 ? exprs[0] : extreme(exprs, greatest) });
    return col.id;
  };
  const from = bound('from', bounds.from, true);
  const until = bound('until', bounds.until, false);
  const timed = extend(filterBy(input, conjunction(known)), added);
  return keepColumns({ op: 'temporal', input: timed, from, until }, outputColumns(p));
}

function extreme(args: Expr[], greatest: boolean): Expr {
  return { k: 'extreme', greatest, lt: 'timestamptz_lt(timestamptz,timestamptz)', args, t: TIMESTAMPTZ };
}

/** `row` <name> the clock, which is T(now) + delta or now() + delta; both null where it is neither. */
export interface ClockComparison {
  row: Expr;
  name: ComparisonName;
  step: ClockStep | null;
  delta: Interval | null;
}

/** The condition as a comparison of a time of the row with the clock; null for any other. `fixed`: the view's zone has one offset. */
export function comparedWithClock(e: Expr, fixed: boolean): ClockComparison | null {
  const comparison = e.k === 'call' && e.args.length === 2 ? comparisonOf(e.fn) : null;
  if (e.k !== 'call' || comparison === null || !someExpr(e, isClock)) return null;
  const clockOnLeft = someExpr(e.args[0], isClock);
  const [clock, row] = clockOnLeft ? e.args : [e.args[1], e.args[0]];
  if (someExpr(row, isClock)) return null;
  const step = fixed ? clockStep(clock, isClock) : null;
  return {
    row,
    name: clockOnLeft ? MIRRORED[comparison.name] : comparison.name,
    step,
    delta: step === null ? clockDelta(clock, fixed) : null,
  };
}

function addBound(e: Expr, bounds: Bounds, fixed: boolean): void {
  const compared = comparedWithClock(e, fixed);
  if (compared === null) throw notTemporal();
  const { row, name, step, delta } = compared;
  if (step !== null) {
    const between = stepBounds(row, name, step);
    if (between === null) throw notTemporal();
    bounds.times.push(row);
    if (between.from !== undefined) bounds.from.push(between.from);
    if (between.until !== undefined) bounds.until.push(between.until);
    return;
  }
  const time = asTimestamptz(row);
  if (delta === null || time === null) throw notTemporal();
  bounds.times.push(row);
  const inclusive = interval(delta.months, delta.days, delta.micros - 1n);
  switch (name) {
    case '>':
      bounds.until.push(shift(time, delta));
      return;
    case '>=':
      bounds.until.push(shift(time, inclusive));
      return;
    case '<=':
      bounds.from.push(shift(time, delta));
      return;
    case '<':
      bounds.from.push(shift(time, inclusive));
      return;
    default:
      throw notTemporal();
  }
}

/** d of `now() + d`; null for any other form. Local time counts only where it never jumps: `fixed`. */
function clockDelta(e: Expr, fixed: boolean): Interval | null {
  if (e.k !== 'call') return null;
  const name = nameOf(e.fn);
  if (CLOCKS.has(name) && e.t.oid === OID.timestamptz) return interval(0, 0, 0n);
  if (e.fn === 'timestamp(timestamptz)' && fixed) return clockDelta(e.args[0], fixed);
  const match = /^timestamp(?:tz)?_(pl|mi)_interval$/.exec(name);
  if (match === null) return null;
  const inner = clockDelta(e.args[0], fixed);
  const d = asInterval(e.args[1]);
  if (inner === null || d === null || d.months !== 0) return null;
  const sign = match[1] === 'pl' ? 1 : -1;
  return interval(0, inner.days + sign * d.days, inner.micros + BigInt(sign) * d.micros);
}

function asInterval(e: Expr): Interval | null {
  const v: Datum = e.k === 'const' ? e.v : null;
  return v !== null && typeof v === 'object' && 'k' in v && v.k === 'interval' ? v : null;
}

/** e - d. */
function shift(e: Expr, d: Interval): Expr {
  if (d.days === 0 && d.micros === 0n) return e;
  const back = d.days < 0 || (d.days === 0 && d.micros < 0n);
  const by = back ? interval(0, -d.days, -d.micros) : d;
  const fn = `timestamptz_${back ? 'pl' : 'mi'}_interval(timestamptz,interval)`;
  return { k: 'call', fn, args: [e, constant(by, INTERVAL)], t: TIMESTAMPTZ, strict: true };
}

function asTimestamptz(e: Expr): Expr | null {
  if (e.t.oid === OID.timestamptz) return e;
  if (e.t.oid !== OID.timestamp && e.t.oid !== OID.date) return null;
  const fn = e.t.oid === OID.timestamp ? 'timestamptz(timestamp)' : 'timestamptz(date)';
  return { k: 'call', fn, args: [e], t: TIMESTAMPTZ, strict: true };
}
