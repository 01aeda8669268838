/** Data definition: libpg-query's CREATE, DROP and TRUNCATE nodes as Tidemark's statements. What has no place there is refused by name. */
import { SqlError } from '../../operators/errors.ts';
import type {
  CheckDef,
  ColumnDef,
  ForeignKeyDef,
  KeyConstraint,
  LikeClause,
  OnCommit,
  PgNode,
  SelectNode,
  Statement,
} from './ast.ts';
import { foreignKeyOf, foreignKeysOfColumn, isForeignKeyPart } from './convert_foreign_key.ts';
import { functionName } from './convert_function.ts';
import { roleSpec } from './convert_role.ts';
import { identityOf, serialType } from './convert_sequence.ts';
import { defElemOptions, qualified, rangeVarName, strings } from './node_fields.ts';
import { errorAt, type Source } from './positions.ts';

type Kind<K extends Statement['k']> = Extract<Statement, { k: K }>;

export const refuse = (source: Source, what: string, location?: number): SqlError =>
  errorAt(source, '0A000', `${what} is not supported`, location);

export const REFUSED_CONSTRAINT: Record<string, string> = {
  CONSTR_EXCLUSION: 'an EXCLUDE constraint',
  CONSTR_ATTR_DEFERRABLE: 'a deferrable constraint',
  CONSTR_ATTR_DEFERRED: 'a deferrable constraint',
};

export function columnOf(node: PgNode, table: string, source: Source): ColumnDef {
  const serial = serialType(node.typeName);
  const column: ColumnDef = {
    name: node.colname,
    type: serial ?? node.typeName,
    notNull: serial !== null,
    primaryKey: false,
    default: null,
    serial: serial !== null,
    identity: null,
    generated: null,
    location: node.location ?? -1,
  };
  const of = `specified for column "${column.name}" of table "${table}"`;
  for (const { Constraint: constraint } of node.constraints ?? []) {
    if (isForeignKeyPart(node, constraint)) continue;
    const refused = REFUSED_CONSTRAINT[constraint.contype];
    if (refused !== undefined) throw refuse(source, refused, constraint.location);
    if (constraint.contype === 'CONSTR_NOTNULL') column.notNull = true;
    if (constraint.contype === 'CONSTR_PRIMARY') column.primaryKey = column.notNull = true;
    if (constraint.contype === 'CONSTR_DEFAULT') {
      if (column.serial || column.default !== null) {
        throw errorAt(
          source,
          '42601',
          `multiple default values ${of}`,
          column.serial ? undefined : constraint.location,
        );
      }
      column.default = constraint.raw_expr;
    }
    if (constraint.contype === 'CONSTR_IDENTITY') {
      if (column.identity !== null)
        throw errorAt(source, '42601', `multiple identity specifications ${of}`, constraint.location);
      column.identity = identityOf(constraint, source);
      column.notNull = true;
    }
    if (constraint.contype === 'CONSTR_GENERATED') {
      const { raw_expr: expr, location = 0, generated_kind: kind } = constraint;
      if (column.generated !== null) throw errorAt(source, '42601', `multiple generation clauses ${of}`, location);
      column.generated = { expr, location, virtual: kind === 'v' };
    }
    if (column.generated !== null && (column.serial || column.default !== null)) {
      throw errorAt(source, '42601', `both default and generation expression ${of}`, constraint.location);
    }
    if (column.generated !== null && column.identity !== null) {
      throw errorAt(source, '42601', `both identity and generation expression ${of}`, constraint.location);
    }
    if (column.identity !== null && (column.serial || column.default !== null)) {
      throw errorAt(source, '42601', `both default and identity ${of}`, constraint.location);
    }
    if (constraint.contype === 'CONSTR_NULL' && (column.serial || column.identity !== null)) {
      const message = `conflicting NULL/NOT NULL declarations for column "${column.name}" of table "${table}"`;
      throw errorAt(source, '42601', message, constraint.location);
    }
  }
  return column;
}

