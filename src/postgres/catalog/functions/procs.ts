/** Functions described as SQL: pg_get_functiondef, pg_get_function_arguments, _identity_arguments, _result, _arg_default, _sqlbody. */
import { quoteIdent } from '../../../../operators/expr/text/quote.ts';
import type { PgProc } from '../../../../planner/types/catalog.ts';
import { systemTable } from '../../../../planner/types/catalog_table.ts';
import { formatType } from '../../../../planner/types/type_name.ts';
import type { FunctionObject } from '../../../catalog/objects.ts';
import type { Moment } from '../catalog_relation.ts';
import { bodyText } from '../function_body.ts';
import { isInput, type Parameter, parametersOf } from '../proc_parameters.ts';
import { functionObject, procOf } from '../procs.ts';
import { type CatalogFunctions, numberOf } from './catalog_function.ts';
import { shownName } from './names.ts';

function parameterText(p: Parameter, withDefault: boolean, path: string[]): string {
  const mode = p.mode === 'o' ? 'OUT ' : p.mode === 'b' ? 'INOUT ' : p.mode === 'v' ? 'VARIADIC ' : '';
  const name = p.name === '' ? '' : `${quoteIdent(p.name)} `;
  const fallback = withDefault && p.default !== null ? ` DEFAULT ${p.default}` : '';
  return `${mode}${name}${formatType(p.type, null, path)}${fallback}`;
}

function argumentsText(proc: PgProc, withDefault: boolean, { facts, context: { searchPath } }: Moment): string {
  const shown = parametersOf(proc, facts, searchPath).filter((p) => p.mode !== 't');
  return orderedSet(
    proc,
    shown.map((p) => parameterText(p, withDefault, searchPath)),
  );
}

/** Ordered-set aggregates list their direct arguments, ORDER BY, the others. */
function orderedSet(proc: PgProc, texts: string[]): string {
  if (proc.kind !== 'a') return texts.join(', ');
  const t = systemTable('pg_aggregate');
  const row = t.indexBy('aggfnoid').get(String(proc.oid))?.[0];
  if (row === undefined || t.text(row, 'aggkind') === 'n') return texts.join(', ');
  const direct = t.number(row, 'aggnumdirectargs');
  const ordered = texts.slice(direct);
  // The last parameter of a variadic one stands on both sides.
  const shown = ordered.length === 0 && proc.variadic !== 0 ? texts.slice(-1) : ordered;
  return `${texts.slice(0, direct).join(', ')}${direct > 0 ? ' ' : ''}ORDER BY ${shown.join(', ')}`;
}

function resultText(proc: PgProc, { facts, context: { searchPath } }: Moment): string {
  const columns = parametersOf(proc, facts, searchPath).filter((p) => p.mode === 't');
  if (columns.length > 0) {
    return `TABLE(${columns.map((p) => `${p.name === '' ? '' : `${quoteIdent(p.name)} `}${formatType(p.type, null, searchPath)}`).join(', ')})`;
  }
  const rowOf = facts.relation(proc.made?.rowOf ?? 0);
  const type = rowOf === undefined ? formatType(proc.result, null, searchPath) : shownName(facts, rowOf, searchPath);
  return (proc.retset ? 'SETOF ' : '') + type;
}

const VOLATILITY = { i: ' IMMUTABLE', s: ' STABLE', v: '' };
const PARALLEL = { s: ' PARALLEL SAFE', r: ' PARALLEL RESTRICTED', u: '' };

/** CREATE OR REPLACE FUNCTION; null for PostgreSQL's own, whose code is not here. */
function definition(object: FunctionObject, moment: Moment): string {
  const { proc } = object;
  const words = [
    VOLATILITY[proc.volatility],
    PARALLEL[object.parallel],
    proc.strict ? ' STRICT' : '',
    object.leakproof ? ' LEAKPROOF' : '',
    object.cost === 100 ? '' : ` COST ${object.cost}`,
    object.rows === 0 || object.rows === 1000 ? '' : ` ROWS ${object.rows}`,
  ].join('');
  let quote = '$function$';
  while (object.source.includes(quote)) quote = `${quote.slice(0, -1)}x$`;
  return [
    `CREATE OR REPLACE FUNCTION ${quoteIdent(object.schema)}.${quoteIdent(proc.name)}(${argumentsText(proc, true, moment)})`,
    ` RETURNS ${resultText(proc, moment)}`,
    ` LANGUAGE ${proc.made!.script?.language ?? 'sql'}`,
    ...(words === '' ? [] : [words]),
    object.standard ? bodyText(object, moment.context.searchPath) : `AS ${quote}${object.source}${quote}`,
    '',
  ].join('\n');
}

function ofProc(text: (proc: PgProc, moment: Moment) => string | null): CatalogFunctions[string] {
  return ([oid], moment) => {
    const proc = procOf(moment.facts, numberOf(oid));
    return proc === undefined ? null : text(proc, moment);
  };
}

export const PROC_FUNCTIONS: CatalogFunctions = {
  pg_get_functiondef: ([oid], moment) => {
    const object = functionObject(moment.facts, numberOf(oid));
    return object === undefined ? null : definition(object, moment);
  },
  pg_get_function_sqlbody: ([oid], { facts, context }) => {
    const object = functionObject(facts, numberOf(oid));
    return object?.standard ? bodyText(object, context.searchPath) : null;
  },
  pg_get_function_arguments: ofProc((proc, moment) => argumentsText(proc, true, moment)),
  pg_get_function_identity_arguments: ofProc((proc, moment) => argumentsText(proc, false, moment)),
  pg_get_function_result: ofProc((proc, moment) => (proc.kind === 'p' ? null : resultText(proc, moment))),
  pg_get_function_arg_default: ([oid, position], { facts, context }) => {
    const proc = procOf(facts, numberOf(oid));
    if (proc === undefined) return null;
    const inputs = parametersOf(proc, facts, context.searchPath).filter(isInput);
    return inputs[numberOf(position) - 1]?.default ?? null;
  },
};
