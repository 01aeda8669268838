/** The parameters of a function, with modes, names and defaults. */
import type { PgProc } from '../../../planner/types/catalog.ts';
import { systemTable } from '../../../planner/types/catalog_table.ts';
import type { CatalogFacts } from './facts.ts';
import { defaultTexts } from './procs.ts';

export interface Parameter {
  /** i in, o out, b in and out, v variadic, t column of a table result. */
  mode: string;
  name: string;
  type: number;
  /** Its default as SQL; null: none. */
  default: string | null;
}

const INPUT_MODES = new Set(['i', 'b', 'v']);

export function isInput(p: Parameter): boolean {
  return INPUT_MODES.has(p.mode);
}

let rowByOid: Map<string, number[]> | null = null;

/** proargdefaults as pg_get_expr prints it: expressions with commas between, for the last input parameters. */
function defaultExpressions(proc: PgProc): string[] {
  if (proc.defaults.length === 0) return [];
  const t = systemTable('pg_proc');
  rowByOid ??= t.indexBy('oid');
  const row = rowByOid.get(String(proc.oid))?.[0];
  const text = row === undefined ? null : t.value(row, 'proargdefaults');
  if (text === null) return [];
  return [...text.matchAll(/\s*((?:'(?:[^']|'')*'|\([^)]*\)|[^,'(])+)(?:,|$)/g)].map((m) => m[1].trim());
}

/** `path`: the search path that names in defaults are shown for. */
export function parametersOf(proc: PgProc, facts: CatalogFacts, path: string[]): Parameter[] {
  const parameters = (proc.allArgs ?? proc.args).map(
    (type, i): Parameter => ({
      mode: proc.argModes?.[i] ?? 'i',
      name: proc.argNames?.[i] ?? '',
      type,
      default: null,
    }),
  );
  const inputs = parameters.filter(isInput);
  const defaults = proc.made === undefined ? defaultExpressions(proc) : defaultTexts(proc, facts, path);
  defaults.forEach((text, i) => {
    inputs[inputs.length - defaults.length + i].default = text;
  });
  return parameters;
}
