/**
 * What a table will be after the actions of an ALTER TABLE that change its columns: copies of its definition, to be changed and then to take the place of what is
 * there, and for each column of the new rows its value as an expression over the old ones.
 *
 * Positions of columns never move, and no position is given twice: plans of views name columns by them.
 */
import { SqlError, unsupported } from '../../operators/errors.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { isVolatile } from '../../planner/analyse/functions.ts';
import { rewriteExpr } from '../../planner/logical/expressions.ts';
import type { Col } from '../../planner/logical/plan.ts';
import type { ColumnAction, PgNode, SequenceOptions } from '../../planner/parse/ast.ts';
import { typeWords } from '../../planner/types/type_name.ts';
import {
  type CatalogObject,
  type CheckConstraint,
  type ComputedIndexText,
  type IndexObject,
  KIND_NAMES,
  type RelationObject,
  type SequenceObject,
} from '../catalog/objects.ts';
import type { Reference } from '../catalog/parts_of_tables.ts';
import type { SessionContext } from '../engine.ts';
import { boundAgain } from './check_constraint.ts';
import { checkNotFollowed, columnReaders, goesWith } from './column_readers.ts';
import { checkTypes } from './create_relation.ts';
import { changeSequence } from './create_sequence.ts';
import { checkedNull, columnDefault, defaultOf } from './default_value.ts';
import { defaultsOn, foreignKeysOn, stillDependent, tellCascade } from './dependents.ts';
import { withoutIndex } from './drop_constraint.ts';
import type { TidemarkEngine } from './engine.ts';
import { columnsOfForeignKeys } from './foreign_key.ts';
import { generatedColumn } from './generated_column.ts';
import { boundPartsAgain, checkComparable, type IndexParts, keyTypes } from './index_parts.ts';
import { checkKeyTypes } from './index_words.ts';
import { columnNamed } from './names.ts';
import { identitySequence, ownedSequences } from './owned_sequences.ts';
import { checkColumnName, isSystemColumn } from './rename_column.ts';
import { bindAlone, columnsOf, rowColumns } from './row_expression.ts';
import { sequenceType } from './sequence_parameters.ts';
import { checkLastingTypes, columnType } from './type_users.ts';

export class TableDraft {
  readonly object: RelationObject;
  /** Of the new rows. */
  readonly values: Expr[];
  /** Columns that get another value in each row, and those that are generated of them: what they get, over the new row. In `values` they are NULL. */
  readonly volatile = new Map<number, Expr>();
  /** Serial and identity columns: what their sequences are to be. They have another value in each row, too. */
  readonly counted: { position: number; options: SequenceOptions }[] = [];
  /** Columns that must not have a NULL in any of the new rows. */
  readonly present: number[] = [];
  /** Columns of before that are no more, or are others. */
  readonly changed: number[] = [];
  /** What goes with columns, CASCADE; dependents first. */
  readonly gone: CatalogObject[] = [];
  /** CHECK constraints that were bound again. */
  readonly rechecked: CheckConstraint[] = [];
  /** Indexes of columns that go. */
  readonly indexes: IndexObject[] = [];
  /** By the OID of an index over expressions: what it is over when these are bound to columns of other types. */
  readonly reindexed = new Map<number, IndexParts>();
  /** Foreign keys of other tables that reference columns that go. */
  readonly unreferenced: Reference[] = [];
  /** What gives identity columns' sequences the types of their columns. */
  readonly sequenceChanges: (() => void)[] = [];
  /** Rows are others than before. */
  rewritten = false;

  /** The columns of before, which an expression may name. */
  readonly #before: Col[];

  constructor(object: RelationObject) {
    const { relation, defaults } = object;
    this.#before = rowColumns(relation);
    const columns = relation.columns.map((column) => ({ ...column }));
    this.object = { ...object, relation: { ...relation, columns }, defaults: [...defaults] };
    this.values = columns.map(({ type }, id) => ({ k: 'col', id, t: type }));
  }

