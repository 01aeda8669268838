/**
 * Calls of functions that users made in other languages: all that the function is goes into the expression (operators/expr/external.ts), its body too.
 *
 *   f(a, b)              call external(any) of {"language": "javascript", "source": ...}, a, b
 *   FROM u, f(u.a)       tablefunc external_rows(any) of the same
 *
 * What is kept up to date calls functions alone that are IMMUTABLE: what one says of itself is all that is known of it.
 */
import { EXTERNAL_CALL, EXTERNAL_ROWS, type ExternalFunction } from '../../operators/expr/external.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import type { PgProc } from '../types/catalog.ts';
import { typeOfOid } from '../types/type_name.ts';
import type { BoundCall } from './bound_call.ts';
import { type Clause, clauseName } from './clause.ts';
import { tryCoerce } from './coercion.ts';
import type { Level } from './level.ts';
import { setElsewhere, signatureText } from './sql_function.ts';

type Columns = { name: string; type: ColType }[];

const INDEX: ReadonlySet<Clause> = new Set(['index_expression', 'index_predicate']);

/** What a function is, without the domains of its types. */
export function externalFunction(proc: PgProc, columns: Columns | null): ExternalFunction {
  const { argModes, argNames, args, result, retset, strict, name, made } = proc;
  const { language, source } = made!.script!;
  const named = (argNames ?? args.map(() => '')).filter((_, i) => argModes === null || 'ibv'.includes(argModes[i]));
  const base = (type: ColType) => colType(type.oid, type.typmod);
  const value = base(typeOfOid(result));
  const rows = columns?.map((column) => ({ name: column.name, type: base(column.type) })) ?? [
    { name: null, type: value },
  ];
  return {
    language,
    signature: signatureText(proc),
    name,
    names: args.map((_, i) => named[i] || `$${i + 1}`),
    types: args.map((oid) => base(typeOfOid(oid))),
    result: retset ? rows : value,
    strict: retset && strict,
    source,
  };
}

/** The call as an expression. */
export function bindExternalCall(level: Level, call: BoundCall): Expr {
  const { f } = call;
  if (f.retset) throw setElsewhere(level, call);
  enter(level, call);
  const about = externalFunction(f.proc, null);
  const t = about.result as ColType;
  const value: Expr = { k: 'call', fn: EXTERNAL_CALL, args: [constantOf(about), ...call.args], t, strict: f.strict };
  return level.at(tryCoerce(level, value, call.t, 'assignment') ?? value, call.location);
}

/** What FROM reads. */
export function externalRows(level: Level, call: BoundCall) {
  enter(level, call);
  const { f, name, t, location } = call;
  const about = externalFunction(f.proc, f.outColumns);
  const columns = f.outColumns ?? [{ name, type: t }];
  const rows = { fn: EXTERNAL_ROWS, args: [constantOf(about), ...call.args] };
  return { name, columns, rows, row: [], scalar: f.outColumns === null, location };
}

function constantOf(about: ExternalFunction): Expr {
  return { k: 'const', v: JSON.stringify(about), t: colType(OID.text) };
}

function enter(level: Level, { f, location }: BoundCall): void {
  const { env, view } = level.shared;
  env.onCall?.(f.proc.oid, view);
  if (f.volatility === 'i') return;
  if (INDEX.has(level.clause))
    throw level.error('42P17', `functions in ${clauseName(level.clause)} must be marked IMMUTABLE`, location);
  if (env.mode !== 'view') return;
  const word = f.volatility === 's' ? 'stable' : 'volatile';
  throw level.error('0A000', `function ${signatureText(f.proc)} is ${word} and cannot be used in a view`, location, {
    detail: 'A maintained view must give the same result however often a row is looked at.',
    hint: 'If it gives the same for the same arguments: ALTER FUNCTION ... IMMUTABLE.',
  });
}
