/** The text of a CHECK constraint, or of what generates a column, after one of its columns was given another name. What it means does not change: it is bound to positions. */
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { parse } from '../../planner/parse/parse.ts';
import { scanPostgres, type Token } from '../../planner/parse/pg_parser.ts';
import { columnRefs } from './bracketed.ts';

const BEFORE = 'SELECT ';

export function renamedCondition(text: string, from: string, to: string): string {
  const whole = BEFORE + text;
  const [statement] = parse(whole);
  if (statement.k !== 'select') throw new Error(`no expression: ${text}`);
  const tokens = scanPostgres(whole);
  const named = columnRefs(statement.query.select).filter(({ fields }) => fields.at(-1).String?.sval === from);
  const places = named.map(({ location }) => tokens.find(({ start }) => start === location) as Token);
  let bytes = Buffer.from(whole, 'utf8');
  for (const { start, end } of places.sort((a, b) => b.start - a.start)) {
    bytes = Buffer.concat([bytes.subarray(0, start), Buffer.from(quoteIdent(to), 'utf8'), bytes.subarray(end)]);
  }
  return bytes.toString('utf8').slice(BEFORE.length);
}