  /** Whether rows get values that are others in each of them. */
  get isVolatile(): boolean {
    return this.volatile.size + this.counted.length > 0;
  }

  /** The table becomes what the draft is: whatever its definition consists of. Its relation stays the same object, which plans hold on to. */
  applyTo(object: RelationObject): void {
    const { relation, ...rest } = this.object;
    Object.assign(object, rest);
    Object.assign(object.relation, relation);
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
    const type = columnType(engine, column.type, session);
    const position = relation.columns.length;
    const { serial, identity } = column;
    relation.columns.push({
      name,
      type,
      notNull,
      ...(identity === null ? {} : { identity: identity.always ? 'a' : 'd' }),
    });
    checkTypes([relation.columns[position]]);
    checkLastingTypes(engine, relation.schema, [relation.columns[position]]);
    const kept = node === null ? null : columnDefault(engine, node, text, type, session);
    defaults.push(kept);
    const given = kept === null ? defaultOf(engine, relation, position) : { ...kept, text };
    const value =
      given === null
        ? null
        : bindAlone(engine, given.node, given.text, session, {
            target: type,
            place: 'default',
            refused: refusedDefault(name),
          });
    const generated = generatedColumn(engine, relation, position, column, text, session);
    if (serial || identity !== null) {
      sequenceType(type.oid, 'identity column');
      this.counted.push({ position, options: identity?.options ?? {} });
      this.values.push({ k: 'const', v: null, t: type });
    } else if (generated !== null) {
      relation.columns[position].generated = true;
      this.object.generated = [...this.object.generated, generated];
      const ofVolatile = columnsOf(generated.expr).some(
        (c) => this.volatile.has(c) || this.counted.some((counted) => counted.position === c),
      );
      if (ofVolatile) this.volatile.set(position, generated.expr);
      // Over the old rows, whatever other actions make of them.
      const overOld = (e: Expr) => (e.k === 'col' ? this.values[e.id] : e);
      this.values.push(ofVolatile ? { k: 'const', v: null, t: type } : rewriteExpr(generated.expr, overOld));
    } else {
      if (value !== null && isVolatile(value)) this.volatile.set(position, value);
      if (value === null && hasRows(engine, this.object)) checkedNull(type, context);
      const once = value === null || isVolatile(value) ? null : evaluate(value, [], context);
      this.values.push({ k: 'const', v: once, t: type });
    }
    if (notNull) this.present.push(position);
    this.rewritten = true;
    return true;
  }

  forgetDefault(column: string): void {
    this.object.defaults[columnNamed(this.object.relation, column)] = null;
  }

