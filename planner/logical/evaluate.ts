/**
 * The reference interpreter of logical plans: evaluates a plan over rows in memory by nested loops, apply included. It is slow and
 * plain on purpose: rewrite rules are checked by evaluate(original) = evaluate(rewritten), and views by evaluate(plan) over all accepted
 * input. Used by tests only.
 *
 * A relation is a list of rows (a bag). An expression that fails leaves its row out and is listed in `errors`, as in a view.
 * Where SQL leaves the order of ties open, the whole row decides.
 */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { resolveSet } from '../../operators/expr/functions/index.ts';
import { evaluate as evaluateExpr } from '../../operators/expr/interpret.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import { comparisonOf } from '../analyse/functions.ts';
import { outputColumns } from './columns.ts';
import type { Col, Logical, LogicalAggregate, LogicalWindow, OrderItem } from './plan.ts';
import { referenceAggregate } from './reference/aggregates.ts';
import { compareKeys, compareRows, groupRows, type SortSpec } from './reference/order.ts';
import { assignWindows, sessionWindows } from './reference/time_windows.ts';
import { referenceWindow } from './reference/windows.ts';

/** A row: values in the order of the plan's output columns. */
export type Row = Datum[];

/** Values by column id: a row together with those of the queries around it. */
type Env = Datum[];

export interface EvaluateOptions {
  /** Whole rows of each relation, by OID. */
  tables: ReadonlyMap<number, Row[]>;
  context?: EvalContext;
}

export interface Evaluated {
  rows: Row[];
  /** Errors of rows that were left out. */
  errors: SqlError[];
}

const RECURSION_LIMIT = 10000;

/** Evaluates a plan. */
export function evaluatePlan(plan: Logical, options: EvaluateOptions): Evaluated {
  const evaluator = new Evaluator(options);
  return { rows: evaluator.rows(plan, []), errors: evaluator.errors };
}

class Evaluator {
  readonly errors: SqlError[] = [];
  private readonly tables: ReadonlyMap<number, Row[]>;
  private readonly context: EvalContext;
  private readonly working = new Map<number, Row[]>();
  private readonly items = new Map<number, Row[]>();

  constructor(options: EvaluateOptions) {
    this.tables = options.tables;
    this.context = options.context ?? defaultContext();
  }

  rows(p: Logical, outer: Env): Row[] {
    switch (p.op) {
      case 'get':
        return (this.tables.get(p.relation.oid) ?? []).map((r) => p.columns.map((c) => r[c]));
      case 'values':
        return this.collect(p.rows, (r) => [r.map((e) => this.value(e, outer))]);
      case 'filter':
        return this.over(p.input, outer, (row, env) => (this.value(p.predicate, env) === true ? [row] : []));
      case 'project':
        return this.over(p.input, outer, (_, env) => [p.items.map((i) => this.value(i.expr, env))]);
      case 'join':
        return this.join(p, outer);
      case 'asof':
        return this.asof(p, outer);
      case 'apply':
        return this.apply(p, outer);
      case 'aggregate':
        return this.aggregate(p, outer);
      case 'window':
        return this.window(p, outer);
      case 'distinct':
        return distinct(this.rows(p.input, outer), outputColumns(p));
      case 'setop':
        return this.setop(p, outer);
      case 'topn':
        return this.topn(p, outer);
      case 'tablefunc':
        return this.tablefunc(p, outer);
      case 'timewindow':
        return this.timewindow(p, outer);
      case 'recursive':
        return this.recursive(p, outer);
      case 'working':
        return this.working.get(p.id) ?? [];
      case 'once':
        return this.once(p);
      case 'single_row':
        return this.singleRow(p, outer);
      case 'temporal': {
        const at = (id: number | null, env: Env): bigint | null => (id === null ? null : (env[id] as bigint | null));
        return this.over(p.input, outer, (row, env) => {
          const from = at(p.from, env);
          const until = at(p.until, env);
          const { now } = this.context;
          return (from === null || from <= now) && (until === null || now < until) ? [row] : [];
        });
      }
    }
  }

