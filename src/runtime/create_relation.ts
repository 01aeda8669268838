/** CREATE TABLE, CREATE STREAM, CREATE TABLE AS. */

import { oneBatch } from '../../operators/batch/one_batch.ts';
import { SqlError, unsupported } from '../../operators/errors.ts';
import { conditionsOf } from '../../operators/expr/domain_types.ts';
import { hasIo } from '../../operators/expr/io/index.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import { consolidator } from '../../operators/state/consolidate.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import { bindQuery } from '../../planner/bind/index.ts';
import type { Relation, RelationColumn } from '../../planner/catalog_reader.ts';
import type { ColumnDef, IncludeKind, Statement } from '../../planner/parse/ast.ts';
import { planQuery } from '../../planner/physical/index.ts';
import { typeByOid } from '../../planner/types/catalog.ts';
import { formatType } from '../../planner/types/type_name.ts';
import { inOrderOfNames } from '../catalog/constraint_order.ts';
import { stillSame } from '../catalog/object_shape.ts';
import type {
  CheckConstraint,
  ColumnDefault,
  ConnectorSpec,
  ForeignKey,
  IndexObject,
  RelationObject,
  SequenceObject,
} from '../catalog/objects.ts';
import { checkStaying } from '../catalog/staying.ts';
import type { SessionContext } from '../engine.ts';
import type { SourceColumn } from '../formats/format.ts';
import { checkConnector, connectorOptions, openConnector, withSchemas } from '../sources/connectors.ts';
import type { Source } from '../sources/source.ts';
import { checkFilesOfOptions, checkNeeds } from './access.ts';
import { startOffsets } from './backfill.ts';
import { checkConstraint, withCheck } from './check_constraint.ts';
import { addSequence, columnSequence } from './column_sequence.ts';
import {
  addPlainIndex,
  addUnique,
  keyColumn,
  plainIndex,
  type UniqueConstraint,
  uniqueConstraint,
} from './create_index.ts';
import { columnDefault, domainDefault, namedInLiterals, nextValue } from './default_value.ts';
import { defineFilled } from './define_filled.ts';
import { dropOne } from './drop_one.ts';
import type { TidemarkEngine } from './engine.ts';
import { foreignKey } from './foreign_key.ts';
import { generatedColumn } from './generated_column.ts';
import { checkComparable } from './index_parts.ts';
import { takeRetention } from './kept_changes.ts';
import { withLikes } from './like.ts';
import { LocalStream } from './local_stream.ts';
import { nameTaken } from './names.ts';
import { readQuery } from './queries.ts';
import { checkNotSystem } from './rename_column.ts';
import { bindAlone, isImmutable } from './row_expression.ts';
import { sourceDefault } from './source_default.ts';
import { sourceSpec } from './source_spec.ts';
import { withoutStorageParameters } from './storage_parameters.ts';
import { StoredRelation } from './stored_relation.ts';
import { StreamRuntime } from './stream.ts';
import { targetSchema } from './target_schema.ts';
import { dropAtEnd } from './temporary.ts';
import { checkLastingTypes, columnType, namedInSyntax, typesOfColumns } from './type_users.ts';
import { watermarkOf } from './watermark.ts';

type CreateRelation = Extract<Statement, { k: 'create_relation' }>;

