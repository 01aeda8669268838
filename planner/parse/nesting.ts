/**
 * How deep can the tree of a text be? An upper bound from one pass over its characters, so that a statement which would overflow a
 * stack is refused before any recursive code sees it.
 *
 *   bound at a word = words since the last separator at this level + set operations and joins at this level + bounds of open levels
 *
 * Levels open at ( [ CASE and close at ) ] END. A comma, AND, OR, WHEN, THEN, ELSE separate flat siblings, UNION or JOIN start a sibling
 * but make the chain one longer, a semicolon ends everything. Words inside strings, quoted names and comments do not count.
 * Long flat statements (an INSERT of 100000 rows, an IN list, a CASE of 500 arms) keep a small bound.
 */

/** Words and symbols in a text, beyond which the parser's memory would grow past a gigabyte. Strings count as one. */
export const MAX_TOKENS = 2_000_000;

/** Depth that every part of the planner must be able to walk recursively. PostgreSQL's own default limit is of the same order. */
export const MAX_NESTING = 2000;

const SEPARATOR = new Set(['and', 'or', 'when', 'then', 'else']);
const CHAIN = new Set(['union', 'except', 'intersect', 'join']);

interface Level {
  closer: ')' | ']' | 'end';
  base: number;
  run: number;
  chain: number;
}

const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const NUMBER = /[0-9][0-9A-Za-z_.]*/y;
const OPERATOR = /[-+*/<>=~!@#%^&|`?:.]/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found === null ? null : found[0];
}

/** Position after a quoted piece that starts at `at`; `escapes`: backslash escapes count (E'...'). */
function skipQuoted(text: string, at: number, quote: string, escapes: boolean): number {
  for (let i = at + 1; i < text.length; i++) {
    if (escapes && text[i] === '\\') i++;
    else if (text[i] === quote) {
      // A doubled quote stands for itself; the second one opens what looks like the next piece.
      return i + 1;
    }
  }
  return text.length;
}

/** Position after a block comment that starts at `at`; they nest. */
function skipBlockComment(text: string, at: number): number {
  let open = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === '/' && text[i + 1] === '*') {
      open++;
      i++;
    } else if (text[i] === '*' && text[i + 1] === '/') {
      i++;
      if (--open === 0) return i + 1;
    }
  }
  return text.length;
}

/** Position after the comment, string, quoted name or dollar quote that starts at `at`; `at` itself when none does. */
function skipOpaque(text: string, at: number, previous: string): number {
  const c = text[at];
  if (c === "'") return skipQuoted(text, at, c, previous === 'e');
  if (c === '"') return skipQuoted(text, at, c, false);
  if (c === '-' && text[at + 1] === '-') {
    const end = text.indexOf('\n', at);
    return end < 0 ? text.length : end;
  }
  if (c === '/' && text[at + 1] === '*') return skipBlockComment(text, at);
  if (c === '$') {
    const tag = match(DOLLAR_TAG, text, at);
    if (tag !== null) {
      const end = text.indexOf(tag, at + tag.length);
      return end < 0 ? text.length : end + tag.length;
    }
  }
  return at;
}

/** An upper bound of the depth of the text's syntax tree, and its number of tokens; stops once `limit` is passed. */
export function measureText(text: string, limit = MAX_NESTING): { depth: number; tokens: number } {
  const open: Level[] = [];
  let base = 0;
  let run = 0;
  let chain = 0;
  let worst = 0;
  let tokens = 0;
  // The word that touches what follows: E in E'...'.
  let touching = '';

  const push = (closer: Level['closer']): void => {
    open.push({ closer, base, run, chain });
    base += run + chain + 1;
    run = 0;
    chain = 0;
  };
  const pop = (): void => {
    const level = open.pop()!;
    ({ base, chain } = level);
    run = level.run + 1;
  };

  for (let i = 0; i < text.length && worst <= limit; ) {
    const after = skipOpaque(text, i, touching);
    if (text[i] > ' ') tokens++;
    touching = '';
    if (after > i) {
      if (text[i] === "'" || text[i] === '"' || text[i] === '$') run++;
      i = after;
    } else {
      const word = match(WORD, text, i);
      if (word !== null) {
        const lower = word.toLowerCase();
        touching = lower;
        i += word.length;
        if (lower === 'case') push('end');
        else if (lower === 'end' && open.at(-1)?.closer === 'end') pop();
        else if (SEPARATOR.has(lower)) run = 0;
        else if (CHAIN.has(lower)) {
          chain++;
          run = 0;
        } else run++;
      } else {
        const c = text[i];
        const token = match(NUMBER, text, i) ?? match(OPERATOR, text, i);
        i += token === null ? 1 : token.length;
        if (token !== null) run++;
        else if (c === '(') push(')');
        else if (c === '[') push(']');
        else if (c === ')' || c === ']') {
          while (open.at(-1)?.closer === 'end') pop();
          if (open.length > 0) pop();
        } else if (c === ',') run = 0;
        else if (c === ';') {
          open.length = 0;
          base = run = chain = 0;
        }
      }
    }
    worst = Math.max(worst, base + run + chain);
  }
  return { depth: worst, tokens };
}
