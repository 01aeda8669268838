/**
 * RETURNING: a select list over the changed row; `old` and `new` (or the names that WITH (OLD AS ...) gives) name its two states.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { presentColumns, type Relation } from '../catalog_reader.ts';
import type { Col } from '../logical/plan.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { resolveUnknown } from './coercion.ts';
import type { BoundReturning } from './env.ts';
import { namespaceItem } from './from_item.ts';
import { colRef, type Level, type NamespaceItem } from './level.ts';
import { bindTargets } from './target.ts';

export interface ChangedRow {
  relation: Relation;
  /** The name by which the statement calls the table. */
  name: string;
  /** Whether the schema may stand before that name: there is no alias. */
  qualified: boolean;
  /** What a plain column means. */
  current: Col[];
  /** Null: the state does not exist, its columns are NULL. */
  old: Col[] | null;
  new: Col[] | null;
  /** Its columns come after those of the other items in RETURNING *. */
  last?: boolean;
}

/** Names the columns of one state of a row. */
export function rowItem(
  level: Level,
  { relation, name, qualified }: Pick<ChangedRow, 'relation' | 'name' | 'qualified'>,
  cols: Col[] | null,
): NamespaceItem {
  const item = namespaceItem(name, []);
  item.relation = relation;
  item.qualified = qualified;
  item.columns = presentColumns(relation).map((c) => {
    const col = cols?.[c.position];
    const { type } = relation.columns[c.position];
    if (!col) return { name: c.name, expr: { k: 'const', v: null, t: type } as Expr };
    level.own(col, {
      kind: 'from',
      label: `${name}.${c.name}`,
      item,
      origin: { relation: relation.oid, attnum: c.position + 1 },
    });
    return { name: c.name, expr: colRef(col) };
  });
  return item;
}

/** Binds RETURNING; null when there is none. `others`: FROM or USING items that stay visible. */
export function bindReturning(
  level: Level,
  clause: PgNode | undefined,
  row: ChangedRow,
  others: NamespaceItem[],
): BoundReturning | null {
  const list: PgNode[] | undefined = clause?.exprs;
  if (!list || list.length === 0) return null;
  const names = { old: 'old', new: 'new' };
  for (const o of clause?.options ?? []) {
    const option = o.ReturningOption;
    names[option.option === 'RETURNING_OPTION_NEW' ? 'new' : 'old'] = option.value;
  }
  const stateOf = (name: string, cols: Col[] | null) =>
    rowItem(level, { relation: row.relation, name, qualified: false }, cols);
  const states = [stateOf(names.old, row.old), stateOf(names.new, row.new)];
  const current = rowItem(level, row, row.current);
  const taken = [current, ...others].filter((i) => i.relVisible).map((i) => i.name);
  for (const s of states) s.colsVisible = false;
  const shown = row.last ? [...others, current] : [current, ...others];
  level.namespace = [...shown, ...states.filter((s) => !taken.includes(s.name))];
  const targets = level.inClause('returning', () => bindTargets(level, list));
  const items = targets.map((t) => {
    const expr = resolveUnknown(level, t.expr);
    visitExpr(expr, (x) => {
      if (x.k === 'col' && level.shared.columns.get(x.id)?.kind === 'subquery') {
        throw level.unsupported('a subquery in RETURNING', level.shared.locations.get(x));
      }
      return true;
    });
    return { name: t.name, type: expr.t, expr, ...(t.origin ? { origin: t.origin } : {}), shape: t.shape };
  });
  return { items };
}
