/**
 * Test helper: random expressions over a row (int4 a, int4 b, bool p, bool q, int4[] xs), as IR and as SQL text.
 *
 * Constants are columns in the SQL (see CONSTANT_COLUMNS): PostgreSQL computes constant subexpressions when it plans, and then an
 * error appears, or vanishes, in places that evaluation would never reach.
 */
import type { Random } from '../../testing/property.ts';
import { type ColType, colType, OID } from '../../types.ts';
import type { Expr } from '../ir.ts';

export interface Twin {
  e: Expr;
  sql: string;
}

const INT = colType(OID.int4);
const BOOL = colType(OID.bool);
const INTS = colType(OID._int4);

const ROW_NAMES = ['a', 'b', 'p', 'q', 'xs'];

/** SQL definitions and values of the columns that stand for constants. */
export const CONSTANT_COLUMNS = {
  k_null: ['int4', 'NULL'],
  k_0: ['int4', '0'],
  k_1: ['int4', '1'],
  k_2: ['int4', '2'],
  k_7: ['int4', '7'],
  k_minus: ['int4', '-1'],
  k_true: ['bool', 'true'],
  k_false: ['bool', 'false'],
  k_unknown: ['bool', 'NULL'],
} as const;

function call(fn: string, args: Twin[], t: ColType, sql: string): Twin {
  return { e: { k: 'call', fn, args: args.map((a) => a.e), t, strict: true }, sql };
}

const ARITHMETIC = { '+': 'int4pl', '-': 'int4mi', '*': 'int4mul', '/': 'int4div', '%': 'int4mod' } as const;
const COMPARISONS = {
  '=': 'int4eq',
  '<>': 'int4ne',
  '<': 'int4lt',
  '<=': 'int4le',
  '>': 'int4gt',
  '>=': 'int4ge',
} as const;

/** A random int4 expression of at most `depth` levels. */
export function randomInt(r: Random, depth: number): Twin {
  if (depth <= 0) {
    const id = r.below(2);
    if (r.below(3) > 0) return { e: { k: 'col', id, t: INT }, sql: ROW_NAMES[id] };
    const v = r.pick([null, 0, 1, 2, -1, 7]);
    return { e: { k: 'const', v, t: INT }, sql: v === null ? 'k_null' : v < 0 ? 'k_minus' : `k_${v}` };
  }
  const int = () => randomInt(r, depth - 1);
  switch (r.below(8)) {
    case 0:
      return randomCase(r, depth, int, INT);
    case 7:
      return randomSlice(r, int);
    case 1: {
      const args = [int(), int(), int()];
      return { e: { k: 'coalesce', args: args.map((a) => a.e), t: INT }, sql: `coalesce(${sqlOf(args)})` };
    }
    case 2: {
      const [l, w] = [int(), int()];
      return {
        e: { k: 'nullif', eq: 'int4eq(int4,int4)', left: l.e, right: w.e, t: INT },
        sql: `nullif(${l.sql}, ${w.sql})`,
      };
    }
    case 3: {
      const args = [int(), int(), int()];
      const greatest = r.below(2) === 0;
      const e: Expr = { k: 'extreme', greatest, lt: 'int4lt(int4,int4)', args: args.map((a) => a.e), t: INT };
      return { e, sql: `${greatest ? 'greatest' : 'least'}(${sqlOf(args)})` };
    }
    case 4: {
      const i = int();
      const arg: Expr = { k: 'col', id: 4, t: INTS };
      const e: Expr = { k: 'subscript', arg, indexes: [{ lower: i.e, upper: null, slice: false }], t: INT };
      return { e, sql: `xs[${i.sql}]` };
    }
    default: {
      const op = r.pick(Object.keys(ARITHMETIC) as (keyof typeof ARITHMETIC)[]);
      const args = [int(), int()];
      return call(`${ARITHMETIC[op]}(int4,int4)`, args, INT, `(${args[0].sql} ${op} ${args[1].sql})`);
    }
  }
}

function sqlOf(args: Twin[]): string {
  return args.map((a) => a.sql).join(', ');
}

function randomCase(r: Random, depth: number, arm: () => Twin, t: ColType): Twin {
  const whens = Array.from({ length: 1 + r.below(2) }, () => ({ when: randomBool(r, depth - 1), then: arm() }));
  const last = r.below(3) === 0 ? null : arm();
  const arms = whens.map((w) => `WHEN ${w.when.sql} THEN ${w.then.sql}`).join(' ');
  return {
    e: { k: 'case', whens: whens.map((w) => ({ when: w.when.e, then: w.then.e })), else: last?.e ?? null, t },
    sql: `CASE ${arms}${last ? ` ELSE ${last.sql}` : ''} END`,
  };
}

