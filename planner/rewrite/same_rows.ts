/**
 * Whether two subplans give the same rows up to the names and the order of their columns: what a query gets that reads a relation, or groups it, twice.
 * Projections are looked through, so columns are expressions over the node below them.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { outputColumns } from '../logical/columns.ts';
import { column, structureText, substitute } from '../logical/expressions.ts';
import type { Logical, LogicalAggregate } from '../logical/plan.ts';

/** A node that is no projection, and the columns of a plan over it as expressions over its columns. */
export interface Flat {
  plan: Logical;
  at: Map<number, Expr>;
}

export function flatten(p: Logical): Flat {
  if (p.op !== 'project') return { plan: p, at: new Map(outputColumns(p).map((c) => [c.id, column(c)])) };
  const below = flatten(p.input);
  return { plan: below.plan, at: new Map(p.items.map((i) => [i.col.id, substitute(i.expr, below.at)])) };
}

/** The columns of `b` as columns of `a`, by id, as far as `a` has them; null when the rows are not known to be the same. */
export function sameRows(a: Logical, b: Logical): Map<number, Expr> | null {
  if (a.op === 'get' && b.op === 'get') {
    if (a.relation.oid !== b.relation.oid) return null;
    const found = new Map<number, Expr>();
    b.columns.forEach((number, i) => {
      const place = a.columns.indexOf(number);
      if (place >= 0) found.set(b.cols[i].id, column(a.cols[place]));
    });
    return found;
  }
  if (a.op === 'filter' && b.op === 'filter') {
    const inputs = sameInputs(a.input, b.input);
    return inputs !== null && text(inputs.a(a.predicate)) === text(inputs.b(b.predicate)) ? inputs.columns() : null;
  }
  if (a.op === 'timewindow' && b.op === 'timewindow') {
    if (a.kind !== b.kind || a.size !== b.size || a.slide !== b.slide || a.offset !== b.offset) return null;
    const inputs = sameInputs(a.input, b.input);
    const read = (p: typeof a): Expr[] => [p.time, ...p.keys].map((id) => columnOf(p.input, id));
    if (inputs === null || text(read(a).map(inputs.a)) !== text(read(b).map(inputs.b))) return null;
    return inputs.columns().set(b.start.id, column(a.start)).set(b.end.id, column(a.end));
  }
  return a.op === 'aggregate' && b.op === 'aggregate' ? sameGroups(a, b) : null;
}

type Aggregate = Logical & { op: 'aggregate' };

function sameGroups(a: Aggregate, b: Aggregate): Map<number, Expr> | null {
  if (a.groupingSets || b.groupingSets || a.grouping || b.grouping) return null;
  const inputs = sameInputs(a.input, b.input);
  if (inputs === null) return null;
  const ofA = a.keys.map((k) => text(inputs.a(k.expr)));
  const ofB = b.keys.map((k) => text(inputs.b(k.expr)));
  if (!ofA.every((k) => ofB.includes(k)) || !ofB.every((k) => ofA.includes(k))) return null;
  const found = new Map(b.keys.map((k, i) => [k.col.id, column(a.keys[ofA.indexOf(ofB[i])].col)]));
  const callText = (call: LogicalAggregate, over: (e: Expr) => Expr): string =>
    text([
      [call.fn, call.distinct, call.args.map(over), call.filter && over(call.filter)],
      call.orderBy.map((o) => ({ ...o, expr: over(o.expr) })),
    ]);
  const calls = a.aggregates.map((call) => callText(call, inputs.a));
  for (const call of b.aggregates) {
    const place = calls.indexOf(callText(call, inputs.b));
    if (place >= 0) found.set(call.out.id, column(a.aggregates[place].out));
  }
  return found;
}

interface SameInputs {
  /** Expressions over either input, over the columns of what is below the first. */
  a(e: Expr): Expr;
  b(e: Expr): Expr;
  /** sameRows() of the inputs. */
  columns(): Map<number, Expr>;
}

function sameInputs(left: Logical, right: Logical): SameInputs | null {
  const a = flatten(left);
  const b = flatten(right);
  const found = sameRows(a.plan, b.plan);
  if (found === null) return null;
  const over = {
    a: (e: Expr): Expr => substitute(e, a.at),
    b: (e: Expr): Expr => substitute(substitute(e, b.at), found),
  };
  const columns = (): Map<number, Expr> => {
    const own = outputColumns(left);
    const texts = own.map((c) => text(over.a(column(c))));
    const pairs = outputColumns(right).flatMap((c): [number, Expr][] => {
      const place = texts.indexOf(text(over.b(column(c))));
      return place < 0 ? [] : [[c.id, column(own[place])]];
    });
    return new Map(pairs);
  };
  return { ...over, columns };
}

function columnOf(p: Logical, id: number): Expr {
  return column(outputColumns(p).find((c) => c.id === id)!);
}

function text(x: unknown): string {
  return structureText(x, false);
}
