/**
 * Parsed statements by their text, for the whole process: clients send the same few texts again and again, and a syntax tree
 * depends on nothing else. Least recently used first out, bounded by count and by length of text.
 */
import type { Statement } from '../../../planner/parse/ast.ts';
import { parse } from '../../../planner/parse/parse.ts';

const MAX_ENTRIES = 1000;
const MAX_TEXT = 4096;
const cache = new Map<string, Statement[]>();

/** As parse(); the result is shared and must not be changed. */
export function parseCached(text: string): Statement[] {
  if (text.length > MAX_TEXT) return parse(text);
  let statements = cache.get(text);
  if (statements !== undefined) {
    cache.delete(text);
    cache.set(text, statements);
    return statements;
  }
  statements = parse(text);
  cache.set(text, statements);
  if (cache.size > MAX_ENTRIES) cache.delete(cache.keys().next().value as string);
  return statements;
}