  /** Errors of what ALTER TYPE says, which come before those of other actions. */
  checkType(
    engine: TidemarkEngine,
    { column, using }: Extract<ColumnAction, { k: 'alter_type' }>,
    text: string,
    session: SessionContext,
  ): void {
    if (using !== null) bindAlone(engine, using, text, session, { columns: this.#before, place: 'transform' });
    if (!isSystemColumn(column)) columnNamed(this.object.relation, column);
  }

  /** Its values become those of another type; 0A000 when others read it. */
  alterType(
    engine: TidemarkEngine,
    { column, type: typeName, using }: Extract<ColumnAction, { k: 'alter_type' }>,
    text: string,
    session: SessionContext,
  ): void {
    const { object } = this;
    const { relation, defaults } = object;
    if (isSystemColumn(column)) throw new SqlError('0A000', `cannot alter system column "${column}"`);
    const position = columnNamed(relation, column);
    if (this.changed.includes(position)) throw new SqlError('0A000', `cannot alter type of column "${column}" twice`);
    const { notNull, identity, generated, type: before } = relation.columns[position];
    if (generated) throw unsupported('another type of a generated column');
    this.#checkNotGenerating(position, column);
    const type = columnType(engine, typeName, session);
    if (identity !== undefined) {
      sequenceType(type.oid, 'identity column');
      const sequence = identitySequence(engine, object.relation, position) as SequenceObject;
      this.sequenceChanges.push(changeSequence(engine, sequence, { type: typeName }));
    }
    checkTypes([{ name: column, type, notNull }]);
    checkLastingTypes(engine, relation.schema, [{ type }]);
    const cast = (node: PgNode, of: string, refused: ReturnType<typeof refusedType>) =>
      bindAlone(engine, node, of, session, { columns: this.#before, target: type, place: 'transform', refused });
    const value = cast(using ?? columnNode(column), text, refusedType(column, using !== null));
    if (isVolatile(value)) throw unsupported('a volatile expression in USING');
    const given = defaults[position];
    if (given !== null) {
      const message = `default for column "${column}" cannot be cast automatically to type ${typeWords(type)}`;
      // A literal has the column's type; of anything else its own counts.
      if (given.node.A_Const?.sval !== undefined) cast(columnNode(column), text, () => ({ message }));
      bindAlone(engine, given.node, given.text, session, {
        target: type,
        place: 'default',
        refused: () => ({ message }),
      });
    }
    this.#checkUnread(engine, position, column, session);
    if (columnsOfForeignKeys(engine, object).includes(position)) {
      throw new SqlError('0A000', `cannot alter type of column "${column}", which a foreign key is over`, {
        hint: 'Drop the foreign key, and add it again afterwards.',
      });
    }
    for (const key of keysOf(engine, object))
      if (key.includes(position)) checkComparable([{ name: column, type, notNull }], [0]);
    relation.columns[position] = { ...relation.columns[position], type };
    object.checks = object.checks.map((check) => {
      if (!columnsOf(check.expr).includes(position)) return check;
      const again = boundAgain(engine, relation, check, session);
      this.rechecked.push(again);
      return again;
    });
    for (const index of engine.catalog.objects()) {
      if (index.kind !== 'index' || index.on !== object.oid || !index.columns.includes(position)) continue;
      if (index.computed !== undefined) this.#reindex(engine, index.oid, index.computed, session);
      if (index.words === undefined || engine.replay !== null) continue;
      checkKeyTypes(index.words, keyTypes(relation, this.reindexed.get(index.oid) ?? index));
    }
    this.values[position] = value;
    this.changed.push(position);
    if (notNull && before !== type) this.present.push(position);
    this.rewritten = true;
  }

  #reindex(engine: TidemarkEngine, oid: number, computed: ComputedIndexText, session: SessionContext): void {
    const { relation } = this.object;
    const parts = boundPartsAgain(engine, relation, computed, session);
    this.reindexed.set(oid, parts);
    relation.computed = relation.computed?.map((shape) =>
      shape.oid === oid ? (parts.computed ?? computed).shape : shape,
    );
  }

  #checkNotGenerating(position: number, column: string): void {
    const user = this.object.generated.find(({ expr }) => columnsOf(expr).includes(position));
    if (user === undefined) return;
    const { name } = this.object.relation.columns[user.column];
    throw new SqlError('0A000', 'cannot alter type of a column used by a generated column', {
      detail: `Column "${column}" is used by generated column "${name}".`,
    });
  }

  #checkUnread(engine: TidemarkEngine, position: number, column: string, session: SessionContext): void {
    const reader = columnReaders(engine, this.object, position, session).find((other) => !this.gone.includes(other));
    if (reader === undefined) return;
    const isView = reader.kind === 'view' || reader.kind === 'materialized_view';
    throw new SqlError('0A000', 'cannot alter type of a column used by a view or rule', {
      detail: `${isView ? 'rule _RETURN on ' : ''}${KIND_NAMES[reader.kind]} ${reader.name} depends on column "${column}"`,
    });
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
    const stays = (table: RelationObject, other: number) => table.oid !== object.oid || other !== position;
    const needing = sequences.flatMap((sequence) => defaultsOn(engine, sequence, stays));
    const generated = object.generated.filter((g) => g.column !== position && columnsOf(g.expr).includes(position));
    const generatedNames = generated.map((g) => relation.columns[g.column].name);
    const references = engine.catalog.referencing(object.oid).filter(({ table, key }) => {
      return (
        table.oid !== object.oid && key.referenced.includes(position) && !this.unreferenced.some((r) => r.key === key)
      );
    });
    const dependents = [
      ...foreignKeysOn(what, references),
      ...generatedNames.map((name) => ({ text: `column ${name} of table ${relation.name}`, on: what })),
      ...gone,
      ...needing,
    ];
    if (dependents.length > 0 && !cascade) throw stillDependent(what, dependents);
    checkNotFollowed(engine, object);
    this.unreferenced.push(...references);
    tellCascade(dependents, session);
    for (const name of generatedNames)
      this.drop(engine, { k: 'drop_column', column: name, ifExists, cascade }, session);
    this.gone.unshift(...gone.map((other) => other.object).reverse());
    this.gone.push(...sequences);
    for (const index of engine.catalog.objects()) {
      if (index.kind !== 'index') continue;
      if (gone.some((other) => other.object.oid === index.on)) this.gone.unshift(index);
      if (index.on !== object.oid) continue;
      if (index.columns.includes(position)) this.indexes.push(index);
      else if (index.words?.include.includes(position)) {
        this.indexes.push(index);
        if (index.computed === undefined) relation.indexes = withoutIndex(relation, index.columns);
      }
    }
    object.checks = object.checks.filter(({ expr }) => !columnsOf(expr).includes(position));
    object.foreignKeys = object.foreignKeys.filter(({ columns, references, referenced }) => {
      return !columns.includes(position) && !(references === object.oid && referenced.includes(position));
    });
    object.generated = object.generated.filter(({ column: own }) => own !== position);
    if (relation.key?.includes(position)) relation.key = null;
    relation.indexes = relation.indexes.filter((columns) => !columns.includes(position));
    relation.computed = relation.computed?.filter(({ oid }) => this.indexes.every((index) => index.oid !== oid));
    const { type } = relation.columns[position];
    relation.columns[position] = { name: '', type, notNull: false, dropped: true };
    defaults[position] = null;
    this.values[position] = { k: 'const', v: null, t: type };
    this.changed.push(position);
  }
}

/** The columns of the primary key, and of each index. */
function keysOf(engine: TidemarkEngine, { oid, relation }: RelationObject): number[][] {
  const indexes = engine.catalog.objects().flatMap((other) => {
    return other.kind === 'index' && other.on === oid && other.computed === undefined ? [other.columns] : [];
  });
  return relation.key === null ? indexes : [relation.key, ...indexes];
}

function columnNode(name: string): PgNode {
  return { ColumnRef: { fields: [{ String: { sval: name } }] } };
}

function refusedDefault(column: string) {
  return (to: string, from: string) => ({
    message: `column "${column}" is of type ${to} but default expression is of type ${from}`,
    hint: 'You will need to rewrite or cast the expression.',
  });
}

function refusedType(
  column: string,
  isUsing: boolean,
): (to: string, from: string) => { message: string; hint?: string } {
  return (to) =>
    isUsing
      ? {
          message: `result of USING clause for column "${column}" cannot be cast automatically to type ${to}`,
          hint: 'You might need to add an explicit cast.',
        }
      : {
          message: `column "${column}" cannot be cast automatically to type ${to}`,
          hint: `You might need to specify "USING ${quoteIdent(column)}::${to}".`,
        };
}

function hasRows({ loop, replay }: TidemarkEngine, { oid }: RelationObject): boolean {
  return replay === null && (loop.relations.get(oid)?.rows ?? 0) > 0;
}