/** The content of a UNIQUE or PRIMARY KEY constraint over these columns. */
export function keyOf(constraint: PgNode, columns: string[], source: Source): KeyConstraint {
  const { location } = constraint;
  if (constraint.deferrable) throw refuse(source, 'a deferrable constraint', location);
  const nullsEqual = constraint.nulls_not_distinct === true;
  return { name: constraint.conname ?? null, columns, nullsEqual, location: location ?? -1 };
}

/** The columns that a PRIMARY KEY or UNIQUE of a table names. */
export function keyColumnsOf({ keys, without_overlaps, location }: PgNode, source: Source): string[] {
  if (without_overlaps) throw refuse(source, 'WITHOUT OVERLAPS', location);
  return strings(keys);
}

/** The content of a CHECK constraint. */
export function checkOf(constraint: PgNode, source: Source): CheckDef {
  const { conname, raw_expr: expr, location = 0 } = constraint;
  if (constraint.is_enforced !== true) throw refuse(source, 'NOT ENFORCED', location);
  return { name: conname ?? null, expr, noInherit: constraint.is_no_inherit === true, notValid: false, location };
}

/** The columns, the primary key, the UNIQUE, CHECK and FOREIGN KEY constraints of a CREATE TABLE's element list. */
function elementsOf(
  elements: PgNode[],
  table: string,
  source: Source,
): Pick<Kind<'create_relation'>, 'columns' | 'primaryKey' | 'unique' | 'checks' | 'foreignKeys' | 'likes'> {
  const columns: ColumnDef[] = [];
  const unique: KeyConstraint[] = [];
  const checks: CheckDef[] = [];
  const foreignKeys: ForeignKeyDef[] = [];
  const likes: LikeClause[] = [];
  let primaryKey: string[] | null = null;
  const setKey = (names: string[], location: number | undefined): void => {
    if (primaryKey !== null) {
      throw errorAt(source, '42P16', `multiple primary keys for table "${table}" are not allowed`, location);
    }
    primaryKey = names;
  };
  for (const element of elements) {
    if (element.ColumnDef) {
      const column = columnOf(element.ColumnDef, table, source);
      const { name } = column;
      if (columns.some((other) => other.name === name)) {
        throw new SqlError('42701', `column "${name}" specified more than once`);
      }
      columns.push(column);
      const key = (element.ColumnDef.constraints ?? []).find((c: PgNode) => c.Constraint.contype === 'CONSTR_PRIMARY');
      if (key !== undefined) setKey([name], key.Constraint.location);
      foreignKeys.push(...foreignKeysOfColumn(element.ColumnDef, source));
      for (const { Constraint: constraint } of element.ColumnDef.constraints ?? []) {
        if (constraint.contype === 'CONSTR_UNIQUE') unique.push(keyOf(constraint, [name], source));
        if (constraint.contype === 'CONSTR_CHECK') checks.push(checkOf(constraint, source));
      }
    } else if (element.Constraint?.contype === 'CONSTR_PRIMARY') {
      setKey(keyColumnsOf(element.Constraint, source), element.Constraint.location);
    } else if (element.Constraint?.contype === 'CONSTR_UNIQUE') {
      unique.push(keyOf(element.Constraint, keyColumnsOf(element.Constraint, source), source));
    } else if (element.Constraint?.contype === 'CONSTR_CHECK') {
      checks.push(checkOf(element.Constraint, source));
    } else if (element.Constraint?.contype === 'CONSTR_FOREIGN') {
      foreignKeys.push(foreignKeyOf(element.Constraint, strings(element.Constraint.fk_attrs), source));
    } else if (element.Constraint) {
      const what = REFUSED_CONSTRAINT[element.Constraint.contype] ?? 'a table constraint of this kind';
      throw refuse(source, what, element.Constraint.location);
    } else {
      likes.push(likeOf(element.TableLikeClause, columns.length));
    }
  }
  for (const name of primaryKey ?? []) {
    const column = columns.find((candidate) => candidate.name === name);
    if (column === undefined && likes.length > 0) continue;
    if (column === undefined) throw new SqlError('42703', `column "${name}" named in key does not exist`);
    column.primaryKey = column.notNull = true;
  }
  return { columns, primaryKey, unique, checks, foreignKeys, likes };
}