/** One element of a slice, also of two-dimensional arrays: (array[l:u][l:u])[i][j]. */
function randomSlice(r: Random, int: () => Twin): Twin {
  const columns = Array.from({ length: 2 }, int);
  const rows = Array.from({ length: 1 + r.below(2) }, () => columns);
  const flat = (items: Twin[]): Expr => ({ k: 'array', items: items.map((i) => i.e), t: INTS });
  const arrays: [Expr, string, number][] = [
    [{ k: 'col', id: 4, t: INTS }, 'xs', 1],
    [{ k: 'array', items: rows.map(flat), t: INTS }, `ARRAY[${rows.map((c) => `ARRAY[${sqlOf(c)}]`).join()}]`, 2],
  ];
  const [arg, argSql, dims] = r.pick(arrays);
  const bound = (): Twin | null => (r.below(3) === 0 ? null : int());
  const slices = Array.from({ length: r.below(4) === 0 ? 1 : dims }, () => {
    const slice = r.below(4) > 0;
    return slice ? { lower: bound(), upper: bound(), slice } : { lower: int(), upper: null, slice };
  });
  if (!slices.some((s) => s.slice)) slices[0] = { lower: bound(), upper: bound(), slice: true };
  const sliceSql = slices.map((s) => (s.slice ? `[${s.lower?.sql ?? ''}:${s.upper?.sql ?? ''}]` : `[${s.lower!.sql}]`));
  const indexes = slices.map((s) => ({ lower: s.lower?.e ?? null, upper: s.upper?.e ?? null, slice: s.slice }));
  const at = Array.from({ length: dims }, int);
  const sliced: Expr = { k: 'subscript', arg, indexes, t: INTS };
  const element = at.map((i) => ({ lower: i.e, upper: null, slice: false }));
  return {
    e: { k: 'subscript', arg: sliced, indexes: element, t: INT },
    sql: `((${argSql})${sliceSql.join('')})${at.map((i) => `[${i.sql}]`).join('')}`,
  };
}

/** A random boolean expression of at most `depth` levels. */
export function randomBool(r: Random, depth: number): Twin {
  if (depth <= 0) {
    const id = 2 + r.below(2);
    if (r.below(4) > 0) return { e: { k: 'col', id, t: BOOL }, sql: ROW_NAMES[id] };
    const v = r.pick([null, true, false]);
    return { e: { k: 'const', v, t: BOOL }, sql: v === null ? 'k_unknown' : `k_${v}` };
  }
  const bool = () => randomBool(r, depth - 1);
  const int = () => randomInt(r, depth - 1);
  switch (r.below(9)) {
    case 0:
    case 1: {
      const k = r.pick(['and', 'or'] as const);
      const args = Array.from({ length: 2 + r.below(2) }, bool);
      return { e: { k, args: args.map((a) => a.e), t: BOOL }, sql: `(${args.map((a) => a.sql).join(` ${k} `)})` };
    }
    case 2: {
      const arg = bool();
      return { e: { k: 'not', arg: arg.e, t: BOOL }, sql: `(NOT ${arg.sql})` };
    }
    case 3: {
      const arg = int();
      const negated = r.below(2) === 0;
      return { e: { k: 'isnull', arg: arg.e, negated, t: BOOL }, sql: `(${arg.sql} IS ${negated ? 'NOT ' : ''}NULL)` };
    }
    case 4: {
      const arg = bool();
      const [value, negated] = [r.below(2) === 0, r.below(2) === 0];
      const sql = `(${arg.sql} IS ${negated ? 'NOT ' : ''}${value ? 'TRUE' : 'FALSE'})`;
      return { e: { k: 'istruth', arg: arg.e, value, negated, t: BOOL }, sql };
    }
    case 5: {
      const [l, w, negated] = [int(), int(), r.below(2) === 0];
      const e: Expr = { k: 'distinct', eq: 'int4eq(int4,int4)', left: l.e, right: w.e, negated, t: BOOL };
      return { e, sql: `(${l.sql} IS ${negated ? 'NOT ' : ''}DISTINCT FROM ${w.sql})` };
    }
    case 6:
      return randomAnyAll(r, int);
    case 7:
      return randomCase(r, depth, bool, BOOL);
    default: {
      const op = r.pick(Object.keys(COMPARISONS) as (keyof typeof COMPARISONS)[]);
      const args = [int(), int()];
      return call(`${COMPARISONS[op]}(int4,int4)`, args, BOOL, `(${args[0].sql} ${op} ${args[1].sql})`);
    }
  }
}

function randomAnyAll(r: Random, int: () => Twin): Twin {
  const op = r.pick(Object.keys(COMPARISONS) as (keyof typeof COMPARISONS)[]);
  const all = r.below(2) === 0;
  const left = int();
  const items = Array.from({ length: r.below(4) }, int);
  const useColumn = r.below(2) === 0;
  const right: Expr = useColumn ? { k: 'col', id: 4, t: INTS } : { k: 'array', items: items.map((i) => i.e), t: INTS };
  const rightSql = useColumn ? 'xs' : `ARRAY[${sqlOf(items)}]::int4[]`;
  return {
    e: { k: 'anyall', all, fn: `${COMPARISONS[op]}(int4,int4)`, left: left.e, right, t: BOOL },
    sql: `(${left.sql} ${op} ${all ? 'ALL' : 'ANY'} (${rightSql}))`,
  };
}
