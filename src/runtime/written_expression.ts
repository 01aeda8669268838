/** The text of a CHECK constraint, or of what generates a column: what is shown of it, and bound again when a column gets another type. It names columns alone. */
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import type { PgNode } from '../../planner/parse/ast.ts';
import { parse } from '../../planner/parse/parse.ts';
import { scanPostgres, type Token } from '../../planner/parse/pg_parser.ts';
import { walkTree } from '../../planner/parse/walk_tree.ts';
import type { Written } from '../catalog/objects.ts';
import { closingBracket, edited, tokenAt } from './text_edits.ts';

/** What stands in the brackets behind the first such word from `location` on, without brackets around all of it. */
export function written(node: PgNode, text: string, location: number, word: string): Written {
  const tokens = scanPostgres(text);
  const first = tokens.findIndex((token) => token.start >= location && token.text.toLowerCase() === word) + 1;
  return writtenBetween(node, text, tokens, first, closingBracket(tokens, first + 1));
}

/** What these tokens are, without brackets around all of it. */
export function writtenBetween(node: PgNode, text: string, tokens: Token[], first: number, last: number): Written {
  while (tokens[first].text === '(' && closingBracket(tokens, first + 1) === last) {
    first++;
    last--;
  }
  return {
    text: unqualified(node, text, tokens, tokens[first].start, tokens[last].end),
    compound: ['A_Expr', 'BoolExpr', 'NullTest', 'BooleanTest'].some((kind) => node[kind] !== undefined),
  };
}

/** A piece of the text, in bytes, in which columns have their own names alone: the table may get another. */
function unqualified(node: PgNode, text: string, tokens: Token[], from: number, to: number): string {
  const columns = columnRefs(node).filter(({ fields }) => fields.at(-1).String !== undefined);
  const edits = columns.map(({ fields, location }) => {
    // t.a is three tokens.
    const own = tokens[tokenAt(tokens, location) + 2 * (fields.length - 1)].start;
    return { from: location - from, to: own - from, text: '' };
  });
  return edited(Buffer.from(text, 'utf8').subarray(from, to).toString('utf8'), edits);
}

const BEFORE = 'SELECT ';

/** The expression's syntax, whose places are those in `whole`. */
export function parsed({ text }: Written): { node: PgNode; whole: string } {
  const whole = BEFORE + text;
  const [statement] = parse(whole);
  if (statement.k !== 'select') throw new Error(`no expression: ${text}`);
  return { node: statement.query.select.targetList[0].ResTarget.val, whole };
}

/** With another name for a column. What it means does not change: it is bound to positions. */
export function withRenamed<T extends Written>(kept: T, from: string, to: string): T {
  const { node, whole } = parsed(kept);
  const tokens = scanPostgres(whole);
  const named = columnRefs(node).filter(({ fields }) => fields.at(-1).String?.sval === from);
  const edits = named.map(({ location }) => {
    const { start, end } = tokens[tokenAt(tokens, location)];
    return { from: start, to: end, text: quoteIdent(to) };
  });
  return { ...kept, text: edited(whole, edits).slice(BEFORE.length) };
}

/** With another name for the table, where the whole row is meant. `hides`: a column has the old name. */
export function withRenamedRow<T extends Written>(kept: T, from: string, to: string, hides: boolean): T {
  const { node, whole } = parsed(kept);
  const tokens = scanPostgres(whole);
  // ROW(t.*) would be the columns.
  const items = new Set<PgNode>();
  walkTree(node, ({ RowExpr: row }) => {
    for (const item of row?.args ?? []) items.add(item.ColumnRef);
  });
  const edits = columnRefs(node).flatMap((column) => {
    const [first, ...rest] = column.fields;
    if (first.String?.sval !== from || (rest.length === 0 && hides)) return [];
    const { start, end } = tokens[tokenAt(tokens, column.location)];
    const all = rest.length > 0 || items.has(column) ? '' : '.*';
    return [{ from: start, to: end, text: quoteIdent(to) + all }];
  });
  return edits.length === 0 ? kept : { ...kept, text: edited(whole, edits).slice(BEFORE.length) };
}

/** What names a column in an expression. */
export function columnRefs(root: PgNode): PgNode[] {
  const found: PgNode[] = [];
  walkTree(root, ({ ColumnRef: column }) => {
    if (column !== undefined) found.push(column);
  });
  return found;
}
