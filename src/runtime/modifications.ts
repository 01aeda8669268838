/** Statements that change tables (INSERT, UPDATE, DELETE, MERGE, SELECT with such items of WITH): binding, what may be written to, the command tag. */
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { turn } from '../../operators/turn.ts';
import {
  type BoundModification,
  bindDelete,
  bindInsert,
  bindMerge,
  bindModifyingSelect,
  bindUpdate,
} from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { planQuery } from '../../planner/physical/index.ts';
import { bindParameters } from '../../planner/physical/parameters.ts';
import type { ResultColumn, SessionContext } from '../engine.ts';
import type { Need } from './access.ts';
import { ChangeSource } from './change_source.ts';
import { valueOfDefault } from './default_value.ts';
import type { TidemarkEngine } from './engine.ts';
import type { Modified, ModifyContext } from './modify.ts';
import { notFound } from './names.ts';
import { type RunnableStatement, runnable } from './prepared.ts';
import { readQuery, resultColumns } from './queries.ts';
import { BatchStream, rowsOf } from './row_streams.ts';
import { isValueList } from './source_rows.ts';
import { StatementChanges } from './statement_changes.ts';
import { readerAsOf } from './time_travel.ts';
import { alteredMeanwhile } from './write_conflict.ts';

type ModifyStatement = Extract<Statement, { k: 'insert' | 'update' | 'delete' | 'merge' }>;

const VERB = { insert: 'insert into', update: 'update', delete: 'delete from', merge: 'merge into' };

/** Only tables and local streams take rows, and streams are never changed afterwards. */
export function checkWritable(engine: TidemarkEngine, relation: Relation, action: keyof typeof VERB): void {
  const object = engine.catalog.get(relation.oid);
  const refused = (what: string) => new SqlError('42809', `cannot ${VERB[action]} ${what} "${relation.name}"`);
  if (object === undefined) throw new SqlError('42501', `permission denied for table ${relation.name}`);
  if (object.kind !== 'table' && object.kind !== 'stream') throw refused(object.kind.replace('_', ' '));
  if (object.source !== null) {
    throw new SqlError('42809', `"${relation.name}" reads from its connector and takes no ${action.toUpperCase()}`);
  }
  if (object.kind === 'stream' && action !== 'insert') throw refused('stream');
}

const NOTHING_CHECKED = { checks: [], generated: [], foreignKeys: [] };

/** `columns`: those that the statement was bound with. */
export function modifyContext(
  engine: TidemarkEngine,
  relation: Relation,
  session: SessionContext,
  columns = relation.columns,
  signal: AbortSignal | null = null,
): ModifyContext {
  const { loop, readSources: sources, catalog } = engine;
  const transaction = engine.transactionOf(session);
  transaction.noteSeen();
  const context = engine.contextOf(session);
  const { version } = catalog;
  const { uniqueKeys, checks, notNull, generated, foreignKeys, referencing } = constraintsOf(
    engine,
    relation,
    session.searchPath,
  );
  // Field by field: one is made for every statement, and a spread takes several times as long.
  const at: ModifyContext = {
    loop,
    sources,
    transaction,
    context,
    signal,
    uniqueKeys,
    checks,
    notNull,
    generated,
    foreignKeys,
    referencing,
    other: (another) => modifyContext(engine, another, session),
    relationOf: (oid) => catalog.relationByOid(oid, session.searchPath) as Relation,
    defaultOf: (column) => valueOfDefault(engine, relation, column, session),
    checkThere: () => {
      if (catalog.get(relation.oid) === undefined) throw notFound(relation.name);
      if (relation.columns !== columns) throw alteredMeanwhile(relation.name);
      if (catalog.version !== version) Object.assign(at, constraintsOf(engine, relation, session.searchPath));
    },
    asOf: (plan, moment) => readerAsOf(engine, { loop, sources, transaction, context }, plan, moment),
  };
  return at;
}

/** What rows are looked at for now. */
export function constraintsOf({ catalog }: TidemarkEngine, relation: Relation, searchPath: string[]) {
  const { pending } = catalog;
  const object = pending.asSeen(catalog.get(relation.oid), searchPath);
  const { checks, generated, foreignKeys } = object !== undefined && 'checks' in object ? object : NOTHING_CHECKED;
  const referencing = catalog.referencing(relation.oid, searchPath);
  return {
    uniqueKeys: catalog.uniqueKeys(relation, searchPath),
    checks,
    notNull: pending.columnsNotNull(relation.oid, searchPath),
    generated,
    foreignKeys: foreignKeys.filter(({ references }) => !catalog.isGone(references, searchPath)),
    referencing,
  };
}

/** A table that a statement changes, and the columns that it had when that was bound. */
interface Target {
  relation: Relation;
  columns: Relation['columns'];
}

/** By OID. */
type Targets = Map<number, Target>;