/** Gives the command tag for CREATE TABLE AS, null otherwise. */
export async function createRelation(
  engine: TidemarkEngine,
  written: CreateRelation,
  session: SessionContext,
  signal: AbortSignal,
): Promise<string | null> {
  const said = { ...written, schema: targetSchema(engine, written, session) };
  if (said.onCommit !== undefined && !isTemporary(said.schema)) {
    throw new SqlError('42P16', 'ON COMMIT can only be used on temporary tables');
  }
  if (nameTaken(engine, said.schema, said.name, said.ifNotExists, session)) return null;
  if (said.asQuery !== null) return createTableAs(engine, said, session, signal);
  const { statement, copied } = withLikes(engine, said, session);
  const columns = tableColumns(engine, statement, session);
  for (const { column } of copied.generated) columns[column].generated = true;
  const included = statement.include.map((item) => includedColumn(item));
  const all = [...columns, ...included.map(({ name, type }) => ({ name, type, notNull: false }))];
  checkNames(all);
  checkLastingTypes(engine, said.schema, all);
  // What an earlier version wrote down has no rows of such types, but is there.
  if (engine.replay === null) {
    checkTypes(all);
    if (statement.kind === 'table') for (const { name } of all) checkNotSystem(name);
  }
  const key = primaryKey(statement, all);
  if (key !== null && engine.replay === null) checkComparable(all, key);
  checkUniqueAllowed(statement);
  // Rows of a topic's stream are not kept, and changes of what is not kept are not either.
  const keeps = statement.kind === 'table' || !hasConnector(statement);
  const { retention, rest } = keeps
    ? takeRetention(statement.options)
    : { retention: undefined, rest: statement.options };
  const connector = connectorOptions(statement.kind === 'table' ? withoutStorageParameters(rest) : rest);
  if (connector === null && included.length > 0) throw new SqlError('42601', 'INCLUDE needs a connector');
  if (connector !== null) checkFilesOfOptions(engine, connector.options, session);
  const relation: Relation = {
    oid: engine.catalog.newOid(),
    schema: said.schema,
    name: statement.name,
    kind: statement.kind,
    columns: all,
    key,
    appendOnly: statement.kind === 'stream',
    indexes: key === null ? [] : [key],
    watermark: watermarkOf(engine, statement, all, session),
  };
  const sequences = columnSequences(engine, relation, statement, session);
  const unique = uniqueConstraints(engine, relation, statement, session);
  const defaults: (ColumnDefault | null)[] = all.map((_, i) => {
    const own = sequences.find(({ owner }) => owner?.column === i);
    if (own !== undefined) return nextValue(own.oid);
    const alike = copied.defaults.get(i);
    if (alike !== undefined) return alike;
    const node = statement.columns[i]?.default ?? null;
    return node === null ? null : columnDefault(engine, node, statement.text, all[i].type, session);
  });
  const bound = defaults.map((d, i) => {
    if (d === null) return null;
    return bindAlone(engine, d.node, d.text, session, { target: all[i].type, place: 'default' });
  });
  const checks = checkConstraints(engine, relation, statement, copied.checks, session);
  const foreignKeys = foreignKeysOf(engine, relation, statement, { checks, unique }, session);
  const ownGenerated = statement.columns.flatMap((column, i) => {
    return generatedColumn(engine, relation, i, column, statement.text, session) ?? [];
  });
  const generated = [...ownGenerated, ...copied.generated];
  if (generated.length > 0 && connector !== null) throw unsupported('a generated column over a connector');
  const fields: SourceColumn[] = columns.map((c) => ({ ...c, origin: { k: 'field', name: c.name } }));
  if (connector !== null) {
    fields.forEach((field, i) => {
      checkRepeatable(field);
      const expr = bound[i] ?? domainDefaultOf(engine, relation, i, session);
      if (expr !== null) field.default = sourceDefault(field.name, expr, session);
    });
  }
  const indexes: IndexObject[] = [];
  for (const index of copied.indexes) {
    const taken = indexes.map(({ name }) => name);
    indexes.push(plainIndex(engine, relation, index, statement.text, taken, session));
  }
  let open: (() => void) | null = null;
  const source = connector === null ? null : sourceSpec(statement.kind, connector, [...fields, ...included], key);
  if (source === null) {
    addRows(engine, relation);
    if (relation.watermark !== undefined) engine.localStreams.set(relation.oid, new LocalStream(relation));
  } else open = await attachSource(engine, relation, source);
  const object: RelationObject = {
    kind: statement.kind,
    retention,
    oid: relation.oid,
    schema: relation.schema,
    name: relation.name,
    sql: statement.text,
    dependencies: [],
    relation,
    defaults,
    checks,
    generated,
    foreignKeys,
    source,
    comments: copied.comments,
    ...emptied(said),
  };
  try {
    engine.define(
      object,
      session,
      // Also its own sequences: one may be dropped without the table, by CASCADE.
      [
        ...defaults.flatMap((value) => value?.sequences ?? []),
        ...namedInLiterals(engine, statement, session),
        ...namedInSyntax(engine, statement, session.searchPath),
        ...typesOfColumns(all),
        ...foreignKeys.map(({ references }) => references).filter((oid) => oid !== relation.oid),
        ...copied.reads,
        ...indexes.map(({ oid }) => oid),
      ],
    );
  } catch (error) {
    await dropOne(engine, object)?.();
    throw error;
  }
  for (const sequence of sequences) addSequence(engine, sequence);
  for (const constraint of unique) addUnique(engine, relation, constraint);
  for (const index of indexes) addPlainIndex(engine, relation, index);
  if (said.onCommit === 'drop') dropAtEnd(engine, object, session);
  open?.();
  return null;
}

