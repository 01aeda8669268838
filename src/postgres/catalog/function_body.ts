/** The body of a function as it is shown: as it was written, and in a body of the standard with schemas before the names that a search path does not find. */
import { quoteIdent } from '../../../operators/expr/text/quote.ts';
import type { PgNode } from '../../../planner/parse/ast.ts';
import { scanPostgres } from '../../../planner/parse/pg_parser.ts';
import { walkTree } from '../../../planner/parse/walk_tree.ts';
import type { FunctionObject } from '../../catalog/objects.ts';
import { edited, insertion, tokenAt } from '../../runtime/text_edits.ts';

export function bodyText({ standard, source, proc }: FunctionObject, path: string[]): string {
  if (!standard) return source;
  const { select, text } = proc.made!.body!;
  const tokens = scanPostgres(text);
  const start = Buffer.byteLength(text.slice(0, text.lastIndexOf(source)), 'utf8');
  // The tree has all schemas, the text those that were written.
  const edits = placesIn(select).flatMap(({ location, schema }) => {
    const at = tokenAt(tokens, location);
    if (at < 0 || tokens[at + 1]?.text === '.' || path.includes(schema)) return [];
    return [insertion(location - start, `${quoteIdent(schema)}.`)];
  });
  return edited(source, edits);
}

function placesIn(root: PgNode): { location: number; schema: string }[] {
  const places: { location: number; schema: string }[] = [];
  walkTree(root, ({ RangeVar: relation, FuncCall: call, ...node }) => {
    if (relation?.schemaname !== undefined) places.push({ location: relation.location, schema: relation.schemaname });
    if (call?.funcname?.length === 2) places.push({ location: call.location, schema: call.funcname[0].String.sval });
    if ('typemod' in node && node.names?.length === 2 && node.location >= 0)
      places.push({ location: node.location, schema: node.names[0].String.sval });
  });
  return places.filter(({ schema }) => schema !== 'pg_catalog');
}
