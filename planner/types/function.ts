/**
 * Function, aggregate and window-function resolution: PostgreSQL manual, section 10.3.
 *
 *   candidates by name and number -> exact types -> best candidate -> polymorphic types, defaults, variadic arguments
 */
import { SqlError } from '../../operators/errors.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import type { PgNode } from '../parse/ast.ts';
import { functionHint } from '../parse/other_systems.ts';
import { chooseCandidate } from './candidates.ts';
import {
  aggregateByOid,
  arrayTypeOf,
  baseTypeOf,
  elementTypeOf,
  type PgAggregate,
  type PgProc,
  procSignature,
} from './catalog.ts';
import { commonTypeOf } from './common_type.ts';
import { typeWords } from './format_type.ts';
import { type ExtensionSchemas, type FunctionCandidate, functionCandidates } from './function_candidates.ts';
import { argumentType, type Polymorphism, resolvePolymorphic, solvePolymorphic } from './polymorphic.ts';
import { typeOfOid } from './type_name.ts';

/** A call as written. `args` holds positional arguments, then named ones, then WITHIN GROUP's sort expressions. */
export interface FunctionCall {
  schema?: string;
  name: string;
  /** An untyped literal or parameter has OID.unknown. */
  args: ColType[];
  /** Names of the named arguments (`a => 1`): they are the last ones of `args` (before WITHIN GROUP's). */
  argNames?: string[];
  /** The keyword VARIADIC stands before the last argument. */
  variadic?: boolean;
  /** f(*): only for count. */
  star?: boolean;
  /** Number of trailing `args` that come from WITHIN GROUP (ORDER BY ...); undefined when there is no WITHIN GROUP. */
  withinGroup?: number;
  /** Absent: there are no extensions. */
  extensionSchema?: ExtensionSchemas;
  /** 1-based character position for errors. */
  position?: number;
  /** Functions of users that the name finds. */
  made?: PgProc[];
}

/** Where one actual argument of the resolved function comes from. */
export type ArgSource =
  /** Position in FunctionCall.args. */
  | { from: number }
  /** The parameter's default: text to be read by `type`'s input function; null is SQL NULL. */
  | { default: string | null }
  /** The default of a user's function, to be bound. */
  | { written: { node: PgNode; text: string } };

export interface ResolvedFunction {
  proc: PgProc;
  /** regprocedure text with the declared types, e.g. `int4pl(int4,int4)`, `count()`, `count(any)`, `concat(any)`. */
  fn: string;
  kind: 'f' | 'a' | 'w' | 'p';
  /** One per actual argument, in declared order, defaults filled in, variadic ones still separate. */
  sources: ArgSource[];
  /** Type that each of `sources` is coerced to; polymorphic types resolved. OID.any = pass as it is. */
  argTypes: ColType[];
  /** Index into `sources` from which arguments are gathered into one ARRAY of `variadicArray`; null: no gathering. */
  variadicFrom: number | null;
  variadicArray: ColType | null;
  /** Written with VARIADIC before the array for a parameter VARIADIC "any": the call node carries it. */
  variadicAny: boolean;
  /** Result; element type for a set-returning function. */
  resultType: ColType;
  retset: boolean;
  strict: boolean;
  volatility: 'i' | 's' | 'v';
  /** Columns of a function with OUT parameters (json_each, pg_get_keywords, ...); null otherwise. */
  outColumns: { name: string; type: ColType }[] | null;
  /** Aggregates: 'n' normal, 'o' ordered-set, 'h' hypothetical-set; null for others. */
  aggKind: 'n' | 'o' | 'h' | null;
  /** Direct arguments of an ordered-set aggregate (the first ones of `sources`). */
  directArgs: number;
}

