/** Statements' texts with pieces of them replaced. Places are in bytes, as the parser gives them. */
import type { Token } from '../../planner/parse/pg_parser.ts';

export interface Edit {
  /** Bytes of the text that are replaced. */
  from: number;
  to: number;
  text: string;
}

export function insertion(at: number, text: string): Edit {
  return { from: at, to: at, text };
}

/** The text with edits that do not overlap. */
export function edited(text: string, edits: Edit[]): string {
  let bytes = Buffer.from(text, 'utf8');
  for (const { from, to, text } of edits.toSorted((a, b) => b.from - a.from))
    bytes = Buffer.concat([bytes.subarray(0, from), Buffer.from(text, 'utf8'), bytes.subarray(to)]);
  return bytes.toString('utf8');
}

/** Index of the bracket that closes what the token stands in. */
export function closingBracket(tokens: Token[], at: number): number {
  for (let i = at, depth = 0; i < tokens.length; i++) {
    if (tokens[i].text === '(') depth++;
    if (tokens[i].text === ')' && depth-- === 0) return i;
  }
  throw new Error('a bracket without an end');
}

/** Index of the token at a place. */
export function tokenAt(tokens: Token[], place: number): number {
  return tokens.findIndex(({ start }) => start === place);
}