/** What a stream's column has for a field that is not there, as its domain says by now. */
function domainDefaultOf(
  engine: TidemarkEngine,
  { columns }: Relation,
  column: number,
  session: SessionContext,
): Expr | null {
  const { type } = columns[column];
  const value = domainDefault(engine.catalog, type);
  if (value !== null) return bindAlone(engine, value.node, value.text, session, { target: type, place: 'default' });
  return null;
}

/** Records of a connector are read again: what is bad must be bad then. */
function checkRepeatable({ name, type }: SourceColumn): void {
  if (conditionsOf(type).every(isImmutable)) return;
  throw unsupported(`a domain with a constraint that is not immutable ("${name}") over a connector`);
}

/** ON COMMIT DELETE ROWS, as it is kept. */
function emptied({ onCommit }: CreateRelation): Pick<RelationObject, 'emptied'> {
  return onCommit === 'delete' ? { emptied: true } : {};
}

/** The place of its rows, which are none yet. */
function addRows({ loop }: TidemarkEngine, { oid, columns, indexes, key }: Relation): void {
  const types = columns.map((c) => c.type);
  loop.addRelation(oid, new StoredRelation(types, indexes, false, key, true));
}

function hasConnector({ options }: CreateRelation): boolean {
  return options.some(({ name }) => name === 'connector');
}

function checkConstraints(
  engine: TidemarkEngine,
  relation: Relation,
  statement: CreateRelation,
  copied: CheckConstraint[],
  session: SessionContext,
): CheckConstraint[] {
  const { checks, text } = statement;
  if (checks.length + copied.length > 0 && hasConnector(statement)) {
    throw unsupported('a CHECK constraint on a relation with a connector');
  }
  let there: CheckConstraint[] = [];
  const checkFree = (wanted: string | null) => {
    if (!there.some(({ name }) => name === wanted)) return;
    throw new SqlError('42710', `check constraint "${wanted}" already exists`);
  };
  for (const check of copied) {
    checkFree(check.name);
    there = withCheck(there, { ...check, number: there.length + 1, since: engine.loop.tick });
  }
  for (const definition of checks) {
    checkFree(definition.name);
    const beside = { names: there.map(({ name }) => name), numbers: there.map(({ number }) => number) };
    there = withCheck(there, checkConstraint(engine, relation, definition, text, beside, session));
  }
  return there;
}

function foreignKeysOf(
  engine: TidemarkEngine,
  relation: Relation,
  statement: CreateRelation,
  { checks, unique }: { checks: CheckConstraint[]; unique: UniqueConstraint[] },
  session: SessionContext,
): ForeignKey[] {
  if (statement.foreignKeys.length === 0) return [];
  if (hasConnector(statement)) {
    throw unsupported('a FOREIGN KEY constraint on a table with a connector');
  }
  const there = {
    names: [`${relation.name}_pkey`, ...checks.map(({ name }) => name), ...unique.map(({ name }) => name)],
    numbers: checks.map(({ number }) => number),
    keys: unique.map(({ columns }) => columns),
    emptied: statement.onCommit === 'delete',
  };
  return inOrderOfNames(
    statement.foreignKeys.map((definition) => foreignKey(engine, relation, definition, there, session)),
  );
}

