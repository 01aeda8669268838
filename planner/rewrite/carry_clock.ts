/**
 * A bound of the clock goes over to the other side of a join, where the condition holds the times of both together: rows of that side that are older can match none
 * of the rows that are still there, so they need not be kept either.
 *
 *   o.at > now() - 1 h   and   p.at >= o.at - 5 min      =>   p.at >= now() - 1 h 5 min
 *   lower bound of a     and   a - b <= most             =>   lower bound of b, by `most` less
 *
 * It follows from the condition alone, whatever watermarks say, as a row that the new bound leaves out has no partner. So it may leave out rows of a side that is seen
 * only through its partners:
 *
 *   inner, semi   both sides          left, anti   the right one          full   none
 *
 * Bands are those of analyse/band.ts: none where another conjunct may fail for a pair. Only bounds from below, which is what lets rows go, and only for columns of relations that never take a row
 * back: tables and keyed streams have their own size, and a bound would cost the join their index. A column gets one such bound, so that contradictions come to an end. Rows whose time is NULL
 * match nothing.
 */
import { interval } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import { bandsOf } from '../analyse/band.ts';
import { OFFSET_CHANGE } from '../analyse/constant_interval.ts';
import { compareBy } from '../analyse/functions.ts';
import { nearTime } from '../analyse/near_time.ts';
import { outputColumns } from '../logical/columns.ts';
import { column, columnsOf, conjuncts, constant, sameExpr } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { outputIds } from '../logical/tree.ts';
import { planInputs, withInputs } from '../logical/walk.ts';
import { nearTimes, stepBack } from './clock_step.ts';
import { push } from './push_filters.ts';
import { comparedWithClock, hasOneOffset } from './temporal_filter.ts';

type Join = Logical & { op: 'join' };
type Side = 'left' | 'right';
/** By id of a column: it is at least now() and so many microseconds. */
type ClockBounds = Map<number, bigint>;

const DAY = 86_400_000_000n;
/** Bounds that are longer ago are left: moved by more, times that are not taken for infinite would leave the calendar. */
const LONG_AGO = -1_500_000n * DAY;
const TIMESTAMPTZ = colType(OID.timestamptz);

/** The same plan with the bounds of the clock that follow from conditions of joins. `timeZone`: the view's. */
export function carryClock(plan: Logical, timeZone: string | undefined): Logical {
  return new Carrier(hasOneOffset(timeZone)).visit(plan);
}

class Carrier {
  readonly #fixed: boolean;
  readonly #carried = new Set<number>();

  constructor(fixed: boolean) {
    this.#fixed = fixed;
  }

  visit(p: Logical): Logical {
    const rebuilt = withInputs(
      p,
      planInputs(p).map((x) => this.visit(x)),
    );
    return rebuilt.op === 'join' ? this.#between(rebuilt) : rebuilt;
  }

