/** The text of an expression that a constraint has in brackets: what is shown of it. */
import type { PgNode } from '../../planner/parse/ast.ts';
import { scanPostgres } from '../../planner/parse/pg_parser.ts';
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
  const bytes = Buffer.from(text, 'utf8');
  return {
    text: bytes.subarray(tokens[first + 1].start, tokens[last - 1].end).toString('utf8'),
    compound: ['A_Expr', 'BoolExpr', 'NullTest', 'BooleanTest'].some((kind) => node[kind] !== undefined),
  };
}

/** The bracket that closes the one at `open`. */
function closing(tokens: { text: string }[], open: number): number {
  let depth = 0;
  for (let i = open; ; i++) {
    if (tokens[i].text === '(') depth++;
    else if (tokens[i].text === ')' && --depth === 0) return i;
  }
}
