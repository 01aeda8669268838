/**
 * Random logical plans over int4 relations, correlated subqueries included: what the rewrite rules are tested with.
 * Every output column is int4, so that any two plans of one width can be united. Orders are over whole rows, so that no tie is open.
 */
import type { Datum } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { Random } from '../../operators/testing/property.ts';
import type { Relation } from '../catalog_reader.ts';
import { outputColumns } from './columns.ts';
import { column, conjunction, constant, disjunction, INT4, INT8, isNull, not } from './expressions.ts';
import type { Col, Logical } from './plan.ts';
import { ascending, type Build, call, eq, int, lt, randomRows, relation } from './test_plans.ts';

/** Relations for random plans: two bags and one with a key. */
export const RELATIONS = [
  relation(1, 'r', [
    ['a', INT4],
    ['b', INT4],
  ]),
  relation(2, 's', [
    ['c', INT4],
    ['d', INT4],
  ]),
  relation(
    3,
    't',
    [
      ['k', INT4],
      ['e', INT4],
    ],
    { key: [0] },
  ),
];

/** Up to 12 rows of each, of which none breaks a key. */
export function randomTables(random: Random): Map<number, Datum[][]> {
  const tables = new Map<number, Datum[][]>();
  for (const { oid, key } of RELATIONS) {
    const rows: Datum[][] = [];
    for (const row of randomRows(random, 2, 12)) {
      if (key !== null && (row[0] === null || rows.some((r) => r[0] === row[0]))) continue;
      rows.push(row);
    }
    tables.set(oid, rows);
  }
  return tables;
}

/** A plan that several plans contain: made anew from its seed, so that its columns are new each time. */
export interface PlanPart {
  seed: number;
  size: number;
}

export class RandomPlan {
  private readonly random: Random;
  private readonly build: Build;
  private readonly relations: Relation[];
  private readonly parts: PlanPart[];

  /** `parts`: plans that are leaves as relations are. */
  constructor(random: Random, build: Build, relations: Relation[], parts: PlanPart[] = []) {
    this.random = random;
    this.build = build;
    this.relations = relations;
    this.parts = parts;
  }

  /** A plan of about `size` nodes; `outer`: columns of queries around that it may use. */
  plan(size: number, outer: Col[]): Logical {
    if (size <= 1) return this.leaf(outer);
    switch (this.random.below(13)) {
      case 0:
      case 1:
        return this.filter(this.plan(size - 1, outer), outer);
      case 2:
        return this.project(this.plan(size - 1, outer), outer);
      case 3:
      case 4:
        return this.join(size, outer);
      case 5:
        return this.aggregate(this.plan(size - 1, outer), outer);
      case 6:
        return { op: 'distinct', input: this.plan(size - 1, outer) };
      case 7:
        return this.setop(size, outer);
      case 8:
        return this.topn(this.plan(size - 1, outer), outer);
      case 9:
        return this.window(this.plan(size - 1, outer), outer);
      case 10:
        return this.tablefunc(this.plan(size - 1, outer), outer);
      default:
        return this.apply(size, outer);
    }
  }

  private leaf(outer: Col[]): Logical {
    if (this.parts.length > 0 && this.random.chance(0.5)) {
      const { seed, size } = this.random.pick(this.parts);
      return new RandomPlan(new Random(seed), this.build, this.relations).plan(size, []);
    }
    if (this.random.chance(0.85)) return this.build.get(this.random.pick(this.relations));
    const rows = this.random.below(3);
    return {
      op: 'values',
      rows: Array.from({ length: rows }, () => [this.scalar(outer), this.scalar(outer)]),
      cols: [this.build.col('v'), this.build.col('w')],
    };
  }

  /** An int4 expression. */
  private scalar(cols: Col[]): Expr {
    const r = this.random.next();
    if (cols.length === 0 || r < 0.15) return int(this.random.chance(0.1) ? null : this.random.below(4));
    const c = column(this.random.pick(cols));
    if (r < 0.85) return c;
    if (r < 0.93) return call('int4pl(int4,int4)', [c, int(1)], INT4);
    return { k: 'coalesce', args: [c, int(this.random.below(4))], t: INT4 };
  }

