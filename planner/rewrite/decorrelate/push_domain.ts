/**
 * Carries a domain D through a correlated plan: push(p, D) has p's columns and D's, and holds for each d of D the rows of p with the
 * outer columns bound to d. One small rule per node:
 *
 *   independent p      D x p
 *   filter, tablefunc  over push(input), outer columns replaced by the carried ones
 *   project            also passes the carried columns on
 *   join               one side when only one is correlated; else both, joined on the carried columns too
 *   aggregate          carried columns become keys; a global one is joined back to D, for the values that have no row (COUNT bug)
 *   window, topn       carried columns become partition columns, so LIMIT counts per outer row
 *   distinct, setop    carried columns are part of the row
 *   recursive          the working table carries them
 */
import { unsupported } from '../../../operators/errors.ts';
import type { Expr } from '../../../operators/expr/ir.ts';
import { outputColumns } from '../../logical/columns.ts';
import { column, conjunction, conjuncts, constant, substitute, usesAny } from '../../logical/expressions.ts';
import type { Col, Logical } from '../../logical/plan.ts';
import { freeIds, type Ids, keepColumns } from '../../logical/tree.ts';
import { mapPlanExprs, planInputs } from '../../logical/walk.ts';
import { type Carried, type Domain, sameCarried } from './domain.ts';
import { emptyValue } from './empty_value.ts';

export interface Pushed {
  plan: Logical;
  carried: Carried;
}

/** Pushes `domain` through `p`, which holds no apply. */
export function pushDomain(p: Logical, domain: Domain, ids: Ids): Pushed {
  return new Push(domain, ids).push(p);
}

class Push {
  private readonly domain: Domain;
  private readonly ids: Ids;
  private readonly outerIds: Set<number>;
  /** Recursions whose working table carries the domain. */
  private readonly recursions = new Set<number>();

  constructor(domain: Domain, ids: Ids) {
    this.domain = domain;
    this.ids = ids;
    this.outerIds = new Set(domain.outer.map((c) => c.id));
  }

  push(p: Logical): Pushed {
    if (!this.depends(p)) return this.crossed(p);
    switch (p.op) {
      case 'values':
        return this.values(p);
      case 'filter':
      case 'tablefunc':
      case 'temporal':
        return this.unary(p, this.push(p.input));
      case 'distinct': {
        const input = this.exact(p.input);
        return { plan: { ...p, input: input.plan }, carried: input.carried };
      }
      case 'project':
        return this.project(p);
      case 'join':
        return this.join(p);
      case 'aggregate':
        return this.aggregate(p);
      case 'window':
        return this.window(p);
      case 'topn':
        return this.topn(p);
      case 'setop':
        return this.setop(p);
      case 'timewindow':
      case 'single_row': {
        const input = this.push(p.input);
        const keys = [...p.keys, ...[...input.carried.values()].map((c) => c.id)];
        return { plan: { ...p, input: input.plan, keys }, carried: input.carried };
      }
      case 'asof': {
        if (this.depends(p.right)) throw unsupported('an ASOF JOIN whose right side refers to an outer query');
        const left = this.push(p.left);
        return { plan: { ...p, left: left.plan, on: this.bind(p.on, left.carried) }, carried: left.carried };
      }
      case 'recursive':
        return this.recursive(p);
      case 'working':
        return this.working(p);
      case 'get':
      case 'once':
      case 'apply':
        throw new Error(`a ${p.op} cannot be correlated here`);
    }
  }

  private depends(p: Logical): boolean {
    for (const id of freeIds(p)) if (this.outerIds.has(id)) return true;
    return this.readsCarryingTable(p);
  }

  private readsCarryingTable(p: Logical): boolean {
    if (this.recursions.size === 0) return false;
    return (p.op === 'working' && this.recursions.has(p.id)) || planInputs(p).some((x) => this.readsCarryingTable(x));
  }

  private bind(e: Expr, carried: Carried): Expr {
    return substitute(e, new Map([...carried].map(([id, col]) => [id, column(col)])));
  }

  private crossed(p: Logical): Pushed {
    const d = this.domain.make();
    return { plan: { op: 'join', kind: 'inner', left: d.plan, right: p, on: null }, carried: d.carried };
  }

  /** Pushed, and cut to p's columns and the carried ones. */
  private exact(p: Logical): Pushed {
    const pushed = this.push(p);
    return { ...pushed, plan: keepColumns(pushed.plan, [...outputColumns(p), ...pushed.carried.values()]) };
  }

  private unary(p: Logical & { op: 'filter' | 'tablefunc' | 'temporal' }, input: Pushed): Pushed {
    const own = mapPlanExprs(p, (e) => this.bind(e, input.carried)) as typeof p;
    return { plan: { ...own, input: input.plan }, carried: input.carried };
  }

  /** VALUES with outer columns: a projection of D for each row. */
  private values(p: Logical & { op: 'values' }): Pushed {
    const arms = p.rows.map((row): Pushed & { cols: Col[] } => {
      const d = this.domain.make();
      const cols = p.rows.length === 1 ? p.cols : p.cols.map((c) => this.ids.col(c.name, c.type));
      const items = row.map((e, i) => ({ col: cols[i], expr: this.bind(e, d.carried) }));
      const passed = [...d.carried.values()].map((col) => ({ col, expr: column(col) }));
      return { plan: { op: 'project', input: d.plan, items: [...items, ...passed] }, carried: d.carried, cols };
    });
    return arms.reduce((left, right, i) => {
      const last = i === arms.length - 1;
      const cols = last ? p.cols : p.cols.map((c) => this.ids.col(c.name, c.type));
      const carried = this.domain.columns();
      const all = [...cols, ...carried.values()];
      return {
        plan: { op: 'setop', kind: 'union', all: true, left: left.plan, right: right.plan, cols: all },
        carried,
        cols,
      };
    });
  }

