/**
 * Small plans by hand and at random, for the planner's tests.
 */
import type { Datum } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { Random } from '../../operators/testing/property.ts';
import type { ColType } from '../../operators/types.ts';
import type { Relation } from '../catalog_reader.ts';
import { outputColumns } from './columns.ts';
import { BOOL, constant, INT4, INT8 } from './expressions.ts';
import type { Col, Logical, LogicalAggregate, LogicalWindow, OrderItem } from './plan.ts';

/** A relation of a catalog that holds nothing else. */
export function relation(
  oid: number,
  name: string,
  columns: [string, ColType][],
  more: Partial<Relation> = {},
): Relation {
  return {
    oid,
    schema: 'public',
    name,
    kind: 'table',
    columns: columns.map(([n, type]) => ({ name: n, type, notNull: false })),
    key: null,
    appendOnly: false,
    indexes: [],
    ...more,
  };
}

/** Builds plans with fresh column ids. */
export class Build {
  private last = 0;

  col(name: string, type: ColType = INT4): Col {
    this.last++;
    return { id: this.last, name, type };
  }

  /** All columns of a relation. */
  get(r: Relation): Logical & { op: 'get' } {
    const cols = r.columns.map((c) => this.col(c.name, c.type));
    return { op: 'get', relation: r, columns: cols.map((_, i) => i), cols };
  }

  project(input: Logical, items: [string, Expr][]): Logical & { op: 'project' } {
    return { op: 'project', input, items: items.map(([name, expr]) => ({ col: this.col(name, expr.t), expr })) };
  }

  aggregate(input: Logical, keys: Expr[], calls: [string, Expr[], ColType][]): Logical & { op: 'aggregate' } {
    return {
      op: 'aggregate',
      input,
      keys: keys.map((expr) => ({ col: this.col('key', expr.t), expr })),
      aggregates: calls.map(([fn, args, t]): LogicalAggregate => {
        const out = this.col(fn.slice(0, fn.indexOf('(')), t);
        return { out, fn, args, distinct: false, filter: null, orderBy: [] };
      }),
    };
  }

  window(input: Logical, fn: string, partition: Expr[], order: OrderItem[]): Logical & { op: 'window' } {
    const out = this.col(fn.slice(0, fn.indexOf('(')), INT8);
    const frame: LogicalWindow['frame'] = {
      mode: 'range',
      start: { k: 'unboundedPreceding' },
      end: { k: 'current' },
      exclude: 'none',
    };
    return {
      op: 'window',
      input,
      windows: [{ out, fn, args: [], filter: null, aggregate: false, partition, order, frame }],
    };
  }

  setop(
    kind: 'union' | 'except' | 'intersect',
    all: boolean,
    left: Logical,
    right: Logical,
  ): Logical & { op: 'setop' } {
    return { op: 'setop', kind, all, left, right, cols: outputColumns(left).map((c) => this.col(c.name, c.type)) };
  }
}

export function int(v: number | null): Expr {
  return constant(v, INT4);
}

export function call(fn: string, args: Expr[], t: ColType = BOOL): Expr {
  return { k: 'call', fn, args, t, strict: true };
}

export function eq(a: Expr, b: Expr): Expr {
  return call('int4eq(int4,int4)', [a, b]);
}

export function lt(a: Expr, b: Expr): Expr {
  return call('int4lt(int4,int4)', [a, b]);
}

export function ascending(expr: Expr): OrderItem {
  return { expr, desc: false, nullsFirst: false };
}

/** Small integers with NULLs. */
export function randomRows(random: Random, width: number, most: number): Datum[][] {
  return Array.from({ length: random.below(most + 1) }, () =>
    Array.from({ length: width }, () => (random.chance(0.2) ? null : random.below(4))),
  );
}