  private condition(cols: Col[], depth = 2): Expr {
    const r = this.random.next();
    if (depth > 0 && r < 0.15) return conjunction([this.condition(cols, depth - 1), this.condition(cols, depth - 1)]);
    if (depth > 0 && r < 0.25) return disjunction([this.condition(cols, depth - 1), this.condition(cols, depth - 1)]);
    if (depth > 0 && r < 0.32) return not(this.condition(cols, depth - 1));
    if (r < 0.4) return isNull(this.scalar(cols), this.random.chance(0.5));
    return this.random.chance(0.7)
      ? eq(this.scalar(cols), this.scalar(cols))
      : lt(this.scalar(cols), this.scalar(cols));
  }

  private filter(input: Logical, outer: Col[]): Logical {
    return { op: 'filter', input, predicate: this.condition([...outputColumns(input), ...outer]) };
  }

  private project(input: Logical, outer: Col[]): Logical {
    const cols = [...outputColumns(input), ...outputColumns(input), ...outer];
    const n = 1 + this.random.below(3);
    return this.build.project(
      input,
      Array.from({ length: n }, (_, i) => [`p${i}`, this.scalar(cols)]),
    );
  }

  private join(size: number, outer: Col[]): Logical {
    const left = this.plan(size >> 1, outer);
    const right = this.plan(size >> 1, outer);
    const kind = this.random.pick(['inner', 'inner', 'left', 'right', 'full', 'semi', 'anti'] as const);
    const cols = [...outputColumns(left), ...outputColumns(right)];
    const equal = eq(this.scalar(outputColumns(left)), this.scalar(outputColumns(right)));
    const on = this.random.chance(0.8) ? equal : this.condition([...cols, ...outer]);
    const both = this.random.chance(0.2) ? conjunction([on, this.condition([...cols, ...outer], 1)]) : on;
    return { op: 'join', kind, left, right, on: this.random.chance(0.1) ? null : both };
  }

  private aggregate(input: Logical, outer: Col[]): Logical {
    const cols = [...outputColumns(input), ...outputColumns(input), ...outer];
    const keys = Array.from({ length: this.random.below(3) }, () => this.scalar(cols));
    const fns: [string, boolean][] = [
      ['count()', false],
      ['count(any)', true],
      ['max(int4)', true],
      ['min(int4)', true],
    ];
    const made = this.build.aggregate(
      input,
      keys,
      Array.from({ length: 1 + this.random.below(2) }, () => {
        const [fn, takes] = this.random.pick(fns);
        return [fn, takes ? [this.scalar(cols)] : [], fn.startsWith('count') ? INT8 : INT4];
      }),
    );
    for (const a of made.aggregates) {
      if (this.random.chance(0.2)) a.filter = this.condition(cols, 1);
      if (a.args.length > 0 && this.random.chance(0.2)) a.distinct = true;
    }
    if (keys.length > 0 && this.random.chance(0.2)) made.groupingSets = this.sets(keys.length);
    return this.narrowed(made);
  }

  private sets(keys: number): number[][] {
    return Array.from({ length: 1 + this.random.below(3) }, () =>
      Array.from({ length: keys }, (_, i) => i).filter(() => this.random.chance(0.5)),
    );
  }

  /** int8 columns become int4, so that all plans have one type. */
  private narrowed(p: Logical): Logical {
    return this.build.project(
      p,
      outputColumns(p).map((c) => [
        c.name,
        c.type.oid === INT4.oid ? column(c) : call('int4(int8)', [column(c)], INT4),
      ]),
    );
  }

  private setop(size: number, outer: Col[]): Logical {
    const left = this.plan(size >> 1, outer);
    const right = this.plan(size >> 1, outer);
    const width = Math.min(outputColumns(left).length, outputColumns(right).length);
    const cut = (p: Logical): Logical =>
      this.build.project(
        p,
        outputColumns(p)
          .slice(0, width)
          .map((c) => [c.name, column(c)]),
      );
    const kind = this.random.pick(['union', 'except', 'intersect'] as const);
    return this.build.setop(kind, this.random.chance(0.5), cut(left), cut(right));
  }

  private topn(input: Logical, outer: Col[]): Logical {
    const cols = outputColumns(input);
    return {
      op: 'topn',
      input,
      partition: this.random.chance(0.4) ? [this.scalar([...cols, ...outer])] : [],
      order: cols.map((c) => ({ expr: column(c), desc: this.random.chance(0.5), nullsFirst: this.random.chance(0.5) })),
      limit: constant(BigInt(this.random.below(3)), INT8),
      offset: this.random.chance(0.2) ? constant(1n, INT8) : null,
      withTies: false,
    };
  }

