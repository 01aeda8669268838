/**
 * ALTER TABLE ... ADD COLUMN, DROP COLUMN, ALTER COLUMN ... TYPE, and the other actions of such a statement: all of it or nothing.
 *
 *   draft of the definition -> new rows beside the old ones, while ticks go on -> checks -> an empty tick -> definition and rows change places, and are logged
 *
 * The tick parts those who see the old rows from those who see the new ones: a transaction that reads an older tick, or has written rows of the old form, gets 40001 (transaction.ts).
 * So does who follows the table's changes, which begin anew. Views read columns by position, and columns that views read stay what they are: nothing changes for them.
 *
 * A volatile DEFAULT, or the number of a serial column, is another in each row, which cannot be done again: rows get NULL first, then their values in a tick that is logged with the statement.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { detach } from '../../operators/batch/detach.ts';
import { SqlError } from '../../operators/errors.ts';
import { copyContext } from '../../operators/expr/context.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { turn } from '../../operators/turn.ts';
import type { AlterAction, ColumnAction } from '../../planner/parse/ast.ts';
import { stillSame } from '../catalog/object_shape.ts';
import { type CatalogObject, KIND_NAMES, type RelationObject } from '../catalog/objects.ts';
import type { DefinitionRecord } from '../durable/records.ts';
import type { SessionContext } from '../engine.ts';
import { inOrder } from './action_order.ts';
import {
  type AlterRelation,
  defaultSequences,
  found,
  nothingPlanned,
  ownTable,
  prepareAction,
} from './alter_relation.ts';
import { checkRows } from './check_constraint.ts';
import { checkNotFollowed } from './column_readers.ts';
import { CountedColumns } from './counted_columns.ts';
import { checkKey } from './create_index.ts';
import { namedInLiterals } from './default_value.ts';
import { dropConstraint, dropUnused } from './drop_constraint.ts';
import type { TidemarkEngine } from './engine.ts';
import { dropForeignKeys } from './foreign_key.ts';
import { containsNull } from './not_null.ts';
import { checkNotOthers, checkUnchanged } from './open_objects.ts';
import { RebuiltTable } from './rebuilt_table.ts';
import { RowRewrite } from './row_rewrite.ts';
import { keepSeen, showSeen } from './seen_columns.ts';
import { sessionWith } from './session_with.ts';
import type { StoredRelation } from './stored_relation.ts';
import { TableDraft } from './table_draft.ts';
import { namedInSyntax, typesOfColumns } from './type_users.ts';
import { VolatileValues } from './volatile_values.ts';

/** As PostgreSQL names them. */
const ACTIONS: Record<ColumnAction['k'], string> = {
  add_column: 'ADD COLUMN',
  drop_column: 'DROP COLUMN',
  alter_type: 'ALTER COLUMN ... SET DATA TYPE',
};

function isColumnAction(action: AlterAction): action is ColumnAction {
  return action.k in ACTIONS;
}

export function altersColumns({ actions }: AlterRelation): boolean {
  return actions.some(isColumnAction);
}

/** A row's new values are logged with what they take the place of. */
const LOGGED_TIMES = 2;

/** Statements of one engine that change columns, one after the other. */
const turns = new WeakMap<TidemarkEngine, Promise<unknown>>();

/** Takes an object out of the catalog, with its rows; gives what is left to do when its connections are to be closed. */
type DropObject = (object: CatalogObject) => (() => Promise<void>) | null;

export function alterColumns(
  engine: TidemarkEngine,
  statement: AlterRelation,
  session: SessionContext,
  signal: AbortSignal,
  drop: DropObject,
): Promise<void> {
  return afterOthers(engine, () => alterColumnsNow(engine, statement, session, signal, drop));
}

/** Does what changes columns, or needs that nobody else does, when those of before are done. */
export function afterOthers<T>(engine: TidemarkEngine, work: () => Promise<T>): Promise<T> {
  const running = (turns.get(engine) ?? Promise.resolve()).then(work);
  turns.set(
    engine,
    running.catch(() => undefined),
  );
  return running;
}

