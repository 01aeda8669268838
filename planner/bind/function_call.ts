/**
 * Function calls: f(a, b => 1, VARIADIC c), aggregates, window functions, set-returning functions, and the casts that are
 * written like functions, int4('3').
 */
import { SqlError } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { type PgProc, typeByName, typeByOid } from '../types/catalog.ts';
import { callFunction } from '../types/coerce.ts';
import { extensionOf } from '../types/extension_functions.ts';
import { type ResolvedFunction, resolveFunction } from '../types/function.ts';
import { functionCast as functionCastType } from '../types/function_cast.ts';
import { TICK_FUNCTION } from '../types/own_functions.ts';
import { bindAggregate } from './aggregate_call.ts';
import type { BoundCall } from './bound_call.ts';
import { cast } from './cast_expr.ts';
import { coerceHost, operand, refuseDomainInView, toBoolean, tryCoerce, typeOf } from './coercion.ts';
import { bindExternalCall } from './external_call.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { locationOf, names } from './node.ts';
import { addSetFunction } from './set_function.ts';
import { bindSqlCall } from './sql_function.ts';
import { bindWindowCall } from './window_call.ts';

/** Binds a FuncCall in an expression. */
export function bindFunctionCall(level: Level, c: PgNode): Expr {
  const asCast = functionCast(level, c);
  if (asCast) return asCast;
  const call = resolveCall(level, c);
  checkDecoration(level, c, call);
  if (c.over) return bindWindowCall(level, c, call);
  if (call.f.kind === 'a') return bindAggregate(level, c, call);
  if (call.f.proc.made?.script) return bindExternalCall(level, call);
  if (call.f.proc.made) return bindSqlCall(level, call);
  if (call.f.retset) return addSetFunction(level, call);
  noteShape(level, call.expr, call.f);
  return level.at(call.expr, call.location);
}

function noteShape(level: Level, expr: Expr, f: ResolvedFunction): void {
  if (!f.outColumns || f.outColumns.length < 2) return;
  level.shared.shapes.set(expr, { names: f.outColumns.map((o) => o.name), types: f.outColumns.map((o) => o.type) });
}

/** Binds the arguments of a FuncCall and finds its function. Raises the errors that do not depend on where the call stands. */
export function resolveCall(level: Level, c: PgNode): BoundCall {
  const location = locationOf(c);
  const path = names(c.funcname);
  const name = path[path.length - 1];
  const nodes: PgNode[] = c.args ?? [];
  const argNames: string[] = [];
  const args = nodes.map((node) => {
    const named = node.NamedArgExpr;
    if (named) {
      if (argNames.includes(named.name)) {
        throw level.error('42601', `argument name "${named.name}" used more than once`, locationOf(named));
      }
      argNames.push(named.name);
      return level.bind(named.arg);
    }
    if (argNames.length > 0) {
      const at = Object.values(node)[0] as PgNode;
      throw level.error('42601', 'positional argument cannot follow named argument', locationOf(at));
    }
    return level.bind(node);
  });
  const sorts: PgNode[] = c.agg_within_group ? (c.agg_order ?? []) : [];
  for (const s of sorts) args.push(level.bindIn('order_by', s.SortBy.node));
  const filter = c.agg_filter
    ? level.inClause('filter', () => toBoolean(level, level.bind(c.agg_filter), 'FILTER'))
    : null;
  const schema = path.length > 1 ? path[path.length - 2] : undefined;
  const { catalog } = level.shared.env;
  const resolve = (): ResolvedFunction =>
    resolveFunction({
      schema,
      name,
      made: level.shared.env.catalog.functionsNamed?.(schema, name),
      args: args.map((a) => typeOf(level, a)),
      argNames: argNames.length > 0 ? argNames : undefined,
      variadic: c.func_variadic === true ? true : undefined,
      star: c.agg_star === true ? true : undefined,
      withinGroup: c.agg_within_group ? sorts.length : undefined,
      extensionSchema: (extension) => catalog.extension?.(extension)?.schema,
    });
  const f = locateResolution(level, resolve, args, location);
  const extension = extensionOf(f.proc);
  if (extension !== undefined) level.shared.types.add(catalog.extension?.(extension.name)?.oid ?? 0);
  if (f.proc.made) noteFunction(level, f.proc, c);
  else {
    refuseInViews(level, f, name, location);
    // Where a plain view calls it, too, who reads the view is asked.
    level.shared.env.onCall?.(f.proc.oid, null);
  }
  const coerced = args.slice();
  f.sources.forEach((s, i) => {
    const to = f.argTypes[i];
    if (to.domain !== undefined) {
      refuseDomainInView(level, to);
      if ('from' in s) coerced[s.from] = tryCoerce(level, args[s.from], to, 'implicit') ?? args[s.from];
      return;
    }
    if ('from' in s && f.argTypes[i].oid !== OID.any) coerced[s.from] = operand(level, args[s.from], f.argTypes[i]);
  });
  const call = level.locate(location, () => callFunction(f, coerced, coerceHost(level)));
  const cut = call.args.length - sorts.length;
  return {
    f,
    name,
    fn: call.fn,
    expr: call,
    args: call.args.slice(0, cut),
    written: args,
    sortArgs: call.args.slice(cut),
    filter,
    t: call.t,
    location,
  };
}

