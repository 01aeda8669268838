/** CREATE FUNCTION of external functions, those in JavaScript: what one may take and give, and whether its body can be read. What it does when it is called: src/javascript. */
import { SqlError } from '../../operators/errors.ts';
import { type ColType, OID } from '../../operators/types.ts';
import { externalFunction } from '../../planner/bind/index.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import type { PgProc } from '../../planner/types/catalog.ts';
import { formatType, typeOfOid } from '../../planner/types/type_name.ts';
import { checkBody } from '../javascript/functions.ts';
import { isPassed } from '../javascript/values.ts';

type CreateFunction = Extract<Statement, { k: 'create_function' }>;

export type MadeLanguage = 'sql' | 'javascript';

/** Text of the body; 42P13 where there is none, or one that only SQL has. */
export function sourceOf({ body }: CreateFunction): string {
  if (body === null) throw new SqlError('42P13', 'no function body specified');
  if ('source' in body) return body.source;
  throw new SqlError('42P13', 'inline SQL function body only valid for language SQL');
}

/** Throws 0A000 for what cannot be passed, 42601 with its place for a body that cannot be read. `reads`: the body is read, too. */
export function checkExternal(proc: PgProc, statement: CreateFunction, reads: boolean): void {
  const { args, result, retset, allArgs, argModes, argNames, made } = proc;
  const columns = (allArgs ?? []).flatMap((oid, i): { name: string; type: ColType }[] =>
    'obt'.includes(argModes![i]) ? [{ name: argNames?.[i] || `column${i + 1}`, type: typeOfOid(oid) }] : [],
  );
  const refused = (what: string, hint?: string) =>
    new SqlError('0A000', `functions in JavaScript that ${what} are not supported`, { hint });
  if (made!.rowOf !== 0) throw refused('return rows of a table', 'Use RETURNS TABLE (...).');
  if (!retset && columns.length > 1) throw refused('return a row', 'Use RETURNS TABLE (...), or return json.');
  const isTable = result === OID.record;
  for (const oid of [...args, ...(isTable ? columns.map(({ type }) => type.domain ?? type.oid) : [result])]) {
    const type = typeOfOid(oid);
    if (!isPassed(type.oid))
      throw refused(
        `take or return values of type ${formatType(oid)}`,
        'Cast it to text where the function is called.',
      );
    if (retset && type.domain !== undefined && !args.includes(oid)) throw refused('return sets of a domain');
  }
  if (!reads) return;
  const wrong = checkBody(externalFunction(proc, columns.length > 1 ? columns : null));
  if (wrong === null) return;
  throw new SqlError('42601', `syntax error in JavaScript: ${wrong.message}`, {
    position: placeOf(statement, wrong.at),
  });
}

/** Of a place in the body, where that stands in the statement as it is. */
function placeOf({ body, text }: CreateFunction, at: number | null): number | undefined {
  if (at === null || body === null || !('source' in body)) return undefined;
  const start = text.indexOf(body.source);
  return start < 0 ? undefined : [...text.slice(0, start + at)].length + 1;
}
