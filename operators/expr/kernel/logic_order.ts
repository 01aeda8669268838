/**
 * The order in which a kernel looks at the arguments of AND and OR: cheap ones first, so that a comparison often spares a regular expression.
 *
 * SQL leaves the order open, but a row that fails must fail here as it does in the interpreter, which goes from left to right: only where no argument
 * can raise an error is anything moved. q21's filter (a regular expression OR lower(channel) IN (...)) searches half of the texts so.
 */
import { isPgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import type { Expr } from '../ir.ts';
import { compileRegex, defaultOptions } from '../regex/regex.ts';

/** Functions that have a value for all values of their arguments. */
const TOTAL =
  /^(text(eq|ne)|text_(lt|le|gt|ge)|starts_with|lower|upper|length|char_length|strpos|[blr]trim|(int[248]+|float8|numeric_|date_|timestamp_|timestamptz_|bool)(eq|ne|lt|le|gt|ge))\(/;
/** These are total where the pattern is a constant without an error. */
const REGEX = /^(regexp_match|text(ic)?regex(eq|ne)|substring)\(text,text\)/;

const REGEX_COST = 100;
const TEXT_COST = 4;
const MOST_ARGUMENTS = 100;

/** About how many comparisons of numbers the expression costs; null when it may raise an error. */
function cost(e: Expr): number | null {
  switch (e.k) {
    case 'col':
    case 'const':
      return 0;
    case 'call': {
      if (!e.strict) return null;
      const args = costOfAll(e.args);
      if (args === null) return null;
      if (REGEX.test(e.fn)) return isPattern(e.args[1]) ? args + REGEX_COST : null;
      if (!TOTAL.test(e.fn)) return null;
      return args + (e.fn.includes('text') ? TEXT_COST : 1);
    }
    case 'and':
    case 'or':
    case 'coalesce':
      return costOfAll(e.args);
    case 'not':
    case 'isnull':
    case 'istruth':
      return cost(e.arg);
    case 'subscript': {
      const indexes = e.indexes.every(({ lower, slice }) => !slice && lower !== null && lower.k === 'const');
      return indexes ? cost(e.arg) : null;
    }
    case 'anyall':
      if (e.right.k !== 'const' || e.right.v === null || !isPgArray(e.right.v) || !TOTAL.test(e.fn)) return null;
      return times(cost(e.left), e.right.v.items.length);
    default:
      return null;
  }
}

function isPattern(e: Expr): boolean {
  if (e.k !== 'const' || typeof e.v !== 'string') return false;
  try {
    compileRegex(e.v, defaultOptions(false));
    return true;
  } catch (error) {
    if (error instanceof SqlError) return false;
    throw error;
  }
}

const times = (left: number | null, items: number): number | null => (left === null ? null : left + items);

function costOfAll(args: Expr[]): number | null {
  let sum = 0;
  for (const arg of args) {
    const one = cost(arg);
    if (one === null) return null;
    sum += one;
  }
  return sum;
}

/** The arguments of AND or OR as a kernel looks at them: cheap ones first, but as they are when one may raise an error; thousands of them in groups. */
export function inOrder(k: 'and' | 'or', args: Expr[]): Expr[] {
  const costs = new Map(args.map((arg) => [arg, cost(arg)]));
  if ([...costs.values()].includes(null)) return inGroups(k, args);
  return inGroups(
    k,
    [...args].sort((a, b) => (costs.get(a) ?? 0) - (costs.get(b) ?? 0)),
  );
}

/** A kernel has a block within a block for each argument, which the compilers of its code go through by recursion. */
function inGroups(k: 'and' | 'or', args: Expr[]): Expr[] {
  if (args.length <= MOST_ARGUMENTS) return args;
  const size = Math.ceil(Math.sqrt(args.length));
  const groups: Expr[] = [];
  for (let from = 0; from < args.length; from += size) {
    groups.push({ k, args: args.slice(from, from + size), t: args[0].t });
  }
  return groups;
}