function noteFunction(level: Level, proc: PgProc, c: PgNode): void {
  level.shared.types.add(proc.oid);
  level.shared.env.onFunction?.(proc, level.isForeign ? null : c);
}

/** Errors of resolution stand at the function's name, those about VARIADIC at its argument. */
function locateResolution(
  level: Level,
  resolve: () => ResolvedFunction,
  args: Expr[],
  location: number,
): ResolvedFunction {
  try {
    return resolve();
  } catch (e) {
    if (!(e instanceof SqlError)) throw e;
    const last = args[args.length - 1];
    const variadic = e.message.startsWith('VARIADIC argument') && last;
    const within = e.message.startsWith('WITHIN GROUP types') && args[0];
    const at = variadic || within ? exprLocation(level, variadic || args[0]) : location;
    throw level.error(e.sqlstate, e.message, at, e.fields);
  }
}

/** What they give changes with the type. */
const ENUM_LISTS: ReadonlySet<string> = new Set([
  'enum_first(anyenum)',
  'enum_last(anyenum)',
  'enum_range(anyenum)',
  'enum_range(anyenum,anyenum)',
]);

/** What a maintained view cannot keep right: volatile functions, and the tick of the statement. */
function refuseInViews(level: Level, f: ResolvedFunction, name: string, location: number): void {
  if (level.shared.env.mode !== 'view') return;
  if (f.fn === TICK_FUNCTION) {
    throw level.error('0A000', 'function tidemark_tick cannot be used in a view', location, {
      detail: 'It tells which tick a statement reads; a view has its rows at every tick.',
    });
  }
  if (ENUM_LISTS.has(f.fn)) {
    throw level.error('0A000', `function ${name} cannot be used in a view`, location, {
      detail: 'ALTER TYPE ... ADD VALUE would change its value without a change of the input.',
    });
  }
  if (f.volatility !== 'v') return;
  throw level.error('0A000', `function ${name} is volatile and cannot be used in a view`, location, {
    detail: 'A maintained view must give the same result however often a row is looked at.',
  });
}

/** `int4('3')`, `text(5)`: a call of one argument by a type's name is a cast when no function fits exactly, whether VARIADIC is said or not. Null otherwise. */
function functionCast(level: Level, c: PgNode): Expr | null {
  const path = names(c.funcname);
  const plain = !c.agg_star && !c.agg_distinct && !c.agg_order && !c.agg_filter && !c.over;
  if (!plain || c.args?.length !== 1 || c.args[0].NamedArgExpr) return null;
  const schema = path.length > 1 ? path[path.length - 2] : undefined;
  const name = path[path.length - 1];
  const named = typeByName(schema, name) ?? typeByOid(level.userType(schema, name));
  if (!named) return null;
  const arg = level.bind(c.args[0]);
  const type = functionCastType(named, typeOf(level, arg).oid);
  return type === null ? null : cast(level, arg, colType(type), locationOf(c));
}

/** The errors of DISTINCT, FILTER, OVER, ... on functions that cannot have them. */
function checkDecoration(level: Level, c: PgNode, call: BoundCall): void {
  const { f, name, location } = call;
  const wrong = (message: string): Error => level.error('42809', message, location);
  if (f.kind === 'p') {
    throw level.error('42809', `${name} is a procedure`, location, { hint: 'To call a procedure, use CALL.' });
  }
  if (f.kind === 'f') {
    if (c.agg_star) throw wrong(`${name}(*) specified, but ${name} is not an aggregate function`);
    if (c.agg_distinct) throw wrong(`DISTINCT specified, but ${name} is not an aggregate function`);
    if (c.agg_within_group) throw wrong(`WITHIN GROUP specified, but ${name} is not an aggregate function`);
    if (c.agg_order) throw wrong(`ORDER BY specified, but ${name} is not an aggregate function`);
    if (c.agg_filter) throw wrong(`FILTER specified, but ${name} is not an aggregate function`);
    if (c.over) throw wrong(`OVER specified, but ${name} is not a window function nor an aggregate function`);
    return;
  }
  if (f.kind === 'w') {
    if (!c.over) throw wrong(`window function ${name} requires an OVER clause`);
    if (c.agg_within_group) throw wrong(`window function ${name} cannot have WITHIN GROUP`);
    return;
  }
  if (f.aggKind !== 'n' && !c.agg_within_group) {
    throw wrong(`WITHIN GROUP is required for ordered-set aggregate ${name}`);
  }
  if (f.aggKind !== 'n' && c.over) {
    throw level.error('0A000', `OVER is not supported for ordered-set aggregate ${name}`, location);
  }
  if (f.aggKind === 'n' && c.agg_within_group) {
    throw wrong(`${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`);
  }
  if (!c.agg_star && f.sources.length === 0) {
    throw wrong(`${name}(*) must be used to call a parameterless aggregate function`);
  }
}