/** Finds the function a call means. Throws 42883, 42725 (ambiguous), 42804 (polymorphic mismatch), 42809 (wrong kind of call). */
export function resolveFunction(call: FunctionCall): ResolvedFunction {
  const actual = call.args.map((t) => t.oid);
  const candidates = functionCandidates(
    call.schema,
    call.name,
    actual.length,
    call.argNames ?? [],
    call.variadic !== true,
    call.extensionSchema ?? (() => undefined),
    call.made,
  );
  const exact = candidates.find((c) => actual.every((t, i) => t === c.args[i]));
  const found = exact ?? chooseCandidate(actual, candidates);
  if (found === 'none') throw notFound(call, candidates.length === 0);
  if (found === 'ambiguous' || found.ambiguous) throw notUnique(call);
  const aggregate = aggregateByOid(found.proc.oid) ?? null;
  checkKind(call, found.proc, aggregate);
  return describe(call, found, aggregate, actual);
}

/** `foo(integer, x => text)`, as error messages show a call. */
function callSignature(call: FunctionCall): string {
  const named = call.args.length - (call.argNames?.length ?? 0);
  const args = call.args.map((t, i) => {
    const name = i >= named ? `${call.argNames?.[i - named]} => ` : '';
    return name + typeWords(t);
  });
  return `${fullName(call)}(${args.join(', ')})`;
}

function fullName(call: FunctionCall): string {
  return call.schema === undefined ? call.name : `${call.schema}.${call.name}`;
}

/** `unknown`: there is none of the name that takes so many arguments. */
function notFound(call: FunctionCall, unknown: boolean): SqlError {
  return new SqlError('42883', `function ${callSignature(call)} does not exist`, {
    hint:
      (unknown && call.schema === undefined ? functionHint(call.name) : undefined) ??
      'No function matches the given name and argument types. You might need to add explicit type casts.',
    position: call.position,
  });
}

function notUnique(call: FunctionCall): SqlError {
  return new SqlError('42725', `function ${callSignature(call)} is not unique`, {
    hint: 'Could not choose a best candidate function. You might need to add explicit type casts.',
    position: call.position,
  });
}

/** The forms of a call that only some kinds of function take: f(*), f(), WITHIN GROUP. */
function checkKind(call: FunctionCall, proc: PgProc, aggregate: PgAggregate | null): void {
  const name = fullName(call);
  const wrong = (message: string): SqlError => new SqlError('42809', message, { position: call.position });
  if (proc.kind === 'p') {
    throw new SqlError('42809', `${callSignature(call)} is a procedure`, {
      hint: 'To call a procedure, use CALL.',
      position: call.position,
    });
  }
  if (call.star && proc.kind === 'f') throw wrong(`${name}(*) specified, but ${name} is not an aggregate function`);
  if (!aggregate) {
    if (call.withinGroup === undefined) return;
    if (proc.kind === 'w') throw wrong(`window function ${name} cannot have WITHIN GROUP`);
    throw wrong(`WITHIN GROUP specified, but ${name} is not an aggregate function`);
  }
  if (aggregate.kind === 'n') {
    if (call.withinGroup !== undefined) {
      throw wrong(`${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`);
    }
    if (call.args.length === 0 && !call.star) {
      throw wrong(`${name}(*) must be used to call a parameterless aggregate function`);
    }
  } else if (call.withinGroup === undefined) {
    throw wrong(`WITHIN GROUP is required for ordered-set aggregate ${name}`);
  } else {
    checkDirectArguments(call, proc, aggregate);
  }
}

/** The number of arguments before and inside WITHIN GROUP must be what the aggregate takes. */
function checkDirectArguments(call: FunctionCall, proc: PgProc, aggregate: PgAggregate): void {
  const sorted = call.withinGroup ?? 0;
  const direct = call.args.length - sorted;
  const refuse = (hint: string): SqlError =>
    new SqlError('42883', `function ${callSignature(call)} does not exist`, { hint, position: call.position });
  const name = fullName(call);
  if (proc.variadic === 0) {
    if (direct === aggregate.directArgs) return;
    throw refuse(
      `There is an ordered-set aggregate ${name}, but it requires ${plural(aggregate.directArgs, 'direct argument')}, not ${direct}.`,
    );
  }
  if (aggregate.kind === 'h' && sorted !== direct) {
    throw refuse(
      `To use the hypothetical-set aggregate ${name}, the number of hypothetical direct arguments (here ${direct}) must match the number of ordering columns (here ${sorted}).`,
    );
  }
}

