/** Functions described as SQL: pg_get_function_arguments, _identity_arguments, _result, _arg_default. */
import { quoteIdent } from '../../../../operators/expr/text/quote.ts';
import { type PgProc, procByOid } from '../../../../planner/types/catalog.ts';
import { systemTable } from '../../../../planner/types/catalog_table.ts';
import { formatType } from '../../../../planner/types/type_name.ts';
import { isInput, type Parameter, parametersOf } from '../proc_parameters.ts';
import { type CatalogFunctions, numberOf } from './catalog_function.ts';

function parameterText(p: Parameter, withDefault: boolean): string {
  const mode = p.mode === 'o' ? 'OUT ' : p.mode === 'b' ? 'INOUT ' : p.mode === 'v' ? 'VARIADIC ' : '';
  const name = p.name === '' ? '' : `${quoteIdent(p.name)} `;
  const fallback = withDefault && p.default !== null ? ` DEFAULT ${p.default}` : '';
  return `${mode}${name}${formatType(p.type)}${fallback}`;
}

function argumentsText(proc: PgProc, withDefault: boolean): string {
  const shown = parametersOf(proc).filter((p) => p.mode !== 't');
  return orderedSet(
    proc,
    shown.map((p) => parameterText(p, withDefault)),
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

function resultText(proc: PgProc): string {
  const columns = parametersOf(proc).filter((p) => p.mode === 't');
  if (columns.length > 0) {
    return `TABLE(${columns.map((p) => `${p.name === '' ? '' : `${quoteIdent(p.name)} `}${formatType(p.type)}`).join(', ')})`;
  }
  return (proc.retset ? 'SETOF ' : '') + formatType(proc.result);
}

function ofProc(text: (proc: PgProc) => string | null): CatalogFunctions[string] {
  return ([oid]) => {
    const proc = procByOid(numberOf(oid));
    return proc === undefined ? null : text(proc);
  };
}

export const PROC_FUNCTIONS: CatalogFunctions = {
  pg_get_function_arguments: ofProc((proc) => argumentsText(proc, true)),
  pg_get_function_identity_arguments: ofProc((proc) => argumentsText(proc, false)),
  pg_get_function_result: ofProc((proc) => (proc.kind === 'p' ? null : resultText(proc))),
  pg_get_function_arg_default: ([oid, position]) => {
    const proc = procByOid(numberOf(oid));
    if (proc === undefined) return null;
    const inputs = parametersOf(proc).filter(isInput);
    return inputs[numberOf(position) - 1]?.default ?? null;
  },
};
