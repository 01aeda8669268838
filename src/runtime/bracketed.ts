/** The text of an expression that a constraint has in brackets: what is shown of it, and bound again when a column gets another type. */
import type { PgNode } from '../../planner/parse/ast.ts';
import { scanPostgres, type Token } from '../../planner/parse/pg_parser.ts';
import type { Written } from '../catalog/objects.ts';

/** What stands in the brackets behind the first such word from `location` on, without brackets around all of it. */
export function written(node: PgNode, text: string, location: number, word: string): Written {
  const tokens = scanPostgres(text);
  let first = tokens.findIndex((token) => token.start >= location && token.text.toLowerCase() === word) + 1;
  let last = closing(tokens, first);
  while (tokens[first + 1].text === '(' && closing(tokens, first + 1) === last - 1) {
    first++;
    last--;
  }
  return {
    text: unqualified(node, text, tokens, tokens[first + 1].start, tokens[last - 1].end),
    compound: ['A_Expr', 'BoolExpr', 'NullTest', 'BooleanTest'].some((kind) => node[kind] !== undefined),
  };
}

/** A piece of the text, in bytes, in which columns have their own names alone: the table may get another. */
function unqualified(node: PgNode, text: string, tokens: Token[], from: number, to: number): string {
  const bytes = Buffer.from(text, 'utf8');
  const pieces: Buffer[] = [];
  let at = from;
  const columns = columnRefs(node).filter(({ fields }) => fields.at(-1).String !== undefined);
  for (const { fields, location } of columns.sort((a, b) => a.location - b.location)) {
    const first = tokens.findIndex(({ start }) => start === location);
    // t.a is three tokens.
    pieces.push(bytes.subarray(at, location));
    at = tokens[first + 2 * (fields.length - 1)].start;
  }
  return Buffer.concat([...pieces, bytes.subarray(at, to)]).toString('utf8');
}

/** The bracket that closes the one at `open`. */
function closing(tokens: { text: string }[], open: number): number {
  let depth = 0;
  for (let i = open; ; i++) {
    if (tokens[i].text === '(') depth++;
    else if (tokens[i].text === ')' && --depth === 0) return i;
  }
}

/** The nodes in a tree that name columns. */
export function columnRefs(root: PgNode): PgNode[] {
  const found: PgNode[] = [];
  const left: PgNode[] = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.ColumnRef !== undefined) found.push(node.ColumnRef);
    for (const child of Object.values(node)) if (typeof child === 'object' && child !== null) left.push(child);
  }
  return found;
}