function plural(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function describe(
  call: FunctionCall,
  c: FunctionCandidate,
  aggregate: PgAggregate | null,
  actual: number[],
): ResolvedFunction {
  const { proc } = c;
  const defaultTypes = c.args.slice(actual.length);
  const types = [...actual, ...defaultTypes];
  const p = solvePolymorphic(c.args, types);
  const slots = c.args.map((declared, i) => ({
    parameter: c.parameters[i],
    type: inDomain(proc, proc.args[c.parameters[i]]) ?? colType(argumentType(declared, types[i], p)),
    source: i < actual.length ? { from: i } : defaultOf(proc, c.parameters[i]),
  }));
  if (aggregate?.kind === 'h') unifyHypothetical(slots, call);
  slots.sort((a, b) => a.parameter - b.parameter);
  const gathered = c.expanded > 0 && proc.variadic !== OID.any ? proc.args.length - 1 : null;
  const variadicAny = call.variadic === true && proc.variadic === OID.any;
  if (variadicAny) checkVariadicArray(actual[actual.length - 1], call.position);
  return {
    proc,
    fn: procSignature(proc),
    kind: proc.kind,
    sources: slots.map((s) => s.source),
    argTypes: slots.map((s) => s.type),
    variadicFrom: gathered,
    variadicArray: gathered === null ? null : colType(arrayTypeOf(slots[gathered].type.oid)),
    variadicAny,
    resultType: inDomain(proc, proc.result) ?? colType(resolvePolymorphic(proc.result, p)),
    retset: proc.retset,
    strict: proc.strict,
    volatility: proc.volatility,
    outColumns: outColumnsOf(proc, p),
    aggKind: aggregate?.kind ?? null,
    directArgs: aggregate && aggregate.kind !== 'n' ? actual.length - (call.withinGroup ?? 0) : 0,
  };
}

/** A domain, or an array of it, that a user's function takes or gives. */
function inDomain({ made }: PgProc, oid: number): ColType | null {
  if (made === undefined) return null;
  const type = typeOfOid(oid);
  return type.domain === undefined ? null : type;
}

function defaultOf({ args, defaults, made }: PgProc, parameter: number): ArgSource {
  const at = parameter - args.length + defaults.length;
  return made === undefined ? { default: defaults[at] } : { written: made.defaults[at] };
}

/** A hypothetical row's values are compared with the sort expressions: each pair takes its common type. */
function unifyHypothetical(slots: { type: ColType }[], call: FunctionCall): void {
  const sorted = call.withinGroup ?? 0;
  for (let i = 0; i < sorted; i++) {
    if (slots[i].type.oid !== OID.any) continue;
    const type = colType(commonTypeOf([call.args[sorted + i].oid, call.args[i].oid], 'WITHIN GROUP'));
    slots[i].type = type;
    slots[sorted + i].type = type;
  }
}

function checkVariadicArray(type: number, position: number | undefined): void {
  if (elementTypeOf(baseTypeOf(type)) === 0) {
    throw new SqlError('42804', 'VARIADIC argument must be an array', { position });
  }
}

function outColumnsOf(proc: PgProc, p: Polymorphism | null): { name: string; type: ColType }[] | null {
  const { allArgs, argModes, argNames } = proc;
  if (!allArgs || !argModes) return null;
  const columns: { name: string; type: ColType }[] = [];
  argModes.forEach((mode, i) => {
    if (mode !== 'o' && mode !== 'b' && mode !== 't') return;
    const name = argNames?.[i] || `column${columns.length + 1}`;
    columns.push({ name, type: inDomain(proc, allArgs[i]) ?? colType(resolvePolymorphic(allArgs[i], p)) });
  });
  return columns.length === 0 ? null : columns;
}