  /** What goes over may go on from there, and come back to another column. */
  #between(join: Join): Join {
    for (const side of sidesToBound(join)) {
      const found = this.#derived(join, side);
      if (found.length > 0) return this.#between({ ...join, [side]: this.visit(push(join[side], found)) });
    }
    return join;
  }

  #derived(join: Join, side: Side): Expr[] {
    const from = this.#bounds(side === 'left' ? join.right : join.left);
    if (from.size === 0) return [];
    const known = this.#bounds(join[side]);
    const derived: ClockBounds = new Map();
    for (const { column: a, of: b, most } of bandsOf(join.on)) {
      const least = from.get(a);
      if (least !== undefined) raise(derived, b, least - most);
    }
    return outputColumns(join[side]).flatMap((col) => {
      const least = derived.get(col.id);
      if (least === undefined || this.#carried.has(col.id) || (known.get(col.id) ?? least - 1n) >= least) return [];
      if (least < LONG_AGO || !comesAlone(join[side], col.id)) return [];
      this.#carried.add(col.id);
      return [sinceClock(column(col), least)];
    });
  }

  /** What the rows of the plan satisfy, those apart that an outer join fills up with NULL: no band holds for them. */
  #bounds(p: Logical): ClockBounds {
    switch (p.op) {
      case 'filter': {
        const found = this.#bounds(p.input);
        for (const e of conjuncts(p.predicate)) this.#add(found, e);
        return found;
      }
      case 'project':
        return named(p.items, this.#bounds(p.input));
      case 'aggregate':
        return p.groupingSets ? new Map() : named(p.keys, this.#bounds(p.input));
      case 'join': {
        const left = this.#bounds(p.left);
        return p.kind === 'semi' || p.kind === 'anti' ? left : new Map([...left, ...this.#bounds(p.right)]);
      }
      case 'asof':
        return new Map([...this.#bounds(p.left), ...this.#bounds(p.right)]);
      case 'timewindow': {
        const found = this.#bounds(p.input);
        const least = found.get(p.time);
        if (least === undefined || p.kind === 'session') return found;
        return found.set(p.start.id, least - p.size).set(p.end.id, least);
      }
      case 'distinct':
      case 'topn':
      case 'window':
      case 'single_row':
      case 'tablefunc':
        return this.#bounds(p.input);
      case 'setop':
        return p.kind === 'union' ? this.#unionBounds(p) : renamed(p.left, p, this.#bounds(p.left));
      default:
        return new Map();
    }
  }

  #unionBounds(p: Logical & { op: 'setop' }): ClockBounds {
    const [a, b] = [p.left, p.right].map((arm) => renamed(arm, p, this.#bounds(arm)));
    return new Map([...a].flatMap(([id, x]) => (b.has(id) ? [[id, x < b.get(id)! ? x : b.get(id)!]] : [])));
  }

  /** What a conjunct says of a column. */
  #add(to: ClockBounds, e: Expr): void {
    const compared = comparedWithClock(e, this.#fixed);
    const near = compared && nearTime(unguarded(compared.row));
    if (!near) return;
    const { name, step, delta, row } = compared;
    if (step !== null) {
      if (name === '>' || name === '>=' || name === '=') raise(to, near.column, -stepBack(step) - near.most);
      return;
    }
    if (delta === null || (name !== '>' && name !== '>=')) return;
    // Elsewhere local times, and days, are as far from those of UTC as the zone's offset changes.
    const changes = this.#fixed ? 0 : Number(row.t.oid !== OID.timestamptz) + Number(delta.days !== 0);
    const slack = BigInt(changes) * OFFSET_CHANGE;
    raise(to, near.column, BigInt(delta.days) * DAY + delta.micros - slack - near.most);
  }
}

/** `time` >= now() + least. The row's time is what will be moved by it, away from the clock or back: where the calendar ends that must not fail. */
function sinceClock(time: Expr, least: bigint): Expr {
  const zoned = time.t.oid === OID.timestamptz;
  const by: Expr = constant(interval(0, 0, least), colType(OID.interval));
  const now: Expr = { k: 'call', fn: 'now()', args: [], t: TIMESTAMPTZ, strict: true };
  const moved: Expr = {
    k: 'call',
    fn: 'timestamptz_pl_interval(timestamptz,interval)',
    args: [now, by],
    t: TIMESTAMPTZ,
    strict: true,
  };
  const fn = zoned ? 'timestamptz_ge(timestamptz,timestamptz)' : 'timestamp_ge_timestamptz(timestamp,timestamptz)';
  return compareBy(fn, guarded(time, least > 0n ? 'lt' : 'gt'), moved);
}

function guarded(time: Expr, side: 'gt' | 'lt'): Expr {
  return nearTimes(time, time, [side]);
}

/** The time of a condition that went over before. (The clock is not where times are taken for infinite.) */
function unguarded(row: Expr): Expr {
  const time = row.k === 'case' ? row.else : null;
  if (time === null) return row;
  return (['gt', 'lt'] as const).some((side) => sameExpr(row, guarded(time, side))) ? time : row;
}

/** Those whose rows leave the join only with a partner. */
function sidesToBound({ kind }: Join): Side[] {
  if (kind === 'inner' || kind === 'semi') return ['right', 'left'];
  return kind === 'left' || kind === 'anti' ? ['right'] : [];
}

/** The higher bound says more. */
function raise(bounds: ClockBounds, id: number, least: bigint): void {
  const known = bounds.get(id);
  if (known === undefined || known < least) bounds.set(id, least);
}

/** Bounds of columns that are made of bounded ones. */
function named(items: { col: { id: number }; expr: Expr }[], below: ClockBounds): ClockBounds {
  return new Map(
    items.flatMap(({ col, expr }) => {
      const near = nearTime(expr);
      const least = near && below.get(near.column);
      return near && least !== undefined && least !== null ? [[col.id, least + near.least]] : [];
    }),
  );
}

function renamed(arm: Logical, p: Logical & { op: 'setop' }, bounds: ClockBounds): ClockBounds {
  return new Map(outputColumns(arm).flatMap(({ id }, i) => (bounds.has(id) ? [[p.cols[i].id, bounds.get(id)!]] : [])));
}

/** Whether the column is, unchanged or cut down, that of a relation whose rows come and stay. */
function comesAlone(p: Logical, id: number): boolean {
  switch (p.op) {
    case 'get':
      return p.relation.appendOnly;
    case 'project':
    case 'aggregate': {
      const items = p.op === 'project' ? p.items : p.keys;
      const made = items.find(({ col }) => col.id === id)?.expr;
      return made !== undefined && [...columnsOf(made)].every((x) => comesAlone(p.input, x));
    }
    case 'setop':
      return [p.left, p.right].some((arm) => {
        const at = p.cols.findIndex((c) => c.id === id);
        return comesAlone(arm, outputColumns(arm)[at].id);
      });
    case 'timewindow':
      return comesAlone(p.input, id === p.start.id || id === p.end.id ? p.time : id);
    default:
      return planInputs(p).some((x) => outputIds(x).has(id) && comesAlone(x, id));
  }
}