  private project(p: Logical & { op: 'project' }): Pushed {
    const input = this.push(p.input);
    const kept = new Set(p.items.map((i) => i.col.id));
    const passed = [...input.carried.values()].filter((c) => !kept.has(c.id));
    const items = [
      ...p.items.map((i) => ({ col: i.col, expr: this.bind(i.expr, input.carried) })),
      ...passed.map((col) => ({ col, expr: column(col) })),
    ];
    return { plan: { op: 'project', input: input.plan, items }, carried: input.carried };
  }

  private join(p: Logical & { op: 'join' }): Pushed {
    const inLeft = this.depends(p.left);
    const inRight = this.depends(p.right);
    if (p.kind === 'inner' && inRight && !inLeft) {
      const right = this.push(p.right);
      const on = p.on && this.bind(p.on, right.carried);
      return { plan: { ...p, right: right.plan, on }, carried: right.carried };
    }
    if (p.kind === 'right') return this.join({ ...p, kind: 'left', left: p.right, right: p.left });
    const left = this.push(p.left);
    const on = conjuncts(p.on && this.bind(p.on, left.carried));
    if (!inRight && p.kind !== 'full')
      return { plan: { ...p, left: left.plan, on: conjunction(on) }, carried: left.carried };
    const right = this.push(p.right);
    const matched = conjunction([...on, ...sameCarried(left.carried, right.carried)]);
    const plan: Logical = { ...p, left: left.plan, right: right.plan, on: matched };
    return p.kind === 'full' ? this.merged(plan, p, left.carried, right.carried) : { plan, carried: left.carried };
  }

  /** After a full join the carried value is that of whichever side has a row. */
  private merged(plan: Logical, p: Logical, left: Carried, right: Carried): Pushed {
    const carried = this.domain.columns();
    const items = [
      ...outputColumns(p).map((col) => ({ col, expr: column(col) })),
      ...[...carried].map(([id, col]) => ({
        col,
        expr: { k: 'coalesce', args: [column(left.get(id)!), column(right.get(id)!)], t: col.type } satisfies Expr,
      })),
    ];
    return { plan: { op: 'project', input: plan, items }, carried };
  }

  private aggregate(p: Logical & { op: 'aggregate' }): Pushed {
    const input = this.push(p.input);
    const carried = this.domain.columns();
    const own = mapPlanExprs(p, (e) => this.bind(e, input.carried)) as typeof p;
    const carriedKeys = [...carried].map(([id, col]) => ({ col, expr: column(input.carried.get(id)!) }));
    if (p.keys.length > 0) {
      return { plan: { ...own, input: input.plan, keys: [...own.keys, ...carriedKeys] }, carried };
    }
    const renamed = own.aggregates.map((a) => ({ ...a, out: this.ids.col(a.out.name, a.out.type) }));
    const grouped: Logical = { ...own, input: input.plan, keys: carriedKeys, aggregates: renamed };
    const d = this.domain.make();
    const joined: Logical = {
      op: 'join',
      kind: 'left',
      left: d.plan,
      right: grouped,
      on: conjunction(sameCarried(d.carried, carried)),
    };
    const items = own.aggregates.map((a, i) => {
      const empty = emptyValue(a.fn, a.out.type);
      const value = column(renamed[i].out);
      const expr: Expr =
        empty === null ? value : { k: 'coalesce', args: [value, constant(empty, a.out.type)], t: a.out.type };
      return { col: a.out, expr };
    });
    const passed = [...d.carried.values()].map((col) => ({ col, expr: column(col) }));
    return { plan: { op: 'project', input: joined, items: [...items, ...passed] }, carried: d.carried };
  }

  private window(p: Logical & { op: 'window' }): Pushed {
    const input = this.push(p.input);
    const own = mapPlanExprs(p, (e) => this.bind(e, input.carried)) as typeof p;
    const per = [...input.carried.values()].map(column);
    const windows = own.windows.map((w) => ({ ...w, partition: [...w.partition, ...per] }));
    return { plan: { ...own, input: input.plan, windows }, carried: input.carried };
  }

  private topn(p: Logical & { op: 'topn' }): Pushed {
    for (const e of [p.limit, p.offset]) {
      if (e !== null && usesAny(e, this.outerIds)) throw unsupported('a LIMIT or OFFSET that refers to an outer query');
    }
    const input = this.push(p.input);
    const own = mapPlanExprs(p, (e) => this.bind(e, input.carried)) as typeof p;
    const partition = [...own.partition, ...[...input.carried.values()].map(column)];
    return { plan: { ...own, input: input.plan, partition }, carried: input.carried };
  }

  private setop(p: Logical & { op: 'setop' }): Pushed {
    const left = this.exact(p.left);
    const right = this.exact(p.right);
    const carried = this.domain.columns();
    const cols = [...p.cols, ...carried.values()];
    return { plan: { ...p, left: left.plan, right: right.plan, cols }, carried };
  }

  private recursive(p: Logical & { op: 'recursive' }): Pushed {
    this.recursions.add(p.id);
    const base = this.exact(p.base);
    const step = this.exact(p.step);
    const carried = this.domain.columns();
    return { plan: { ...p, base: base.plan, step: step.plan, cols: [...p.cols, ...carried.values()] }, carried };
  }

  private working(p: Logical & { op: 'working' }): Pushed {
    const carried = this.domain.columns();
    return { plan: { ...p, cols: [...p.cols, ...carried.values()] }, carried };
  }
}
