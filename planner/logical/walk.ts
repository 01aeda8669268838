/**
 * Walking and rebuilding expressions and logical plans. Rebuilding keeps the identity of what did not change, and a plan node
 * that is used in several places stays one node.
 */
import { children as exprChildren } from '../../operators/expr/children.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { Logical, LogicalAggregate, LogicalWindow, OrderItem } from './plan.ts';

export { exprChildren };

/** Calls `visit` for the expression and everything in it; `visit` returns false to leave an operand's inside out. */
export function visitExpr(e: Expr, visit: (e: Expr) => boolean | undefined): void {
  if (visit(e) === false) return;
  for (const child of exprChildren(e)) visitExpr(child, visit);
}

function mapList(list: Expr[], f: (e: Expr) => Expr): Expr[] {
  let changed = false;
  const out = list.map((e) => {
    const m = f(e);
    if (m !== e) changed = true;
    return m;
  });
  return changed ? out : list;
}

/** Rebuilds an expression's direct operands by `f`; the same object when none changed. */
export function mapChildren(e: Expr, f: (e: Expr) => Expr): Expr {
  switch (e.k) {
    case 'col':
    case 'const':
    case 'param':
      return e;
    case 'call':
    case 'and':
    case 'or':
    case 'coalesce':
    case 'extreme': {
      const args = mapList(e.args, f);
      return args === e.args ? e : { ...e, args };
    }
    case 'cast':
    case 'not':
    case 'isnull':
    case 'istruth':
    case 'field': {
      const arg = f(e.arg);
      return arg === e.arg ? e : { ...e, arg };
    }
    case 'distinct':
    case 'nullif':
    case 'anyall': {
      const left = f(e.left);
      const right = f(e.right);
      return left === e.left && right === e.right ? e : { ...e, left, right };
    }
    case 'case': {
      let changed = false;
      const whens = e.whens.map((w) => {
        const when = f(w.when);
        const then = f(w.then);
        if (when === w.when && then === w.then) return w;
        changed = true;
        return { when, then };
      });
      const other = e.else ? f(e.else) : null;
      return changed || other !== e.else ? { ...e, whens, else: other } : e;
    }
    case 'array':
    case 'row': {
      const items = mapList(e.items, f);
      return items === e.items ? e : { ...e, items };
    }
    case 'subscript': {
      const arg = f(e.arg);
      let changed = arg !== e.arg;
      const indexes = e.indexes.map((i) => {
        const lower = i.lower && f(i.lower);
        const upper = i.upper && f(i.upper);
        if (lower === i.lower && upper === i.upper) return i;
        changed = true;
        return { ...i, lower, upper };
      });
      return changed ? { ...e, arg, indexes } : e;
    }
  }
}

/** Replaces, top down: where `f` gives an expression it stands in for the whole subtree; where it gives null the walk goes on inside. */
export function mapExpr(e: Expr, f: (e: Expr) => Expr | null): Expr {
  return f(e) ?? mapChildren(e, (c) => mapExpr(c, f));
}

/** The direct inputs of a plan node. */
export function planInputs(p: Logical): Logical[] {
  switch (p.op) {
    case 'get':
    case 'values':
    case 'working':
    case 'once':
      return [];
    case 'join':
    case 'apply':
    case 'setop':
    case 'asof':
      return [p.left, p.right];
    case 'recursive':
      return [p.base, p.step];
    default:
      return [p.input];
  }
}

/** The expressions that stand in a plan node itself, its inputs left out. */
export function planExprs(p: Logical): Expr[] {
  const out: Expr[] = [];
  mapPlanExprs(p, (e) => {
    out.push(e);
    return e;
  });
  return out;
}