/** The sequences of serial and identity columns, each with a name of its own. */
function columnSequences(
  engine: TidemarkEngine,
  relation: Relation,
  statement: CreateRelation,
  session: SessionContext,
): SequenceObject[] {
  const taken = [relation.name, `${relation.name}_pkey`];
  return statement.columns.flatMap(({ serial, identity }, column) => {
    if (!serial && identity === null) return [];
    const options = identity?.options ?? {};
    const sequence = columnSequence(engine, relation, column, options, statement.text, taken, session);
    taken.push(sequence.name);
    return [sequence];
  });
}

function checkUniqueAllowed(statement: CreateRelation): void {
  if (statement.unique.length === 0) return;
  if (statement.kind === 'stream') throw new SqlError('42P16', 'a stream has no unique constraints');
  if (hasConnector(statement)) {
    throw unsupported('a UNIQUE constraint on a table with a connector');
  }
}

/** Each has a name of its own, beside that of the primary key. */
function uniqueConstraints(
  engine: TidemarkEngine,
  relation: Relation,
  statement: CreateRelation,
  session: SessionContext,
): UniqueConstraint[] {
  const made: UniqueConstraint[] = [];
  for (const constraint of statement.unique) {
    const taken = [relation.name, `${relation.name}_pkey`, ...made.map(({ name }) => name)];
    made.push(uniqueConstraint(engine, relation, constraint, statement.text, { names: taken, gone: [] }, session));
  }
  return made;
}

/** The source of a connector; `check`: what it names must be there. */
export async function openSource(engine: TidemarkEngine, spec: ConnectorSpec, check = false): Promise<Source> {
  const given = engine.openSource(spec);
  if (given !== null) return withSchemas(spec, given);
  if (check) await checkConnector(spec, engine);
  return withSchemas(spec, await openConnector(spec, engine.log, engine));
}

/** Gives what begins to read, where that does not wait for a view. */
async function attachSource(
  engine: TidemarkEngine,
  relation: Relation,
  spec: ConnectorSpec,
): Promise<(() => void) | null> {
  const source = await openSource(engine, spec, engine.replay === null);
  const stream = new StreamRuntime(relation.oid, relation, spec, source);
  engine.streams.set(relation.oid, stream);
  if (spec.envelope === 'append') return null;
  // A keyed table keeps its rows, so it reads from the start whether or not a view needs it.
  addRows(engine, relation);
  const offsets = await startOffsets(engine, stream);
  return () => engine.sourceTicks.openStream(stream, offsets);
}

function tableColumns(engine: TidemarkEngine, statement: CreateRelation, session: SessionContext): RelationColumn[] {
  return statement.columns.map((column: ColumnDef) => ({
    name: column.name,
    type: columnType(engine, column.type, session),
    notNull: column.notNull || column.primaryKey || (statement.primaryKey?.includes(column.name) ?? false),
    ...(column.generated === null ? {} : { generated: true as const }),
    ...(column.identity === null ? {} : { identity: column.identity.always ? ('a' as const) : ('d' as const) }),
  }));
}

export function checkTypes(columns: RelationColumn[]): void {
  for (const { name, type } of columns) {
    if (typeByOid(type.oid)?.kind === 'p') {
      throw new SqlError('42P16', `column "${name}" has pseudo-type ${formatType(type.oid)}`);
    }
    if (!hasIo(type.oid)) throw unsupported(`a column of type ${formatType(type.oid)} ("${name}")`);
  }
}

function checkNames(columns: RelationColumn[]): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name)) throw new SqlError('42701', `column "${name}" specified more than once`);
    seen.add(name);
  }
}

