/**
 * CREATE and ALTER PUBLICATION: which relations replication gives the changes of (src/postgres/replication).
 *
 *   FOR TABLE a, b | TABLES IN SCHEMA s | ALL TABLES  ->  tables, materialized views and local streams whose changes are kept
 *
 * To PostgreSQL only tables can be published; here a materialized view is what one wants to have elsewhere.
 */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import type { Option, PublishedObjects, Statement } from '../../planner/parse/ast.ts';
import type { PublicationObject, Publish } from '../catalog/objects.ts';
import { CREATE } from '../catalog/privileges.ts';
import type { SessionContext } from '../engine.ts';
import { checkDatabase, checkOwner } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { relationNamed } from './names.ts';
import { isRestricted } from './role_names.ts';

type Kind<K extends Statement['k']> = Extract<Statement, { k: K }>;

const ALL: Publish = { insert: true, update: true, delete: true, truncate: true };
const NOT_PUBLISHED: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema', 'tidemark']);

export function createPublication(
  engine: TidemarkEngine,
  statement: Kind<'create_publication'>,
  session: SessionContext,
): void {
  const { name, all, text: sql } = statement;
  const { catalog } = engine;
  if (catalog.ofServer('publication', name, session.searchPath) !== undefined)
    throw new SqlError('42710', `publication "${name}" already exists`);
  checkDatabase(engine, CREATE, session);
  if ((all || statement.schemas.length > 0) && isRestricted(engine, session)) {
    const what = all ? 'FOR ALL TABLES' : 'FOR TABLES IN SCHEMA';
    throw new SqlError('42501', `must be superuser to create ${what} publication`);
  }
  const tables = published(engine, statement, session);
  const publish = publishOf(statement.options, ALL);
  const schemas = schemasOf(engine, statement, session);
  const oid = catalog.newOid();
  const object = {
    kind: 'publication' as const,
    oid,
    schema: 'public',
    name,
    sql,
    dependencies: [],
    all,
    tables,
    schemas,
    publish,
  };
  engine.define(object, session, tables);
}

export function alterPublication(
  engine: TidemarkEngine,
  statement: Kind<'alter_publication'>,
  session: SessionContext,
): void {
  const { catalog } = engine;
  const object = catalog.ofServer('publication', statement.name, session.searchPath);
  if (object === undefined) throw new SqlError('42704', `publication "${statement.name}" does not exist`);
  checkOwner(engine, object, session);
  if (statement.action === 'options') object.publish = publishOf(statement.options, object.publish);
  else change(engine, object, statement.action, statement, session);
  catalog.version++;
  engine.defined({ sql: statement.text, made: object.oid, dropped: [], altered: object.oid }, session, [object.oid]);
}

function change(
  engine: TidemarkEngine,
  object: PublicationObject,
  action: 'add' | 'drop' | 'set',
  said: PublishedObjects,
  session: SessionContext,
): void {
  if (object.all)
    throw new SqlError('55000', `publication "${object.name}" is defined as FOR ALL TABLES`, {
      detail: 'Tables or schemas cannot be added to or dropped from FOR ALL TABLES publications.',
    });
  if (said.schemas.length > 0 && isRestricted(engine, session))
    throw new SqlError('42501', 'must be superuser to add or set schemas');
  const tables = published(engine, said, session);
  const inIt = new Set(object.tables);
  for (const oid of tables) {
    const name = engine.catalog.get(oid)?.name;
    if (action === 'add' && inIt.has(oid))
      throw new SqlError('42710', `relation "${name}" is already member of publication "${object.name}"`);
    if (action === 'drop' && !inIt.has(oid))
      throw new SqlError('42704', `relation "${name}" is not part of the publication`);
  }
  const merged = <T>(before: T[], these: T[]): T[] =>
    action === 'set'
      ? these
      : action === 'add'
        ? [...new Set([...before, ...these])]
        : before.filter((one) => !these.includes(one));
  object.tables = merged(object.tables, tables);
  object.schemas = merged(object.schemas, schemasOf(engine, said, session));
}

/** The OIDs of the tables that a statement names. In the log there may be such as were dropped later. */
function published(engine: TidemarkEngine, { tables }: PublishedObjects, session: SessionContext): number[] {
  const { catalog } = engine;
  const oids = tables.flatMap((named) => {
    if (engine.replay !== null && catalog.find(named.schema, named.name, session.searchPath) === undefined) return [];
    const relation = relationNamed(engine, named, session);
    const object = catalog.get(relation.oid);
    if (object === undefined)
      throw new SqlError('22023', `cannot add relation "${named.name}" to publication`, {
        detail: 'This operation is not supported for system tables.',
      });
    checkOwner(engine, object, session);
    if (engine.replay === null && !isPublishable(engine, relation.oid))
      throw new SqlError('22023', `cannot add relation "${named.name}" to publication`, {
        detail: 'Its changes are not kept.',
        hint: 'Publish tables, streams without a connector, and materialized views, that are not temporary and have a retention.',
      });
    return [relation.oid];
  });
  return [...new Set(oids)];
}

/** The same of schemas. */
function schemasOf(
  { catalog, replay }: TidemarkEngine,
  { schemas }: PublishedObjects,
  session: SessionContext,
): number[] {
  return schemas.flatMap((schema) => {
    if (catalog.seesSchema(schema, session.searchPath)) return [catalog.schemaOid(schema, session.searchPath)];
    if (replay !== null) return [];
    throw new SqlError('3F000', `schema "${schema}" does not exist`);
  });
}

/** Whether replication can give the relation's changes. */
export function isPublishable({ catalog, changes }: TidemarkEngine, oid: number): boolean {
  const object = catalog.get(oid);
  if (object === undefined || isTemporary(object.schema) || NOT_PUBLISHED.has(object.schema)) return false;
  return ['table', 'stream', 'materialized_view'].includes(object.kind) && changes.log(oid) !== null;
}

/** The OIDs of what a publication gives now. */
export function publishedBy(engine: TidemarkEngine, { all, tables, schemas }: PublicationObject): number[] {
  return engine.catalog
    .objects()
    .filter(({ oid, schema }) => all || tables.includes(oid) || schemas.includes(engine.catalog.schemaOid(schema)))
    .map(({ oid }) => oid)
    .filter((oid) => isPublishable(engine, oid) && !engine.catalog.open.has(oid));
}

function publishOf(options: Option[], before: Publish): Publish {
  let publish = before;
  for (const { name, value } of options) {
    if (name === 'publish_via_partition_root') continue;
    if (name !== 'publish') throw new SqlError('42601', `unrecognized publication parameter: "${name}"`);
    const said = value.split(',').map((word) => word.trim().toLowerCase());
    for (const word of said)
      if (!(word in ALL)) throw new SqlError('42601', `unrecognized value for publication option "publish": "${word}"`);
    publish = {
      insert: said.includes('insert'),
      update: said.includes('update'),
      delete: said.includes('delete'),
      truncate: said.includes('truncate'),
    };
  }
  return publish;
}