  private value(e: Expr, env: Env): Datum {
    return evaluateExpr(e, env, this.context);
  }

  /** flatMap in which a failing item is reported and left out. */
  private collect<T>(items: T[], f: (item: T) => Row[]): Row[] {
    return items.flatMap((item) => {
      try {
        return f(item);
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        this.errors.push(error);
        return [];
      }
    });
  }

  private over(input: Logical, outer: Env, f: (row: Row, env: Env) => Row[]): Row[] {
    const cols = outputColumns(input);
    return this.collect(this.rows(input, outer), (row) => f(row, bind(outer, cols, row)));
  }

  private join(p: Logical & { op: 'join' }, outer: Env): Row[] {
    const [left, right] = [this.rows(p.left, outer), this.rows(p.right, outer)];
    const [leftCols, rightCols] = [outputColumns(p.left), outputColumns(p.right)];
    const matchedRight = new Set<number>();
    const rows = this.collect(left, (l) => {
      const env = bind(outer, leftCols, l);
      const matches = right.flatMap((r, i) => {
        if (p.on !== null && this.value(p.on, bind(env, rightCols, r)) !== true) return [];
        matchedRight.add(i);
        return [[...l, ...r]];
      });
      if (p.kind === 'semi') return matches.length > 0 ? [l] : [];
      if (p.kind === 'anti') return matches.length > 0 ? [] : [l];
      const pads = matches.length === 0 && (p.kind === 'left' || p.kind === 'full');
      return pads ? [[...l, ...rightCols.map(() => null)]] : matches;
    });
    if (p.kind !== 'right' && p.kind !== 'full') return rows;
    const unmatched = right.filter((_, i) => !matchedRight.has(i));
    return [...rows, ...unmatched.map((r) => [...leftCols.map(() => null), ...r])];
  }

  private asof(p: Logical & { op: 'asof' }, outer: Env): Row[] {
    const right = this.rows(p.right, outer);
    const rightCols = outputColumns(p.right);
    const timeAt = rightCols.findIndex((c) => c.id === p.rightTime);
    return this.over(p.left, outer, (l, env) => {
      const time = env[p.leftTime] as bigint | null;
      const fits = right.filter((r) => {
        const t = r[timeAt] as bigint | null;
        if (time === null || t === null || (p.strict ? t >= time : t > time)) return false;
        return this.value(p.on, bind(env, rightCols, r)) === true;
      });
      if (fits.length === 0) return p.leftOuter ? [[...l, ...rightCols.map(() => null)]] : [];
      const types = rightCols.map((c) => c.type);
      const later = (a: Row, b: Row): number => compareKeys([a[timeAt]], [b[timeAt]], [ascending(rightCols[timeAt])]);
      const best = fits.reduce((a, b) => ((later(b, a) || compareRows(b, a, types)) > 0 ? b : a));
      return [[...l, ...best]];
    });
  }

  private apply(p: Logical & { op: 'apply' }, outer: Env): Row[] {
    const rightCols = outputColumns(p.right);
    return this.over(p.left, outer, (l, env) => {
      const right = this.rows(p.right, env);
      switch (p.kind) {
        case 'cross':
        case 'left': {
          const { on } = p;
          const kept = right.filter((r) => on === null || this.value(on, bind(env, rightCols, r)) === true);
          if (kept.length === 0 && p.kind === 'left') return [[...l, ...rightCols.map(() => null)]];
          return kept.map((r) => [...l, ...r]);
        }
        case 'scalar':
          if (right.length > 1) throw moreThanOneRow();
          return [[...l, right.length === 0 ? null : right[0][0]]];
        case 'exists':
          return [[...l, right.length > 0]];
        case 'in':
          return [[...l, this.quantified(p, right, rightCols, env)]];
      }
    });
  }

