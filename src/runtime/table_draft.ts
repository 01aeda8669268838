/**
 * What a table will be after the actions of an ALTER TABLE that change its columns: copies of its definition, to be changed and then to take the place of what is
 * there, and for each column of the new rows its value as an expression over the old ones.
 *
 * Positions of columns never move, and no position is given twice: plans of views name columns by them.
 */

import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import { isVolatile } from '../../planner/analyse/functions.ts';
import { bindScalar } from '../../planner/bind/index.ts';
import type { ColumnAction } from '../../planner/parse/ast.ts';
import { resolveTypeName } from '../../planner/types/type_name.ts';
import type { RelationObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkTypes } from './create_relation.ts';
import { columnDefault } from './default_value.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkColumnName } from './rename_column.ts';

export class TableDraft {
  readonly object: RelationObject;
  /** Of the new rows. */
  readonly values: Expr[];
  /** Columns that get another value in each row: what they get. In `values` they are NULL. */
  readonly volatile = new Map<number, Expr>();
  /** Columns that must not have a NULL in any of the new rows. */
  readonly present: number[] = [];
  /** Rows are others than before. */
  rewritten = false;

  constructor(object: RelationObject) {
    const { relation, defaults } = object;
    const columns = relation.columns.map((column) => ({ ...column }));
    this.object = { ...object, relation: { ...relation, columns }, defaults: [...defaults] };
    this.values = columns.map(({ type }, id) => ({ k: 'col', id, t: type }));
  }

  /** False, with a notice, when the column is there and IF NOT EXISTS was said. `context`: what a DEFAULT is evaluated in, once. */
  add(
    engine: TidemarkEngine,
    { column, ifNotExists }: Extract<ColumnAction, { k: 'add_column' }>,
    text: string,
    session: SessionContext,
    context: EvalContext,
  ): boolean {
    const { relation, defaults } = this.object;
    const { name, notNull, default: node } = column;
    if (ifNotExists && relation.columns.some((other) => other.name === name)) {
      session.notice('NOTICE', '42701', `column "${name}" of relation "${relation.name}" already exists, skipping`);
      return false;
    }
    checkColumnName(this.object, name);
    const type = resolveTypeName(column.type);
    const position = relation.columns.length;
    relation.columns.push({ name, type, notNull });
    checkTypes([relation.columns[position]]);
    const kept = node === null ? null : columnDefault(engine, node, text, session);
    defaults.push(kept);
    const env = { ...engine.bindEnv(session, [], 'read'), allowParams: false };
    const value =
      kept === null ? null : bindScalar(kept.node, text, env, { target: type, place: 'default', column: name });
    if (value !== null && isVolatile(value)) this.volatile.set(position, value);
    const once = value === null || isVolatile(value) ? null : evaluate(value, [], context);
    this.values.push({ k: 'const', v: once, t: type });
    if (notNull) this.present.push(position);
    this.rewritten = true;
    return true;
  }
}
