/** What SET says as the setting's text, and its name as SET says it. */
import { SqlError } from '../../operators/errors.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';

/** Settings whose value is a list of names. */
const LISTS = new Set([
  'search_path',
  'datestyle',
  'temp_tablespaces',
  'local_preload_libraries',
  'session_preload_libraries',
]);

const PLAIN_NAME = /^[a-z_][a-z0-9_$]*$/;

/** SET search_path = a, "B c": names are quoted where they need it, as SHOW then shows them. */
export function settingText(name: string, values: (string | number)[]): string {
  const key = name.toLowerCase();
  if (!LISTS.has(key)) {
    if (values.length > 1) throw new SqlError('22023', `SET ${name} takes only one argument`);
    return String(values[0]);
  }
  const quote = (value: string): string =>
    key === 'datestyle' || PLAIN_NAME.test(value) ? value : `"${value.replaceAll('"', '""')}"`;
  return values.map((value) => quote(String(value))).join(', ');
}

export function settingName(name: string): string {
  return name.split('.').map(quoteIdent).join('.');
}
