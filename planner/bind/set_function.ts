/**
 * Set-returning functions in the select list: each becomes columns of a `tablefunc` node under the projection.
 *
 *   SELECT x, generate_series(1, x) FROM t      project(x, g) <- tablefunc(generate_series) <- t
 *   two of them in one select list run in lockstep: joined on their ordinality, the shorter one padded with NULLs
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import { oneRow } from '../logical/columns.ts';
import { structureText } from '../logical/expressions.ts';
import type { Col, Logical } from '../logical/plan.ts';
import { freeIds } from '../logical/tree.ts';
import { visitExpr } from '../logical/walk.ts';
import type { BoundCall } from './bound_call.ts';
import { setFunctionRefusal } from './clause.ts';
import { INT8, operatorCall, RECORD } from './coercion.ts';
import { colRef, type Level, type SetFunction } from './level.ts';
import { subqueryOf } from './subquery.ts';

/** Registers the call; the result is a reference to its output. */
export function addSetFunction(level: Level, call: BoundCall): Expr {
  const refusal = setFunctionRefusal(level.clause);
  if (refusal) throw level.error('0A000', refusal, call.location);
  const same = [...level.setFunctions.values()].find(
    (s) => s.fn === call.fn && structureText(s.args) === structureText(call.args),
  );
  const fields = call.f.outColumns ?? [{ name: call.name, type: call.t }];
  const cols =
    same?.cols ?? fields.map((o) => level.newCol(o.name, o.type, { kind: 'set', label: o.name, shape: undefined }));
  if (!same) {
    const entry: SetFunction = { fn: call.fn, args: call.args, cols, location: call.location };
    level.setFunctions.set(cols[0].id, entry);
  }
  if (cols.length === 1) return level.at(colRef(cols[0]), call.location);
  const names = cols.map((c) => c.name);
  const row: Expr = { k: 'row', items: cols.map(colRef), t: RECORD, names };
  level.shared.shapes.set(row, { names, types: cols.map((c) => c.type) });
  return level.at(row, call.location);
}

/** Refuses set-returning functions among those registered since `before`: PostgreSQL forbids them inside CASE and COALESCE. */
export function refuseSetFunctions(level: Level, before: number, what: string): void {
  if (level.setFunctions.size === before) return;
  const first = [...level.setFunctions.values()][before];
  throw level.error('0A000', `set-returning functions are not allowed in ${what}`, first.location, {
    hint: 'You might be able to move the set-returning function into a LATERAL FROM item.',
  });
}

/** The set-returning functions that expressions use, those in arguments of others left out. */
function setFunctionsIn(level: Level, exprs: Expr[]): SetFunction[] {
  const found = new Set<SetFunction>();
  const all = [...level.setFunctions.values()];
  const look = (e: Expr) => {
    visitExpr(e, (x) => {
      const f = x.k === 'col' ? all.find((s) => s.cols.some((c) => c.id === x.id)) : undefined;
      if (f) found.add(f);
      // The arguments of a function in SQL stand in its body.
      const sub = x.k === 'col' && !f ? subqueryOf(level, x.id) : undefined;
      if (sub?.kind === 'call' || sub?.kind === 'value') for (const arg of sub.test) look(arg);
      return true;
    });
  };
  exprs.forEach(look);
  return [...found];
}

/** Adds the set-returning functions that `exprs` use and `done` does not hold yet on top of `plan`. */
export function attachSetFunctions(
  level: Level,
  plan: Logical,
  exprs: Expr[],
  done: Set<SetFunction>,
  prepare: (plan: Logical, args: Expr[]) => Logical,
): Logical {
  const wanted = setFunctionsIn(level, exprs).filter((f) => !done.has(f));
  if (wanted.length === 0) return plan;
  const args = wanted.flatMap((f) => f.args);
  // Calls inside arguments run first, as a step of their own.
  let out = attachSetFunctions(level, plan, args, done, prepare);
  out = prepare(out, args);
  for (const f of wanted) done.add(f);
  if (wanted.length === 1) return tableFunction(out, wanted[0], null);
  const right = lockstep(level, wanted).plan;
  return freeIds(right).size > 0
    ? { op: 'apply', kind: 'cross', left: out, right, on: null }
    : { op: 'join', kind: 'inner', left: out, right, on: null };
}

function tableFunction(input: Logical, f: SetFunction, ordinality: Col | null): Logical {
  return { op: 'tablefunc', input, fn: f.fn, args: f.args, cols: f.cols, ordinality, left: false };
}

/** Functions side by side, row n with row n; gives the row number too. */
export function lockstep(level: Level, functions: SetFunction[]): { plan: Logical; ordinality: Expr } {
  let plan: Logical | null = null;
  let ordinality: Expr | null = null;
  for (const f of functions) {
    const n = level.newCol('ordinality', colType(OID.int8), { kind: 'set', label: 'ordinality' });
    const one = tableFunction(oneRow(), f, n);
    if (!plan || !ordinality) {
      plan = one;
      ordinality = colRef(n);
      continue;
    }
    const on = operatorCall(level, '=', ordinality, colRef(n), undefined);
    plan = { op: 'join', kind: 'full', left: plan, right: one, on };
    ordinality = { k: 'coalesce', args: [ordinality, colRef(n)], t: INT8 };
  }
  return { plan: plan ?? oneRow(), ordinality: ordinality ?? { k: 'const', v: 1n, t: INT8 } };
}