/** Bits of TableLikeClause.options. */
const INCLUDING = { comments: 1, constraints: 4, defaults: 8, generated: 16, identity: 32, indexes: 64 };

function likeOf({ relation, options = 0 }: PgNode, at: number): LikeClause {
  const has = (bit: number) => (options & bit) !== 0;
  return {
    relation: rangeVarName(relation),
    at,
    constraints: has(INCLUDING.constraints),
    defaults: has(INCLUDING.defaults),
    generated: has(INCLUDING.generated),
    identity: has(INCLUDING.identity),
    indexes: has(INCLUDING.indexes),
    comments: has(INCLUDING.comments),
  };
}

/** CREATE TABLE; also CREATE STREAM, which is parsed as a table once its own words are taken out. */
export function createTable(node: PgNode, source: Source): Kind<'create_relation'> {
  const { relation } = node;
  if (node.inhRelations || node.partbound) throw refuse(source, 'table inheritance', relation.location);
  if (node.partspec) throw refuse(source, 'table partitioning', node.partspec.location);
  if (node.ofTypename) throw refuse(source, 'CREATE TABLE OF', node.ofTypename.location);
  return {
    ...source,
    k: 'create_relation',
    kind: 'table',
    ...rangeVarName(relation),
    ifNotExists: node.if_not_exists === true,
    ...elementsOf(node.tableElts ?? [], relation.relname, source),
    watermark: null,
    include: [],
    options: defElemOptions(node.options, source),
    temporary: relation.relpersistence === 't',
    ...onCommitOf(node),
    asQuery: null,
  };
}

const ON_COMMIT: Record<string, OnCommit> = { ONCOMMIT_DELETE_ROWS: 'delete', ONCOMMIT_DROP: 'drop' };

function onCommitOf({ oncommit }: PgNode): { onCommit?: OnCommit } {
  const onCommit = ON_COMMIT[oncommit];
  return onCommit === undefined ? {} : { onCommit };
}

/** CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW share one node. */
export function createTableAs(node: PgNode, source: Source): Kind<'create_relation'> | Kind<'create_view'> {
  const { into } = node;
  const select = node.query.SelectStmt as PgNode | undefined;
  if (select === undefined) throw refuse(source, 'CREATE TABLE AS EXECUTE', into.rel.location);
  const query: SelectNode = { select, text: source.text };
  const columnNames = strings(into.colNames);
  const options = defElemOptions(into.options, source);
  const withNoData = into.skipData === true;
  if (node.objtype === 'OBJECT_MATVIEW') {
    return {
      ...source,
      k: 'create_view',
      materialized: true,
      orReplace: false,
      ifNotExists: node.if_not_exists === true,
      ...rangeVarName(into.rel),
      columnNames,
      query,
      options,
      withNoData,
    };
  }
  return {
    ...tableFromQuery(into, query, source),
    ifNotExists: node.if_not_exists === true,
    columnNames,
    options,
    withNoData,
  };
}

/** The relation that an INTO clause makes of a query. */
export function tableFromQuery(into: PgNode, query: SelectNode, source: Source): Kind<'create_relation'> {
  return {
    ...source,
    k: 'create_relation',
    kind: 'table',
    ...rangeVarName(into.rel),
    ifNotExists: false,
    columns: [],
    primaryKey: null,
    unique: [],
    checks: [],
    foreignKeys: [],
    likes: [],
    watermark: null,
    include: [],
    options: [],
    temporary: into.rel.relpersistence === 't',
    ...onCommitOf({ oncommit: into.onCommit }),
    asQuery: query,
  };
}

export function createView(node: PgNode, source: Source): Kind<'create_view'> {
  if (node.withCheckOption !== undefined && node.withCheckOption !== 'NO_CHECK_OPTION') {
    throw refuse(source, 'WITH CHECK OPTION', node.view.location);
  }
  return {
    ...source,
    k: 'create_view',
    materialized: false,
    orReplace: node.replace === true,
    ifNotExists: false,
    ...rangeVarName(node.view),
    columnNames: strings(node.aliases),
    query: { select: node.query.SelectStmt, text: source.text },
    options: defElemOptions(node.options, source),
    temporary: node.view.relpersistence === 't',
  };
}