  /** x op ANY | ALL (rows), three-valued. */
  private quantified(p: Extract<Logical, { op: 'apply'; kind: 'in' }>, rows: Row[], cols: Col[], env: Env): Datum {
    const results = rows.map((r) => {
      const inner = bind(env, cols, r);
      const each = p.fn.map((fn, i): Datum => {
        const right: Expr = { k: 'col', id: cols[i].id, t: cols[i].type };
        return this.value({ k: 'call', fn, args: [p.test[i], right], t: { oid: 16, typmod: -1 }, strict: true }, inner);
      });
      // A row is unequal when one column is; it is equal when all are.
      return comparisonOf(p.fn[0])?.name === '<>' ? any(each) : all(each);
    });
    return p.all ? all(results) : any(results);
  }

  private aggregate(p: Logical & { op: 'aggregate' }, outer: Env): Row[] {
    const cols = outputColumns(p.input);
    const envs: Env[] = [];
    this.collect(this.rows(p.input, outer), (row) => {
      const env = bind(outer, cols, row);
      for (const k of p.keys) this.value(k.expr, env);
      envs.push(env);
      return [];
    });
    const sets = p.groupingSets ?? [p.keys.map((_, i) => i)];
    return sets.flatMap((set) => {
      const keys = [...new Set(set)].map((i) => p.keys[i]);
      const types = keys.map((k) => k.col.type);
      const groups = groupRows(envs, (env) => keys.map((k) => this.value(k.expr, env)), types);
      if (keys.length === 0 && groups.length === 0) groups.push({ key: [], items: [] });
      return this.collect(groups, ({ key, items }) => [
        [
          ...p.keys.map((k) => (keys.includes(k) ? key[keys.indexOf(k)] : null)),
          ...p.aggregates.map((a) => this.call(a, items)),
          ...(p.grouping ?? []).map((g) => g.keys.reduce((mask, k) => mask * 2 + (set.includes(k) ? 0 : 1), 0)),
        ],
      ]);
    });
  }

  private call(a: LogicalAggregate, envs: Env[]): Datum {
    const argTypes = a.args.map((e) => e.t);
    const kept = envs.filter((env) => a.filter === null || this.value(a.filter, env) === true);
    let rows = kept.map((env) => ({
      args: a.args.map((e) => this.value(e, env)),
      keys: a.orderBy.map((o) => this.value(o.expr, env)),
    }));
    if (a.distinct) rows = groupRows(rows, (r) => r.args, argTypes).map((g) => g.items[0]);
    const order = sortSpecs(a.orderBy);
    rows.sort((x, y) => compareKeys(x.keys, y.keys, order) || compareRows(x.args, y.args, argTypes));
    const input = { rows: rows.map((r) => r.args), argTypes, resultType: a.out.type, context: this.context };
    return referenceAggregate(a.fn, input);
  }

  private window(p: Logical & { op: 'window' }, outer: Env): Row[] {
    const cols = outputColumns(p.input);
    const rows = this.rows(p.input, outer).map((row) => ({ row, env: bind(outer, cols, row), values: [] as Datum[] }));
    for (const w of p.windows) {
      const types = w.partition.map((e) => e.t);
      for (const { items } of groupRows(rows, (r) => w.partition.map((e) => this.value(e, r.env)), types)) {
        for (const { item, value } of this.windowCall(w, items, cols)) item.values.push(value);
      }
    }
    return rows.map((r) => [...r.row, ...r.values]);
  }

