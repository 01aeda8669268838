/** What CREATE FUNCTION finds out about a body: whether it can be bound, gives what the function returns, and what it names. */
import type { Expr } from '../../operators/expr/ir.ts';
import { constant } from '../logical/expressions.ts';
import type { PgProc } from '../types/catalog.ts';
import { resolveFunction } from '../types/function.ts';
import { typeOfOid } from '../types/type_name.ts';
import type { BoundCall } from './bound_call.ts';
import type { BindEnv } from './env.ts';
import { Level } from './level.ts';
import { bodyValue, columnsOf, rowsOf } from './sql_function.ts';
import { guarded, newShared } from './start.ts';

/**
 * Binds the body of a function as a call with arguments of its parameters' types would. Errors have places in the body's text. `env.onRelation` and `env.onFunction` hear of what
 * the body itself names.
 */
export function checkSqlFunction(proc: PgProc, env: BindEnv): { dependencies: number[]; types: number[] } {
  if (proc.made?.script) return { dependencies: [], types: [] };
  return guarded(() => {
    const shared = newShared(env);
    const level = new Level(shared, null, '');
    const made = proc.made!;
    const types = proc.args.map((oid) => typeOfOid(oid));
    const f = resolveFunction({
      schema: made.schema,
      name: proc.name,
      args: types,
      variadic: proc.variadic !== 0,
      made: [proc],
    });
    // They may stand wherever a parameter of a statement may, which is more than columns may.
    const args = types.map((t, i): Expr => ({ k: 'param', n: i + 1, t }));
    const { fn, resultType: t } = f;
    const expr = args[0] ?? constant(null, t);
    const call: BoundCall = {
      f,
      name: proc.name,
      fn,
      args,
      written: args,
      expr,
      sortArgs: [],
      filter: null,
      t,
      location: -1,
    };
    shared.calls.push(proc);
    shared.ownBody = true;
    if (f.retset)
      rowsOf(level, call, made, columnsOf(level, f, made) ?? f.outColumns ?? [{ name: proc.name, type: t }]);
    else bodyValue(level, call);
    return { dependencies: [...shared.dependencies], types: [...shared.types] };
  });
}