function targetsOf(engine: TidemarkEngine, parts: BoundModification[]): Targets {
  for (const { relation, k } of parts) checkWritable(engine, relation, k);
  return new Map(parts.map(({ relation }) => [relation.oid, { relation, columns: relation.columns }]));
}

/** Runs the parts of a statement; what the last one did. `params`: of the only one, which `planned` reads. */
async function modify(
  parts: BoundModification[],
  targets: Targets,
  engine: TidemarkEngine,
  session: SessionContext,
  signal: AbortSignal,
  planned: ChangeSource | null,
  params: Datum[],
): Promise<Modified> {
  const changes = changesOfStatement(parts, targets, engine, session, signal, params);
  let done: Modified = { count: 0, returned: null };
  for (const part of parts) done = await changes.add(part, planned);
  turn.of(signal, () => changes.write());
  return done;
}

function changesOfStatement(
  parts: object[],
  targets: Targets,
  engine: TidemarkEngine,
  session: SessionContext,
  signal: AbortSignal,
  params: Datum[] = [],
): StatementChanges {
  // Several parts read one tick.
  if (parts.length > 1) engine.transactionOf(session).pin();
  return new StatementChanges(parts, ({ oid }) => {
    const { relation, columns } = targets.get(oid) as Target;
    const at = modifyContext(engine, relation, session, columns, signal);
    at.context.params = params;
    return at;
  });
}

export function bindModification(
  engine: TidemarkEngine,
  statement: ModifyStatement,
  paramTypes: number[],
  session: SessionContext,
): { bound: BoundModification; needs: Need[] } {
  const env = { ...engine.bindEnv(session, [...paramTypes], 'read'), allowAsOf: statement.k === 'insert' };
  const bind = { insert: bindInsert, update: bindUpdate, delete: bindDelete, merge: bindMerge }[statement.k];
  return { bound: bind(statement.node, statement.text, env), needs: env.needs };
}

export function prepareModification(
  engine: TidemarkEngine,
  statement: ModifyStatement,
  paramTypes: number[],
  session: SessionContext,
): RunnableStatement {
  const { bound, needs } = bindModification(engine, statement, paramTypes, session);
  const parts = [...bound.items, bound];
  const targets = targetsOf(engine, parts);
  const source = parts.length === 1 ? ChangeSource.of(bound) : null;
  // Its values are computed with parameters of the context: to put them into the statement copies all of it, with its table's columns.
  const isListed = parts.length === 1 && onlyLists(bound);
  const columns: ResultColumn[] | null =
    bound.returning?.items.map((item) => ({
      name: item.name,
      type: item.type,
      relation: item.origin?.relation ?? 0,
      attnum: item.origin?.attnum ?? 0,
    })) ?? null;
  const run: RunnableStatement['run'] = async (params, current, signal) => {
    const narrow = parts.every((part) => part.k === 'delete') ? budget.widen(pages.usedBytes) : null;
    const planned = source?.run() || params.length === 0 ? source : null;
    const known = planned === null && !isListed ? bindParameters(parts, params) : parts;
    const done = await modify(known, targets, engine, current, signal, planned, params).finally(() => narrow?.());
    const tag = statement.k === 'insert' ? `INSERT 0 ${done.count}` : `${statement.k.toUpperCase()} ${done.count}`;
    if (columns === null || done.returned === null) return { kind: 'command', tag };
    return {
      kind: 'rows',
      columns,
      rows: rowsOf(
        columns.map((c) => c.type),
        done.returned,
      ),
      tag: () => tag,
    };
  };
  return { ...runnable(statement, engine.catalogVersion, columns, run, bound.parameters), needs };
}

/** INSERT ... VALUES, and nothing that looks at the rows afterwards. */
function onlyLists(bound: BoundModification): boolean {
  return bound.k === 'insert' && isValueList(bound) && bound.onConflict === null && bound.returning === null;
}

/** SELECT with modifying items of WITH: they run first, whether it reads what they return or not. */
export function prepareModifyingSelect(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'modifying_select' }>,
  paramTypes: number[],
  session: SessionContext,
): RunnableStatement {
  const env = engine.bindEnv(session, [...paramTypes], 'read');
  const bound = bindModifyingSelect(statement.query, env);
  const targets = targetsOf(engine, bound.items);
  const columns = resultColumns(bound.query);
  const run: RunnableStatement['run'] = async (params, current, signal) => {
    const { query, items } = bindParameters(bound, params);
    const changes = changesOfStatement([...items, query], targets, engine, current, signal);
    for (const item of items) await changes.add(item);
    const physical = planQuery(changes.known(query), { mode: 'read' });
    const { pieces, arena } = await readQuery(engine, physical, query, current, signal);
    try {
      turn.of(signal, () => changes.write());
    } catch (error) {
      arena.release();
      throw error;
    }
    return { kind: 'rows', columns, rows: new BatchStream(pieces, arena), tag: (n) => `SELECT ${n}` };
  };
  return { ...runnable(statement, engine.catalogVersion, columns, run, bound.query.parameters), needs: env.needs };
}