  private windowCall<T extends { row: Row; env: Env }>(
    w: LogicalWindow,
    items: T[],
    cols: Col[],
  ): { item: T; value: Datum }[] {
    const order = sortSpecs(w.order);
    const keyed = items.map((item) => ({ item, keys: w.order.map((o) => this.value(o.expr, item.env)) }));
    const types = cols.map((c) => c.type);
    keyed.sort((a, b) => compareKeys(a.keys, b.keys, order) || compareRows(a.item.row, b.item.row, types));
    const kept = keyed.map((k) => w.filter === null || this.value(w.filter, k.item.env) === true);
    const result = referenceWindow({
      ...w,
      args: keyed.map((k, i) => w.args.map((e) => (kept[i] ? this.value(e, k.item.env) : null))),
      argTypes: w.args.map((e) => e.t),
      resultType: w.out.type,
      kept,
      keys: keyed.map((k) => k.keys),
      order,
      context: this.context,
    });
    return keyed.map(({ item }, i) => ({ item, value: result[i] }));
  }

  private topn(p: Logical & { op: 'topn' }, outer: Env): Row[] {
    const cols = outputColumns(p.input);
    const order = sortSpecs(p.order);
    const limit = this.count(p.limit, outer) ?? Number.POSITIVE_INFINITY;
    const offset = this.count(p.offset, outer) ?? 0;
    const rows = this.rows(p.input, outer).map((row) => ({ row, env: bind(outer, cols, row) }));
    const types = p.partition.map((e) => e.t);
    return groupRows(rows, (r) => p.partition.map((e) => this.value(e, r.env)), types).flatMap(({ items }) => {
      const keyed = items.map(({ row, env }) => ({ row, keys: p.order.map((o) => this.value(o.expr, env)) }));
      const rowTypes = cols.map((c) => c.type);
      keyed.sort((a, b) => compareKeys(a.keys, b.keys, order) || compareRows(a.row, b.row, rowTypes));
      const last = keyed[offset + limit - 1];
      return keyed.flatMap(({ row, keys }, i) => {
        const tied = p.withTies && last !== undefined && compareKeys(keys, last.keys, order) === 0;
        if (i < offset || (i >= offset + limit && !(tied && limit > 0))) return [];
        if (!p.rank) return [row];
        const first = keyed.findIndex((k) => compareKeys(k.keys, keys, order) === 0);
        const dense = keyed
          .slice(0, i + 1)
          .filter((k, j) => j === 0 || compareKeys(k.keys, keyed[j - 1].keys, order) !== 0);
        const rank = { row_number: i + 1, rank: first + 1, dense_rank: dense.length }[p.rank.kind];
        return [[...row, BigInt(rank)]];
      });
    });
  }

  private count(e: Expr | null, outer: Env): number | null {
    const v = e === null ? null : this.value(e, outer);
    return v === null ? null : Number(v);
  }

  private setop(p: Logical & { op: 'setop' }, outer: Env): Row[] {
    const left = this.rows(p.left, outer);
    const right = this.rows(p.right, outer);
    if (p.kind === 'union') return p.all ? [...left, ...right] : distinct([...left, ...right], p.cols);
    const tagged = [...left.map((row) => ({ row, left: true })), ...right.map((row) => ({ row, left: false }))];
    const types = p.cols.map((c) => c.type);
    return groupRows(tagged, (t) => t.row, types).flatMap(({ items }) => {
      const l = items.filter((t) => t.left).length;
      const r = items.length - l;
      const present = p.kind === 'except' ? l > 0 && r === 0 : l > 0 && r > 0;
      const times = p.all ? (p.kind === 'except' ? Math.max(l - r, 0) : Math.min(l, r)) : present ? 1 : 0;
      return Array.from({ length: times }, () => items[0].row);
    });
  }

  private tablefunc(p: Logical & { op: 'tablefunc' }, outer: Env): Row[] {
    const argTypes = p.args.map((a) => a.t);
    const fn = resolveSet(p.fn, { argTypes, resultType: p.cols[0].type, variadic: false });
    return this.over(p.input, outer, (row, env) => {
      const args = p.args.map((a) => this.value(a, env));
      const made = args.includes(null) ? [] : [...fn(args, this.context)];
      const ordinality = (i: bigint): Datum[] => (p.ordinality ? [i] : []);
      if (made.length === 0 && p.left) {
        return [[...row, ...p.cols.map(() => null), ...(p.ordinality ? [null] : [])]];
      }
      return made.map((values, i) => [...row, ...values, ...ordinality(BigInt(i + 1))]);
    });
  }

