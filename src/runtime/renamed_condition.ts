/** The text of a CHECK constraint, or of what generates a column, after one of its columns was given another name. What it means does not change: it is bound to positions. */
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import type { PgNode } from '../../planner/parse/ast.ts';
import { parse } from '../../planner/parse/parse.ts';
import { scanPostgres } from '../../planner/parse/pg_parser.ts';

const BEFORE = 'SELECT ';

export function renamedCondition(text: string, from: string, to: string): string {
  const whole = BEFORE + text;
  const [statement] = parse(whole);
  if (statement.k !== 'select') throw new Error(`no expression: ${text}`);
  const tokens = scanPostgres(whole);
  const places = references(statement.query.select, from).map(({ fields, location }) => {
    const first = tokens.findIndex(({ start }) => start === location);
    // t.a is three tokens.
    return tokens[first + 2 * (fields.length - 1)];
  });
  let bytes = Buffer.from(whole, 'utf8');
  for (const { start, end } of places.sort((a, b) => b.start - a.start)) {
    bytes = Buffer.concat([bytes.subarray(0, start), Buffer.from(quoteIdent(to), 'utf8'), bytes.subarray(end)]);
  }
  return bytes.toString('utf8').slice(BEFORE.length);
}

/** The nodes that name a column, also as t.column. */
function references(root: PgNode, column: string): PgNode[] {
  const found: PgNode[] = [];
  const left: PgNode[] = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.ColumnRef?.fields.at(-1).String?.sval === column) found.push(node.ColumnRef);
    for (const child of Object.values(node)) if (typeof child === 'object' && child !== null) left.push(child);
  }
  return found;
}