  private window(input: Logical, outer: Col[]): Logical {
    const cols = outputColumns(input);
    const partition = this.random.chance(0.6) ? [this.scalar([...cols, ...outer])] : [];
    const fn = this.random.pick(['row_number()', 'rank()', 'dense_rank()']);
    const order = (fn === 'row_number()' ? cols : cols.slice(0, 1)).map((c) => ascending(column(c)));
    const made = this.build.window(input, fn, partition, order);
    const narrow = this.narrowed(made);
    if (this.random.chance(0.5)) return narrow;
    const rank = outputColumns(made).at(-1)!;
    const bound = call('int84le(int8,int4)', [column(rank), int(1 + this.random.below(2))]);
    return this.narrowed({ op: 'filter', input: made, predicate: bound });
  }

  private tablefunc(input: Logical, outer: Col[]): Logical {
    const args = [int(1), this.scalar([...outputColumns(input), ...outer])];
    const cols = [this.build.col('g')];
    const left = this.random.chance(0.3);
    return { op: 'tablefunc', input, fn: 'generate_series(int4,int4)', args, cols, ordinality: null, left };
  }

  private apply(size: number, outer: Col[]): Logical {
    const left = this.plan(size >> 1, outer);
    const leftCols = outputColumns(left);
    const inner = this.random.chance(0.8) ? [...leftCols, ...outer] : outer;
    const right = this.plan(size >> 1, inner);
    const kind = this.random.pick(['cross', 'left', 'scalar', 'exists', 'exists', 'in', 'in'] as const);
    if (kind === 'cross' || kind === 'left') {
      const on = this.random.chance(0.3) ? this.condition([...leftCols, ...outputColumns(right), ...outer], 1) : null;
      return { op: 'apply', kind, left, right, on };
    }
    if (kind === 'scalar') {
      const value = this.build.project(right, [['value', column(this.random.pick(outputColumns(right)))]]);
      const single: Logical = this.random.chance(0.5)
        ? this.build.aggregate(value, [], [['max(int4)', [column(value.items[0].col)], INT4]])
        : value;
      return { op: 'apply', kind, left, right: single, out: this.build.col('s') };
    }
    const out = this.build.col('test', { oid: 16, typmod: -1 });
    const test = this.random.chance(0.2) ? 2 : 1;
    const applied: Logical =
      kind === 'exists' ? { op: 'apply', kind, left, right, out } : this.quantified(left, right, out, test);
    if (this.random.chance(0.6)) {
      const condition = this.random.chance(0.5) ? column(out) : not(column(out));
      const predicate = this.random.chance(0.3) ? conjunction([condition, this.condition(leftCols)]) : condition;
      return this.withoutTest({ op: 'filter', input: applied, predicate }, leftCols, null);
    }
    return this.withoutTest(applied, leftCols, out);
  }

  private quantified(left: Logical, right: Logical, out: Col, width: number): Logical {
    const n = Math.min(width, outputColumns(right).length);
    const cut = this.build.project(
      right,
      outputColumns(right)
        .slice(0, n)
        .map((c) => [c.name, column(c)]),
    );
    const fns =
      n === 1
        ? ['int4eq(int4,int4)', 'int4ne(int4,int4)', 'int4lt(int4,int4)']
        : ['int4eq(int4,int4)', 'int4ne(int4,int4)'];
    const fn = this.random.pick(fns);
    const test = Array.from({ length: n }, () => this.scalar(outputColumns(left)));
    return {
      op: 'apply',
      kind: 'in',
      left,
      right: cut,
      out,
      test,
      fn: test.map(() => fn),
      all: this.random.chance(0.4),
    };
  }

  /** Left's columns and the test as an int4 (NULL stays NULL). */
  private withoutTest(p: Logical, leftCols: Col[], out: Col | null): Logical {
    const kept: [string, Expr][] = leftCols.map((c) => [c.name, column(c)]);
    if (out) kept.push(['test', call('int4(bool)', [column(out)], INT4)]);
    return this.build.project(p, kept);
  }
}
