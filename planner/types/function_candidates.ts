/**
 * Which functions of a name could take a call's arguments by number and name: named notation, defaults, variadic expansion
 * (PostgreSQL manual, 10.3 step 1).
 *
 *   declared f(a, b DEFAULT .., VARIADIC c[])      a call of n arguments sees the parameter types one per argument
 */
import { namespaceOid, PG_CATALOG, type PgProc, procsByName } from './catalog.ts';
import { extensionOf } from './extension_functions.ts';
import { typeOfOid } from './type_name.ts';

export interface FunctionCandidate {
  proc: PgProc;
  /** Declared types, one per written argument in written order, then one per default used. */
  args: number[];
  /** Parameter position of each of `args`. */
  parameters: number[];
  /** Number of `args` that are defaults. */
  defaults: number;
  /** Number of trailing arguments that the variadic parameter takes; 0 when it is not expanded. */
  expanded: number;
  /** Two candidates that cannot be told apart stand behind this one: choosing it is an error. */
  ambiguous: boolean;
}

/** Input parameter names; '' where a parameter has none. */
function inputNames(proc: PgProc): string[] {
  if (!proc.argNames) return proc.args.map(() => '');
  const modes = proc.argModes;
  return proc.argNames.filter((_, i) => !modes || modes[i] === 'i' || modes[i] === 'b' || modes[i] === 'v');
}

/** Parameter of each written argument, then those left to their defaults; null when the names do not fit. */
function matchNames(proc: PgProc, count: number, argNames: string[]): number[] | null {
  const positional = count - argNames.length;
  const parameters = Array.from({ length: positional }, (_, i) => i);
  const names = inputNames(proc);
  for (const name of argNames) {
    const at = names.indexOf(name);
    if (at < 0 || parameters.includes(at)) return null;
    parameters.push(at);
  }
  const firstDefault = proc.args.length - proc.defaults.length;
  for (let i = positional; i < proc.args.length; i++) {
    if (parameters.includes(i)) continue;
    if (i < firstDefault) return null;
    parameters.push(i);
  }
  return parameters;
}

function candidateOf(proc: PgProc, count: number, argNames: string[], expand: boolean): FunctionCandidate | null {
  // A domain takes what lies under it.
  const types = proc.made === undefined ? proc.args : proc.args.map((oid) => typeOfOid(oid).oid);
  const declared = types.length;
  const base = { proc, expanded: 0, ambiguous: false };
  if (argNames.length > 0) {
    if ((proc.variadic !== 0 && expand) || declared < count) return null;
    const parameters = matchNames(proc, count, argNames);
    return parameters && { ...base, parameters, args: parameters.map((i) => types[i]), defaults: declared - count };
  }
  const parameters = proc.args.map((_, i) => i);
  if (proc.variadic !== 0 && expand && declared <= count) {
    const expanded = count - declared + 1;
    const last = declared - 1;
    const fill = <T>(value: T): T[] => Array.from({ length: expanded }, () => value);
    return {
      ...base,
      args: [...types.slice(0, last), ...fill(proc.variadic)],
      parameters: [...parameters.slice(0, last), ...fill(last)],
      defaults: 0,
      expanded,
    };
  }
  if (declared < count || declared > count + proc.defaults.length) return null;
  return { ...base, args: types, parameters, defaults: declared - count };
}

/**
 * Candidates for a call of `count` arguments, the last ones named. `expand`: variadic parameters take separate arguments; `made`: functions of users that the name finds, in the
 * order of the search path, which pg_catalog comes before.
 */
export function functionCandidates(
  schema: string | undefined,
  name: string,
  count: number,
  argNames: string[],
  expand: boolean,
  schemaOf: ExtensionSchemas,
  made: PgProc[] = [],
): FunctionCandidate[] {
  const namespace = schema === undefined ? PG_CATALOG : namespaceOid(schema);
  const found: FunctionCandidate[] = [];
  const procs = procsByName(name);
  const own = procs.filter((proc) => proc.namespace === namespace);
  const theirs = own.length > 0 ? own : procs.filter((other) => isOfExtension(other, schema, schemaOf));
  for (const proc of [...theirs, ...made]) {
    const candidate = candidateOf(proc, count, argNames, expand);
    if (candidate) addCandidate(found, candidate);
  }
  return found;
}

/** The schema of an extension's functions; undefined: it is not there. */
export type ExtensionSchemas = (extension: string) => string | undefined;

/** Without a schema they are found under any search path. */
function isOfExtension(proc: PgProc, schema: string | undefined, schemaOf: ExtensionSchemas): boolean {
  const extension = extensionOf(proc);
  const there = extension === undefined ? undefined : schemaOf(extension.name);
  return there !== undefined && (schema === undefined || schema === there);
}

/** Two candidates that take the same types as written: one without variadic expansion goes first, else the call is ambiguous. */
function addCandidate(found: FunctionCandidate[], candidate: FunctionCandidate): void {
  const written = candidate.args.length - candidate.defaults;
  const at = found.findIndex(
    (c) => c.args.length - c.defaults === written && c.args.slice(0, written).every((t, i) => t === candidate.args[i]),
  );
  if (at < 0) found.push(candidate);
  // Of two schemas the first in the path has it.
  else if (candidate.proc.namespace !== found[at].proc.namespace) return;
  else if (candidate.expanded > 0 === found[at].expanded > 0) found[at] = { ...found[at], ambiguous: true };
  else if (found[at].expanded > 0) found[at] = candidate;
}