/** Within afterOthers(). What rewrites no rows, as DROP COLUMN, is done in one turn if `drop` leaves nothing to be closed. */
export async function alterColumnsNow(
  engine: TidemarkEngine,
  statement: AlterRelation,
  session: SessionContext,
  signal: AbortSignal,
  drop: DropObject,
): Promise<void> {
  const object = found(engine, statement, session);
  const action = statement.actions.find(isColumnAction) as ColumnAction;
  if (object === null) return;
  await new Alteration(engine, ownTable(object, ACTIONS[action.k]), statement, session, drop).run(signal);
}

class Alteration {
  readonly #engine: TidemarkEngine;
  readonly #object: RelationObject;
  readonly #statement: AlterRelation;
  readonly #session: SessionContext;
  /** What DEFAULTs are evaluated in: the clock at the beginning, and when it is done again the same. */
  readonly #context: EvalContext;
  readonly #drop: DropObject;
  /** What is left to do for what was dropped. */
  readonly #closing: ((() => Promise<void>) | null)[] = [];

  constructor(
    engine: TidemarkEngine,
    object: RelationObject,
    statement: AlterRelation,
    session: SessionContext,
    drop: DropObject,
  ) {
    this.#drop = drop;
    this.#engine = engine;
    this.#object = object;
    this.#statement = statement;
    this.#session = session;
    engine.loop.advanceClock();
    this.#context = copyContext(session.evalContext);
    this.#context.now = engine.replay?.clock ?? engine.loop.now;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { draft, others } = this.#draft(this.#session);
    for (const { kind, name, oid } of draft.gone)
      checkNotOthers(this.#engine, `${KIND_NAMES[kind]} ${name}`, oid, this.#session);
    const { checks, foreignKeys } = draft.object;
    const same = checks === this.#object.checks && foreignKeys === this.#object.foreignKeys;
    if (!draft.rewritten && draft.changed.length === 0 && same && others.length === 0) return;
    checkNotFollowed(this.#engine, this.#object);
    if (draft.rewritten) await this.#rewrite(draft, signal);
    else this.#change(draft, others, this.#stored, null, signal);
    for (const close of this.#closing) await close?.();
  }

  get #stored(): StoredRelation {
    const stored = this.#engine.loop.relations.get(this.#object.oid);
    if (stored === undefined) throw new Error(`the table ${this.#object.name} has no rows`);
    return stored;
  }

  async #rewrite(draft: TableDraft, signal: AbortSignal): Promise<void> {
    const { loop, catalog, journal } = this.#engine;
    const { oid } = this.#object;
    const { relation } = this.#object;
    const indexes = relation.indexes.filter((columns) => !isOver(columns, draft.changed));
    const key = indexes.find((columns) => String(columns) === String(relation.key)) ?? null;
    const types = typesOfColumns(draft.object.relation.columns.filter(({ dropped }) => !dropped));
    const isSame = stillSame(catalog, [oid, ...types, ...draft.gone.map((object) => object.oid)]);
    const rewrite = new RowRewrite(this.#stored.types, draft.values, this.#context, signal);
    try {
      const made = await RebuiltTable.make(
        this.#engine,
        oid,
        { indexes, key, computed: draft.object.relation.computed ?? [] },
        rewrite,
        signal,
      );
      try {
        if (draft.isVolatile) await journal?.log.admit(LOGGED_TIMES * made.stored.bytes);
        isSame();
        checkUnchanged(this.#engine, `table "${this.#object.name}"`, oid, this.#session);
        checkNotFollowed(this.#engine, this.#object);
        // Another index may have been made, or dropped, meanwhile.
        const again = this.#draft(sessionWith(this.#session, { notice: () => undefined }));
        for (const columns of again.draft.object.relation.indexes) made.stored.addIndex(columns);
        made.stored.setComputed(again.draft.object.relation.computed ?? []);
        made.catchUp();
        this.#change(again.draft, again.others, made.stored, rewrite, signal);
      } catch (error) {
        if (loop.relations.get(oid) !== made.stored) made.release();
        throw error;
      }
      made.taken();
    } finally {
      rewrite.release();
    }
  }

  /** Columns first, as in PostgreSQL, then what says something of them. */
  #draft(session: SessionContext): { draft: TableDraft; others: AlterAction[] } {
    const draft = new TableDraft(this.#object);
    const { actions, text } = this.#statement;
    const engine = this.#engine;
    const others = actions.filter((action) => !isColumnAction(action) && action.k !== 'drop_constraint');
    for (const action of actions) if (action.k === 'alter_type') draft.checkType(engine, action, text, session);
    for (const action of actions) {
      if (action.k === 'drop_column') draft.drop(engine, action, session);
      // A CHECK or a default that goes need not fit another type.
      if (action.k === 'drop_constraint') {
        const { checks, foreignKeys } = draft.object;
        dropConstraint(engine, draft.object, action, { checks, foreignKeys, gone: [], alone: false }, session)?.();
      }
      if (action.k === 'set_default' && action.value === null) draft.forgetDefault(action.column);
    }
    for (const action of actions) if (action.k === 'alter_type') draft.alterType(engine, action, text, session);
    for (const action of actions)
      if (action.k === 'add_column' && draft.add(engine, action, text, session, this.#context))
        others.push(...action.constraints);
    return { draft, others: inOrder(others) };
  }

  /** The part that happens in one turn. `rewrite`: null: the rows stay as they are. */
  #change(
    draft: TableDraft,
    others: AlterAction[],
    stored: StoredRelation,
    rewrite: RowRewrite | null,
    signal: AbortSignal,
  ): void {
    const engine = this.#engine;
    const { catalog } = engine;
    const { oid } = this.#object;
    const transaction = engine.transactionOf(this.#session);
    transaction.checkWrites();
    const arena = new Arena();
    try {
      const made = catalog.nextOid;
      const counted = new CountedColumns(engine, draft, this.#statement.text, this.#session);
      const values =
        draft.isVolatile && engine.replay === null
          ? turn.of(signal, () => new VolatileValues(draft, counted, stored, this.#context, arena))
          : null;
      const { applies, planned } = turn.of(signal, () => this.#prepare(draft, others, stored, values, arena));
      // Before anything is done: rows that wait for COMMIT may have no new form.
      const reshape =
        rewrite === null
          ? null
          : transaction.reshape(oid, (rows, to) =>
              rewrite.run(rows, to, (made) => values?.pending(made, to) ?? detach(made, to)),
            );
      const referenced = planned.foreignKeys.map(({ references }) => references);
      const reads = [
        oid,
        ...referenced,
        ...namedInLiterals(engine, this.#statement.actions, this.#session),
        ...namedInSyntax(engine, this.#statement.actions, this.#session.searchPath),
      ];
      if (rewrite !== null) {
        for (const columns of planned.indexes) stored.addIndex(columns);
        this.#exchange(draft, stored, values?.delta ?? null);
      }
      dropForeignKeys(draft.unreferenced);
      for (const object of draft.gone) this.#closing.push(this.#drop(object));
      for (const change of draft.sequenceChanges) change();
      counted.open(engine);
      for (const apply of applies) apply?.();
      keepSeen(engine, this.#object);
      draft.applyTo(this.#object);
      for (const [index, parts] of draft.reindexed) Object.assign(catalog.get(index) as CatalogObject, parts);
      catalog.version++;
      this.#dropIndexes(draft);
      this.#endFollowers(draft);
      reads.push(...defaultSequences(this.#object));
      this.#log(catalog.nextOid === made ? oid : made, draft, counted.given, reads, values?.delta ?? null);
      reshape?.();
      showSeen(engine, this.#object, this.#session);
    } finally {
      arena.release();
    }
  }

  /** Looks at the rows as they will be. */
  #prepare(
    draft: TableDraft,
    others: AlterAction[],
    stored: StoredRelation,
    values: VolatileValues | null,
    arena: Arena,
  ) {
    const engine = this.#engine;
    const checked = values?.rows(stored, arena) ?? stored;
    try {
      const planned = nothingPlanned(draft.object, checked);
      const applies = others.map((action) =>
        prepareAction(engine, draft.object, action, planned, this.#statement, this.#session),
      );
      if (engine.replay === null) {
        this.#checkKeys(draft, checked);
        this.#checkPresent(draft, checked);
        for (const look of planned.looks) look();
        for (const check of draft.rechecked) checkRows(checked, draft.object.relation, check, this.#session);
      }
      return { applies, planned };
    } finally {
      if (checked !== stored) checked.release();
    }
  }

  /** Keys over columns whose values are others. */
  #checkKeys({ changed, object, reindexed }: TableDraft, stored: StoredRelation): void {
    for (const known of this.#engine.catalog.uniqueKeys(object.relation)) {
      const { computed } = (known.shape && reindexed.get(known.shape.oid)) ?? {};
      const key = computed === undefined ? known : { ...known, shape: computed.shape };
      const present = key.columns.every((column) => object.relation.columns[column].dropped !== true);
      if (present && isOver(key.columns, changed)) checkKey(stored, object.relation, key, this.#session);
    }
  }

  #checkPresent({ present, values, object }: TableDraft, stored: StoredRelation): void {
    for (const position of present) {
      const value = values[position];
      const isNull = value.k === 'const' && value.v !== null ? false : stored.rows > 0 && stored.hasNull(position);
      if (!isNull) continue;
      throw containsNull(object.relation, position);
    }
  }

  /** The new rows take the old ones' place; `values`: what a tick gives them then. */
  #exchange({ isVolatile }: TableDraft, stored: StoredRelation, values: Batch | null): void {
    const engine = this.#engine;
    const { loop } = engine;
    const { oid, name } = this.#object;
    if (!isVolatile) {
      // What the clock moves, moves before: this may fail.
      loop.advanceClock();
      loop.run(new Map());
    }
    const tick = !isVolatile ? loop.tick : loop.tick + 1n;
    stored.altered = { tick, name };
    stored.changedAt = tick;
    const old = loop.replaceRelation(oid, stored);
    try {
      if (values !== null) engine.publishRows(new Map([[oid, values]]));
    } catch (error) {
      if (old !== undefined) loop.replaceRelation(oid, old);
      throw error;
    }
    old?.release();
    engine.changes.log(oid)?.restart({ tick, clock: loop.now }, true);
  }

  #dropIndexes({ indexes }: TableDraft): void {
    const { catalog, loop } = this.#engine;
    const { oid, relation } = this.#object;
    for (const index of indexes) catalog.remove(index.oid);
    this.#stored.setComputed(relation.computed ?? []);
    this.#object.lostIndexes = [...(this.#object.lostIndexes ?? []), ...indexes.map((index) => index.oid)];
    const isGone = (columns: number[]) => columns.some((column) => relation.columns[column].dropped);
    for (const columns of this.#stored.indexedColumns().filter(isGone)) loop.dropIndex(oid, columns);
    // Those that only had the column in INCLUDE.
    for (const { columns, computed } of indexes) {
      if (computed === undefined && !isGone(columns)) dropUnused(this.#engine, oid, columns);
    }
  }

  /** Of queries that sessions follow those that read a column which is not what it was end too. */
  #endFollowers({ changed }: TableDraft): void {
    const { catalog, loop } = this.#engine;
    const { oid, name } = this.#object;
    loop.endObservers(oid, altered(name));
    for (const view of [...loop.views()]) {
      const reads = view.sources.some(({ relation, columns }) => relation === oid && isOver(columns, changed));
      if (!reads || catalog.get(view.oid) !== undefined) continue;
      loop.endObservers(view.oid, altered(name));
      loop.detachView(view.oid);
    }
  }

  #log(
    made: number,
    { gone }: TableDraft,
    given: DefinitionRecord['given'],
    reads: number[],
    values: Batch | null,
  ): void {
    const { oid } = this.#object;
    const clock = String(this.#context.now);
    const what = {
      sql: this.#statement.text,
      made,
      dropped: gone.map((object) => object.oid),
      altered: oid,
      clock,
      given,
    };
    this.#engine.defined(what, this.#session, reads, values);
  }
}

function isOver(columns: number[], some: number[]): boolean {
  return columns.some((column) => some.includes(column));
}

/** For those who follow the changes of a table. */
export function altered(name: string): SqlError {
  return new SqlError('55000', `the columns of "${name}" were altered`, {
    hint: 'Read the rows as they are, and follow the changes after that.',
  });
}
