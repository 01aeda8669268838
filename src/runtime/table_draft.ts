/**
 * What a table will be after the actions of an ALTER TABLE that change its columns: copies of its definition, to be changed and then to take the place of what is
 * there, and for each column of the new rows its value as an expression over the old ones.
 *
 * Positions of columns never move, and no position is given twice: plans of views name columns by them.
 */

import { SqlError } from '../../operators/errors.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import { isVolatile } from '../../planner/analyse/functions.ts';
import { bindScalar } from '../../planner/bind/index.ts';
import type { ColumnAction } from '../../planner/parse/ast.ts';
import { resolveTypeName } from '../../planner/types/type_name.ts';
import {
  type CatalogObject,
  type IndexObject,
  KIND_NAMES,
  type RelationObject,
  type SequenceObject,
} from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { columnsOf } from './check_constraint.ts';
import { columnReaders, goesWith } from './column_readers.ts';
import { checkTypes } from './create_relation.ts';
import { columnDefault, usersOf } from './default_value.ts';
import type { TidemarkEngine } from './engine.ts';
import { ownedSequences } from './owned_sequences.ts';
import { checkColumnName, isSystemColumn } from './rename_column.ts';

export class TableDraft {
  readonly object: RelationObject;
  /** Of the new rows. */
  readonly values: Expr[];
  /** Columns that get another value in each row: what they get. In `values` they are NULL. */
  readonly volatile = new Map<number, Expr>();
  /** Columns that must not have a NULL in any of the new rows. */
  readonly present: number[] = [];
  /** Columns of before that are no more, or are others. */
  readonly changed: number[] = [];
  /** What goes with columns, CASCADE; dependents first. */
  readonly gone: CatalogObject[] = [];
  /** Indexes of columns that go. */
  readonly indexes: IndexObject[] = [];
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

  /** Nothing, with a notice, when it is not there and IF EXISTS was said. 2BP01 when others read it and CASCADE was not said. */
  drop(
    engine: TidemarkEngine,
    { column, ifExists, cascade }: Extract<ColumnAction, { k: 'drop_column' }>,
    session: SessionContext,
  ): void {
    const { object } = this;
    const { relation, defaults } = object;
    const position = relation.columns.findIndex(({ name }) => name === column);
    if (position < 0) {
      if (isSystemColumn(column)) throw new SqlError('0A000', `cannot drop system column "${column}"`);
      const message = `column "${column}" of relation "${relation.name}" does not exist`;
      if (!ifExists) throw new SqlError('42703', message);
      session.notice('NOTICE', '00000', `${message}, skipping`);
      return;
    }
    const what = `column ${column} of table ${relation.name}`;
    const gone = goesWith(engine, columnReaders(engine, object, position, session), what).filter(
      (other) => !this.gone.includes(other.object),
    );
    const sequences = ownedSequences(engine, object.oid).filter(({ owner }) => owner?.column === position);
    const needing = othersWith(engine, sequences, object, position);
    const lines = [...gone.map(({ line }) => line), ...needing.map(({ text, on }) => `${text} depends on ${on}`)];
    if (lines.length > 0 && !cascade) {
      throw new SqlError('2BP01', `cannot drop ${what} because other objects depend on it`, {
        detail: lines.join('\n'),
        hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
      });
    }
    const others = gone.map((other) => `${KIND_NAMES[other.object.kind]} ${other.object.name}`);
    tellCascade([...others, ...needing.map(({ text }) => text)], session);
    this.gone.unshift(...gone.map((other) => other.object).reverse());
    this.gone.push(...sequences);
    for (const index of engine.catalog.objects()) {
      if (index.kind !== 'index') continue;
      if (gone.some((other) => other.object.oid === index.on)) this.gone.unshift(index);
      if (index.on === object.oid && index.columns.includes(position)) this.indexes.push(index);
    }
    object.checks = object.checks.filter(({ expr }) => !columnsOf(expr).includes(position));
    if (relation.key?.includes(position)) relation.key = null;
    relation.indexes = relation.indexes.filter((columns) => !columns.includes(position));
    const { type } = relation.columns[position];
    relation.columns[position] = { name: '', type, notNull: false, dropped: true };
    defaults[position] = null;
    this.values[position] = { k: 'const', v: null, t: type };
    this.changed.push(position);
  }
}

/** Defaults of other columns that need the sequences of a column. */
function othersWith(
  engine: TidemarkEngine,
  sequences: SequenceObject[],
  { oid }: RelationObject,
  position: number,
): { text: string; on: string }[] {
  return sequences.flatMap((sequence) =>
    usersOf(engine, sequence.oid)
      .filter(({ table, column }) => table.oid !== oid || column !== position)
      .map(({ table, column }) => ({
        text: `default value for column ${table.relation.columns[column].name} of table ${table.name}`,
        on: `sequence ${sequence.name}`,
      })),
  );
}

function tellCascade(gone: string[], session: SessionContext): void {
  const lines = gone.map((what) => `drop cascades to ${what}`);
  if (lines.length === 1) session.notice('NOTICE', '00000', lines[0]);
  if (lines.length < 2) return;
  session.notice('NOTICE', '00000', `drop cascades to ${lines.length} other objects`, { detail: lines.join('\n') });
}
