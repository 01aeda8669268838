/**
 * What one item of FROM is: a plan and the names it brings; and helpers to make them.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { Col, Logical, OrderItem } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { type ColumnInfo, colRef, type Level, type NamespaceItem, type Output } from './level.ts';
import { names } from './node.ts';
import { visibleOnly } from './visible.ts';

export interface FromItem {
  plan: Logical;
  /** Set for a function: puts it on top of rows whose columns its arguments may use, instead of joining `plan`. */
  extend?: (input: Logical, left: boolean) => Logical;
  /** The order of an ordered subquery. */
  order?: OrderItem[];
  /** All names that become visible. */
  items: NamespaceItem[];
  /** The one that lists the columns of the whole item. */
  self: NamespaceItem;
}

export function namespaceItem(name: string, columns: NamespaceItem['columns']): NamespaceItem {
  return {
    name,
    relation: null,
    qualified: false,
    columns,
    relVisible: true,
    colsVisible: true,
    lateralOnly: false,
    lateralOk: true,
  };
}

/** Renames columns by an alias's column list; too many names are error 42P10. */
export function aliasNames(level: Level, alias: PgNode | undefined, own: string[], table: string): string[] {
  const given = names(alias?.colnames);
  if (given.length > own.length) {
    throw level.error(
      '42P10',
      `table "${alias?.aliasname ?? table}" has ${own.length} columns available but ${given.length} columns specified`,
    );
  }
  return own.map((n, i) => given[i] ?? n);
}

/** A FROM item over plain columns, which become columns of the level. */
export function columnsItem(
  level: Level,
  plan: Logical,
  alias: PgNode | undefined,
  ownName: string,
  cols: { name: string; col: Col; origin?: ColumnInfo['origin']; shape?: ColumnInfo['shape'] }[],
): FromItem {
  const name: string = alias?.aliasname ?? ownName;
  const labels = aliasNames(
    level,
    alias,
    cols.map((c) => c.name),
    ownName,
  );
  const self = namespaceItem(name, []);
  self.columns = cols.map((c, i) => {
    level.own(c.col, {
      kind: 'from',
      label: `${name}.${labels[i]}`,
      item: self,
      origin: c.origin,
      shape: c.shape,
    });
    return { name: labels[i], expr: colRef(c.col) as Expr };
  });
  return { plan, items: [self], self };
}

/** A FROM item over a bound query. */
export function queryItem(
  level: Level,
  query: { plan: Logical; outputs: Output[] },
  alias: PgNode | undefined,
  ownName: string,
): FromItem {
  const plan = visibleOnly({ ...query, order: [] });
  return columnsItem(
    level,
    plan,
    alias,
    ownName,
    query.outputs.map((o) => ({ name: o.name, col: o.col, origin: o.origin, shape: o.shape })),
  );
}
