/**
 * Calls of external functions (external.ts) of many rows: what evaluates expressions row by row lets the functions see the arguments of the rows to come, so that one crossing into the
 * other language serves many of them. What a call gives is the same; an argument that fails is left to its row.
 */
import type { Datum } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { children } from './children.ts';
import { EXTERNAL_CALL, runnerOf } from './external.ts';
import { type BoundExpr, bindExpr } from './interpret.ts';
import type { EvalContext, Expr } from './ir.ts';

interface Call {
  about: string;
  args: BoundExpr[];
  strict: boolean;
}

/** Calls in the expressions, those in arguments of others first. */
function callsIn(exprs: Expr[]): Call[] {
  const found: Call[] = [];
  const visit = (e: Expr): void => {
    children(e).forEach(visit);
    if (e.k !== 'call' || e.fn !== EXTERNAL_CALL || e.args[0].k !== 'const') return;
    found.push({ about: e.args[0].v as string, args: e.args.slice(1).map(bindExpr), strict: e.strict });
  };
  exprs.forEach(visit);
  return found;
}

export type InAdvance = <T>(rows: () => Iterable<Datum[]>, context: EvalContext, work: () => T) => T;

/** For who evaluates the expressions over rows: `rows` gives those of `work`, in its order. Null where no external function is called. */
export function inAdvance(exprs: Expr[]): InAdvance | null {
  const calls = callsIn(exprs);
  if (calls.length === 0) return null;
  const byFunction = grouped(calls);
  return (rows, context, work) => {
    let all = work;
    for (const [about, group] of byFunction) {
      const inner = all;
      all = () => runnerOf(about).during(argumentsOf(group, rows(), context), inner);
    }
    return all();
  };
}

function grouped(calls: Call[]): Map<string, Call[]> {
  const groups = new Map<string, Call[]>();
  for (const call of calls) groups.set(call.about, [...(groups.get(call.about) ?? []), call]);
  return groups;
}

function* argumentsOf(calls: Call[], rows: Iterable<Datum[]>, context: EvalContext): Iterator<Datum[]> {
  for (const row of rows) {
    for (const { args, strict } of calls) {
      const values = orNull(() => args.map((arg) => arg(row, context)));
      if (values !== null && !(strict && values.includes(null))) yield values;
    }
  }
}

/** What fails does so again where it counts. */
function orNull<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}
