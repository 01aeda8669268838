/**
 * A column default as PostgreSQL shows it: the text of the expression, with what its parser would add to the common forms.
 *
 *   DEFAULT 'x'  (varchar)  'x'::character varying        DEFAULT -1 (integer)  '-1'::integer
 *   DEFAULT 5+1             (5+1)                          DEFAULT current_date  CURRENT_DATE
 *   serial, nextval('s')    nextval('s'::regclass), with the name that the sequence has now
 *
 * The expression's source is its tokens from the leftmost one to the comma, bracket or column constraint that ends it.
 */
import { type ColType, declaredOid, OID } from '../../../operators/types.ts';
import type { PgNode } from '../../../planner/parse/ast.ts';
import { scanPostgres, type Token } from '../../../planner/parse/pg_parser.ts';
import { formatType } from '../../../planner/types/type_name.ts';
import type { ColumnDefault } from '../../catalog/objects.ts';
import type { CatalogFacts } from './facts.ts';
import { shownName } from './functions/names.ts';

/** Words that begin the next column constraint. */
const ENDS = new Set([
  'not',
  'null',
  'primary',
  'unique',
  'check',
  'references',
  'constraint',
  'generated',
  'default',
  'collate',
  'deferrable',
]);

/** The leftmost position in the node, in bytes. */
function startOf(node: PgNode): number {
  let start = Number.POSITIVE_INFINITY;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'location' && typeof value === 'number' && value >= 0) start = Math.min(start, value);
    else if (typeof value === 'object' && value !== null) start = Math.min(start, startOf(value as PgNode));
  }
  // libpg-query leaves out a location of 0, but no default stands there.
  return start;
}

function endOf(tokens: Token[], first: number): number {
  let depth = 0;
  let at = first;
  for (; at < tokens.length; at++) {
    const word = tokens[at].text.toLowerCase();
    if (depth === 0 && at > first && (word === ',' || word === ')' || word === ';' || ENDS.has(word))) break;
    if (word === '(' || word === '[' || word === 'case') depth++;
    else if (word === ')' || word === ']' || word === 'end') depth--;
  }
  return tokens[at - 1].end;
}

function sourceText({ node, text }: ColumnDefault): string {
  const start = startOf(node);
  const tokens = scanPostgres(text);
  const first = tokens.findIndex((t) => t.start >= start);
  if (first < 0) return '';
  return Buffer.from(text, 'utf8').subarray(tokens[first].start, endOf(tokens, first)).toString('utf8');
}

const INT4_MAX = 2147483648n;

/** A negative number keeps its sign only inside of quotes. */
function negativeNumber(text: string): string {
  const digits = text.replace(/\s/g, '');
  const whole = /^-\d+$/.test(digits);
  const type = !whole ? OID.numeric : -BigInt(digits) > INT4_MAX ? OID.int8 : OID.int4;
  return `'${digits}'::${formatType(type)}`;
}

/** The sequence whose next value a default is; null for other defaults. */
function sequenceOf({ node, sequences }: ColumnDefault): number | null {
  const call = node.FuncCall;
  return call?.funcname.at(-1).String.sval === 'nextval' && sequences.length === 1 ? sequences[0] : null;
}

/** The default as SQL. `path`: the search path that finds a sequence which has no schema before its name. */
export function defaultText(value: ColumnDefault, type: ColType, facts: CatalogFacts, path: string[]): string {
  const { node } = value;
  const sequence = facts.relation(sequenceOf(value) ?? 0);
  if (sequence !== undefined) return `nextval('${shownName(facts, sequence, path)}'::regclass)`;
  const text = sourceText(value);
  if (/^-\s*[\d.]+$/.test(text)) return negativeNumber(text);
  if (node.A_Const?.sval !== undefined) return `${text}::${formatType(declaredOid(type), -1, path)}`;
  if (node.SQLValueFunction !== undefined) return text.toUpperCase();
  if (node.A_Const?.boolval !== undefined) return text.toLowerCase();
  return node.A_Expr !== undefined || node.BoolExpr !== undefined ? `(${text})` : text;
}