export function createIndex(node: PgNode, source: Source): Kind<'create_index'> {
  const { schema, name: relation } = rangeVarName(node.relation);
  return {
    ...source,
    k: 'create_index',
    ifNotExists: node.if_not_exists === true,
    name: node.idxname ?? null,
    ...(schema === undefined ? {} : { schema }),
    relation,
    columns: (node.indexParams ?? []).map((item: PgNode) => item.IndexElem),
    where: node.whereClause ?? null,
    unique: node.unique === true,
    nullsEqual: node.nulls_not_distinct === true,
    method: node.accessMethod ?? 'btree',
    include: (node.indexIncludingParams ?? []).map((item: PgNode) => item.IndexElem),
    options: defElemOptions(node.options, source),
    location: node.relation.location ?? 0,
  };
}

export function createSchema(node: PgNode, source: Source): Kind<'create_schema'> {
  if (node.schemaElts) throw refuse(source, 'CREATE SCHEMA with elements');
  const name = node.schemaname ?? node.authrole?.rolename;
  if (name === undefined) throw refuse(source, 'CREATE SCHEMA AUTHORIZATION CURRENT_ROLE', node.authrole?.location);
  const owner = node.authrole === undefined ? {} : { owner: roleSpec(node.authrole) };
  return { ...source, k: 'create_schema', name, ifNotExists: node.if_not_exists === true, ...owner };
}

/** CASCADE would make extensions that it needs: there are no such. */
export function createExtension(node: PgNode, source: Source): Kind<'create_extension'> {
  const option = (name: string): string | undefined =>
    (node.options ?? []).find((item: PgNode) => item.DefElem.defname === name)?.DefElem.arg?.String?.sval;
  return {
    ...source,
    k: 'create_extension',
    name: node.extname,
    schema: option('schema'),
    version: option('new_version'),
    ifNotExists: node.if_not_exists === true,
  };
}

const DROP_KIND: Record<string, Kind<'drop'>['kind']> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'view',
  OBJECT_MATVIEW: 'materialized_view',
  OBJECT_INDEX: 'index',
  OBJECT_SEQUENCE: 'sequence',
  OBJECT_SCHEMA: 'schema',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'domain',
  OBJECT_FUNCTION: 'function',
  OBJECT_EXTENSION: 'extension',
  OBJECT_PUBLICATION: 'publication',
};

function namePath({ List: list, String: word, TypeName: type }: PgNode): string[] {
  return list ? strings(list.items) : type ? strings(type.names) : [word.sval];
}

/** DROP of the kinds that Tidemark has; null for others. PostgreSQL's node keeps no positions of the names. */
export function drop(node: PgNode, source: Source): Kind<'drop'> | null {
  const kind = DROP_KIND[node.removeType];
  if (kind === undefined) return null;
  const names = (node.objects as PgNode[]).map((object) => ({
    ...(object.ObjectWithArgs ? functionName(object.ObjectWithArgs) : qualified(namePath(object))),
    location: -1,
  }));
  return {
    ...source,
    k: 'drop',
    kind,
    names,
    ifExists: node.missing_ok === true,
    cascade: node.behavior === 'DROP_CASCADE',
  };
}

export function dropSubscription(node: PgNode, source: Source): Kind<'drop'> {
  return {
    ...source,
    k: 'drop',
    kind: 'subscription',
    names: [{ name: node.subname, location: -1 }],
    ifExists: node.missing_ok === true,
    cascade: node.behavior === 'DROP_CASCADE',
  };
}

export function truncate(node: PgNode, source: Source): Kind<'truncate'> {
  return {
    ...source,
    k: 'truncate',
    names: node.relations.map((item: PgNode) => rangeVarName(item.RangeVar)),
    restartIdentity: node.restart_seqs === true,
    cascade: node.behavior === 'DROP_CASCADE',
  };
}
