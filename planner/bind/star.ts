/**
 * `*`, `t.*` and `(row).*`: the columns they stand for.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { PgNode } from '../parse/ast.ts';
import { typeWords } from '../types/type_name.ts';
import { qualifier } from './column_ref.ts';
import type { Level, NamespaceItem } from './level.ts';
import { findItem, missingItem } from './namespace.ts';
import { contentOf, kindOf, locationOf, stringOf } from './node.ts';
import { fieldOf, rowShape } from './shape.ts';

export interface StarColumn {
  name: string;
  expr: Expr;
}

/** The columns that a star node stands for. */
export function expandStar(level: Level, node: PgNode): StarColumn[] {
  const c = contentOf(node);
  if (kindOf(node) === 'A_Indirection') return expandRow(level, c);
  const at = locationOf(c);
  const path = (c.fields as PgNode[]).slice(0, -1).map(stringOf);
  if (path.length === 0) {
    const items = level.namespace.filter((i) => i.colsVisible && !i.lateralOnly);
    if (items.length === 0) throw level.error('42601', 'SELECT * with no tables specified is not valid', at);
    return items.flatMap((i) => columnsOf(level, i, at));
  }
  const [schema, name] = qualifier(level, path, at);
  const item = findItem(level, schema, name, at);
  if (!item) throw missingItem(level, schema, name, at);
  return columnsOf(level, item, at);
}

function columnsOf(level: Level, item: NamespaceItem, location: number): StarColumn[] {
  return item.columns
    .filter((c) => !c.hidden)
    .map((c) => {
      const expr = { ...c.expr };
      const shape = level.shared.shapes.get(c.expr);
      if (shape) level.shared.shapes.set(expr, shape);
      return { name: c.name, expr: level.at(expr, location) };
    });
}

function expandRow(level: Level, c: PgNode): StarColumn[] {
  const path = c.indirection as PgNode[];
  const base = level.bind(path.length === 1 ? c.arg : { A_Indirection: { ...c, indirection: path.slice(0, -1) } });
  const shape = rowShape(level, base);
  if (!shape) {
    throw level.error('42809', `type ${typeWords(base.t)} is not composite`, level.shared.locations.get(base));
  }
  return shape.names.map((name, i) => ({ name, expr: fieldOf(level, base, i, shape) }));
}