  private timewindow(p: Logical & { op: 'timewindow' }, outer: Env): Row[] {
    if (p.kind !== 'session') {
      return this.over(p.input, outer, (row, env) =>
        assignWindows(p, env[p.time] as bigint | null).map((w) => [...row, ...w]),
      );
    }
    const cols = outputColumns(p.input);
    const at = (id: number): number => cols.findIndex((c) => c.id === id);
    const keys = p.keys.map(at);
    const types = keys.map((k) => cols[k].type);
    const timed = this.rows(p.input, outer).filter((r) => r[at(p.time)] !== null);
    return groupRows(timed, (r) => keys.map((k) => r[k]), types).flatMap(({ items }) =>
      sessionWindows(items, (r) => r[at(p.time)] as bigint, p.size),
    );
  }

  private once({ item, columns }: Logical & { op: 'once' }): Row[] {
    const rows = this.items.get(item.id) ?? this.rows(item.plan, []);
    this.items.set(item.id, rows);
    const ids = outputColumns(item.plan).map((c) => c.id);
    const at = columns.map((c) => ids.indexOf(item.outputs[c].id));
    return rows.map((row) => at.map((i) => row[i]));
  }

  private recursive(p: Logical & { op: 'recursive' }, outer: Env): Row[] {
    const fresh = (rows: Row[], known: Row[]): Row[] => {
      if (p.all) return rows;
      const types = p.cols.map((c) => c.type);
      return distinct(rows, p.cols).filter((r) => !known.some((k) => compareRows(k, r, types) === 0));
    };
    let found = fresh(this.rows(p.base, outer), []);
    const result = [...found];
    for (let round = 0; found.length > 0; round++) {
      if (round > RECURSION_LIMIT) throw new Error('the recursion does not end');
      this.working.set(p.id, found);
      found = fresh(this.rows(p.step, outer), result);
      result.push(...found);
    }
    this.working.delete(p.id);
    return result;
  }

  private singleRow(p: Logical & { op: 'single_row' }, outer: Env): Row[] {
    const cols = outputColumns(p);
    const keys = p.keys.map((id) => cols.findIndex((c) => c.id === id));
    const types = keys.map((k) => cols[k].type);
    const groups = groupRows(this.rows(p.input, outer), (r) => keys.map((k) => r[k]), types);
    return this.collect(groups, ({ items }) => {
      if (items.length > 1) throw moreThanOneRow();
      return items;
    });
  }
}

function moreThanOneRow(): SqlError {
  return new SqlError('21000', 'more than one row returned by a subquery used as an expression');
}

function bind(outer: Env, cols: Col[], row: Row): Env {
  const env = outer.slice();
  cols.forEach((c, i) => {
    env[c.id] = row[i];
  });
  return env;
}

function distinct(rows: Row[], cols: Col[]): Row[] {
  const types = cols.map((c) => c.type);
  return groupRows(rows, (r) => r, types).map((g) => g.items[0]);
}

function ascending(c: Col): SortSpec {
  return { type: c.type, desc: false, nullsFirst: false };
}

function sortSpecs(order: OrderItem[]): SortSpec[] {
  return order.map((o) => ({ type: o.expr.t, desc: o.desc, nullsFirst: o.nullsFirst }));
}

function all(values: Datum[]): boolean | null {
  if (values.includes(false)) return false;
  return values.includes(null) ? null : true;
}

function any(values: Datum[]): boolean | null {
  if (values.includes(true)) return true;
  return values.includes(null) ? null : false;
}