function primaryKey(statement: CreateRelation, columns: RelationColumn[]): number[] | null {
  const named = statement.primaryKey ?? statement.columns.filter((c) => c.primaryKey).map((c) => c.name);
  if (named.length === 0) return null;
  if (statement.kind === 'stream') {
    throw new SqlError('42P16', 'a stream has no primary key', {
      hint: 'Use CREATE TABLE for rows that are changed by key.',
    });
  }
  return named.map((name) => keyColumn(columns, name));
}

const INCLUDED: Record<IncludeKind, ColType> = {
  key: colType(OID.text),
  partition: colType(OID.int4),
  offset: colType(OID.int8),
  timestamp: colType(OID.timestamptz),
  headers: colType(OID.jsonb),
};

function includedColumn(item: { kind: IncludeKind; as: string }): SourceColumn {
  return { name: item.as, type: INCLUDED[item.kind], notNull: false, origin: { k: item.kind } };
}

async function createTableAs(
  engine: TidemarkEngine,
  statement: CreateRelation & { schema: string },
  session: SessionContext,
  signal: AbortSignal,
): Promise<string> {
  if (statement.options.length > 0) throw unsupported('CREATE TABLE AS with options');
  const query = statement.asQuery;
  if (query === null) throw new Error('CREATE TABLE AS without a query');
  const env = engine.bindEnv(session, [], 'read');
  const bound = bindQuery(query, { ...env, allowAsOf: true });
  checkNeeds(engine, env.needs, session);
  const columns = bound.columns.map(({ col }, i) => ({
    name: statement.columns[i]?.name ?? col.name,
    type: col.type,
    notNull: false,
  }));
  checkNames(columns);
  if (engine.replay === null) for (const { name } of columns) checkNotSystem(name);
  checkLastingTypes(engine, statement.schema, columns);
  const needs = [...bound.dependencies, ...bound.types, ...typesOfColumns(columns)];
  const relation: Relation = {
    oid: 0,
    schema: statement.schema,
    name: statement.name,
    kind: 'table',
    columns,
    key: null,
    appendOnly: false,
    indexes: [],
  };
  const make = (): RelationObject => {
    relation.oid = engine.catalog.newOid();
    const { oid, schema, name } = relation;
    const defaults = columns.map(() => null);
    return {
      kind: 'table',
      retention: undefined,
      oid,
      schema,
      name,
      sql: statement.text,
      dependencies: [],
      relation,
      defaults,
      checks: [],
      generated: [],
      foreignKeys: [],
      source: null,
      ...emptied(statement),
    };
  };
  const addStore = () => addRows(engine, relation);
  if (engine.replay !== null) {
    // The rows come from the log.
    const object = make();
    addStore();
    engine.define(object, session, needs);
    return 'SELECT';
  }
  const isSame = stillSame(engine.catalog, needs);
  const check = () => {
    checkStaying(engine.catalog, needs, session.searchPath);
    isSame();
  };
  const transaction = engine.transactionOf(session);
  // Rows that no transaction leaves are never published.
  const fresh = transaction.isFresh && statement.onCommit !== 'delete';
  const { pieces, arena } = await readQuery(engine, planQuery(bound, { mode: 'read' }), bound, session, signal);
  try {
    const types = columns.map((c) => c.type);
    const batch = oneBatch(pieces, types, arena);
    const object = make();
    if (fresh) {
      const rows = consolidator(types)(batch, arena);
      await defineFilled(engine, { object, rows, reads: needs, check, addStore }, session, signal);
      transaction.forgetReads();
    } else {
      // Within a transaction that has read or written the rows are as much a part of it as what they come from.
      check();
      // The name may be taken meanwhile, or the schema gone.
      engine.catalog.check(object, session.searchPath);
      addStore();
      engine.define(object, session, needs);
      transaction.write(relation.oid, batch);
    }
    if (statement.onCommit === 'drop') dropAtEnd(engine, object, session);
    return `SELECT ${batch.n}`;
  } finally {
    arena.release();
  }
}