/** Rebuilds the expressions of one node by `f`; inputs are left alone. The same object when nothing changed. */
export function mapPlanExprs(p: Logical, f: (e: Expr) => Expr): Logical {
  const list = (es: Expr[]): Expr[] => mapList(es, f);
  const maybe = (e: Expr | null): Expr | null => e && f(e);
  const items = <T extends { expr: Expr }>(xs: T[]): T[] => {
    let changed = false;
    const out = xs.map((x) => {
      const expr = f(x.expr);
      if (expr === x.expr) return x;
      changed = true;
      return { ...x, expr };
    });
    return changed ? out : xs;
  };
  switch (p.op) {
    case 'values': {
      let changed = false;
      const rows = p.rows.map((r) => {
        const m = list(r);
        if (m !== r) changed = true;
        return m;
      });
      return changed ? { ...p, rows } : p;
    }
    case 'filter': {
      const predicate = f(p.predicate);
      return predicate === p.predicate ? p : { ...p, predicate };
    }
    case 'project': {
      const mapped = items(p.items);
      return mapped === p.items ? p : { ...p, items: mapped };
    }
    case 'join':
    case 'asof': {
      const on = maybe(p.on);
      return on === p.on ? p : ({ ...p, on } as Logical);
    }
    case 'apply': {
      if (p.kind === 'cross' || p.kind === 'left') {
        const on = maybe(p.on);
        return on === p.on ? p : { ...p, on };
      }
      if (p.kind !== 'in') return p;
      const test = list(p.test);
      return test === p.test ? p : { ...p, test };
    }
    case 'aggregate': {
      const keys = items(p.keys);
      let changed = keys !== p.keys;
      const aggregates = p.aggregates.map((a): LogicalAggregate => {
        const m = { ...a, args: list(a.args), filter: maybe(a.filter), orderBy: items(a.orderBy) };
        if (m.args === a.args && m.filter === a.filter && m.orderBy === a.orderBy) return a;
        changed = true;
        return m;
      });
      return changed ? { ...p, keys, aggregates } : p;
    }
    case 'window': {
      let changed = false;
      const windows = p.windows.map((w): LogicalWindow => {
        const args = list(w.args);
        const filter = maybe(w.filter);
        const partition = list(w.partition);
        const order: OrderItem[] = items(w.order);
        if (args === w.args && filter === w.filter && partition === w.partition && order === w.order) return w;
        changed = true;
        return { ...w, args, filter, partition, order };
      });
      return changed ? { ...p, windows } : p;
    }
    case 'topn': {
      const partition = list(p.partition);
      const order = items(p.order);
      const limit = maybe(p.limit);
      const offset = maybe(p.offset);
      if (partition === p.partition && order === p.order && limit === p.limit && offset === p.offset) return p;
      return { ...p, partition, order, limit, offset };
    }
    case 'tablefunc': {
      const args = list(p.args);
      return args === p.args ? p : { ...p, args };
    }
    default:
      return p;
  }
}

/** Rebuilds a node over other inputs (as many as planInputs gives); the same object when they are the same. */
export function withInputs(p: Logical, inputs: Logical[]): Logical {
  const old = planInputs(p);
  if (old.every((o, i) => o === inputs[i])) return p;
  switch (p.op) {
    case 'get':
    case 'values':
    case 'working':
    case 'once':
      return p;
    case 'join':
    case 'apply':
    case 'setop':
    case 'asof':
      return { ...p, left: inputs[0], right: inputs[1] };
    case 'recursive':
      return { ...p, base: inputs[0], step: inputs[1] };
    default:
      return { ...p, input: inputs[0] };
  }
}

/** Applies `f` to every expression of a whole plan. Shared nodes stay shared. */
export function mapExprsDeep(plan: Logical, f: (e: Expr) => Expr): Logical {
  const done = new Map<Logical, Logical>();
  const walk = (p: Logical): Logical => {
    const known = done.get(p);
    if (known) return known;
    const mapped = mapPlanExprs(withInputs(p, planInputs(p).map(walk)), f);
    done.set(p, mapped);
    return mapped;
  };
  return walk(plan);
}

/** Visits every node of a plan once, inputs before the node. */
export function visitPlan(plan: Logical, visit: (p: Logical) => void): void {
  const seen = new Set<Logical>();
  const walk = (p: Logical): void => {
    if (seen.has(p)) return;
    seen.add(p);
    planInputs(p).forEach(walk);
    visit(p);
  };
  walk(plan);
}
