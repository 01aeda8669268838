/** COMMENT ON of relations, their columns and constraints, indexes, types, schemas and extensions. What is said lies with the object and goes with it. */
import { SqlError } from '../../operators/errors.ts';
import type { CommentTarget, Statement } from '../../planner/parse/ast.ts';
import { type CatalogObject, type CommentedPart, KIND_NAMES } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkOwner, checkOwnerOf } from './access.ts';
import { functionNamed } from './alter_function.ts';
import { change } from './change_at_commit.ts';
import { domainConstraint, domainNamed } from './domains.ts';
import type { TidemarkEngine } from './engine.ts';
import { extensionNamed, isBuiltIn } from './extensions.ts';
import { columnNamed, notFound } from './names.ts';
import { schemaSecurable } from './securables.ts';
import { typeNamed } from './user_types.ts';

type Comment = Extract<Statement, { k: 'comment' }>;
type Of<Kind extends CommentTarget['kind']> = Extract<CommentTarget, { kind: Kind }>;

export function comment(engine: TidemarkEngine, { on, comment, text }: Comment, session: SessionContext): void {
  if (on.kind === 'extension' && isBuiltIn(on.name)) {
    session.notice('NOTICE', '00000', `the comment on extension "${on.name}" stays as it is: it comes with the server`);
    return;
  }
  if (on.kind === 'schema') {
    change(engine, schemaOf(engine, on.name, session), { k: 'comment', part: 'object', comment }, text, session);
    return;
  }
  const [object, part] = partOf(engine, on, session);
  checkOwner(engine, object, session);
  change(engine, object.oid, { k: 'comment', part, comment }, text, session);
}

function schemaOf(engine: TidemarkEngine, name: string, session: SessionContext): number {
  const { catalog } = engine;
  if (!catalog.seesSchema(name, session.searchPath)) throw new SqlError('3F000', `schema "${name}" does not exist`);
  checkOwnerOf(engine, schemaSecurable(engine, name, session.searchPath), session);
  return catalog.schemaOid(name, session.searchPath);
}

function partOf(
  engine: TidemarkEngine,
  on: Exclude<CommentTarget, { name: string; kind: 'schema' }>,
  session: SessionContext,
): [CatalogObject, CommentedPart] {
  if (on.kind === 'domain') return [domainNamed(engine, on.schema, on.name, session), 'object'];
  if (on.kind === 'domain_constraint') {
    const domain = domainNamed(engine, on.schema, on.name, session);
    return [domain, `constraint ${domainConstraint(domain, on.constraint).number}`];
  }
  if (on.kind === 'extension') return [extensionNamed(engine, on.name, session), 'object'];
  if (on.kind === 'type') return [typeNamed(engine, on.schema, on.name, session), 'object'];
  if (on.kind === 'function') return [functionNamed(engine, on, session), 'object'];
  const object = engine.catalog.find(on.schema, on.name, session.searchPath);
  if (object === undefined) {
    const table = on.kind === 'index' ? withPrimaryIndex(engine, on, session) : undefined;
    if (table === undefined) throw notFound(on.name);
    return [table, 'primary index'];
  }
  if (on.kind === 'column') {
    if (!('relation' in object)) throw notCommented(object);
    return [object, `column ${columnNamed(object.relation, on.column)}`];
  }
  if (on.kind === 'constraint') return constraintOf(engine, object, on, session);
  // Streams are shown as tables.
  const kind = object.kind === 'stream' ? 'table' : object.kind;
  if (kind === on.kind) return [object, 'object'];
  throw new SqlError('42809', `"${on.name}" is not ${on.kind === 'index' ? 'an' : 'a'} ${KIND_NAMES[on.kind]}`);
}

function notCommented(object: CatalogObject): SqlError {
  return new SqlError('42809', `cannot set comment on relation "${object.name}"`, {
    detail: `This operation is not supported for ${KIND_NAMES[object.kind]}${object.kind === 'index' ? 'e' : ''}s.`,
  });
}

/** The index of a primary key is no object of its own. */
function withPrimaryIndex(
  { catalog }: TidemarkEngine,
  { schema, name }: { schema?: string; name: string },
  { searchPath }: SessionContext,
): CatalogObject | undefined {
  const object = name.endsWith('_pkey') ? catalog.find(schema, name.slice(0, -'_pkey'.length), searchPath) : undefined;
  return object?.kind === 'table' && object.relation.key !== null ? object : undefined;
}

function constraintOf(
  { catalog }: TidemarkEngine,
  named: CatalogObject,
  { constraint: name }: Of<'constraint'>,
  { searchPath }: SessionContext,
): [CatalogObject, CommentedPart] {
  const table = catalog.pending.asSeen(named, searchPath);
  if (!('relation' in table)) throw new SqlError('42809', `"${table.name}" is not a table`);
  const { relation } = table;
  if (relation.key !== null && name === `${relation.name}_pkey`) return [table, 'primary key'];
  if ('checks' in table) {
    const own = [...table.checks, ...table.foreignKeys].find((other) => other.name === name);
    if (own !== undefined) return [table, `constraint ${own.number}`];
  }
  const index = catalog.in(table.schema, name, searchPath);
  if (index?.kind === 'index' && index.constraint && index.on === table.oid) return [index, 'constraint'];
  const column = relation.columns.findIndex((c) => c.notNull && name === `${relation.name}_${c.name}_not_null`);
  if (column >= 0) return [table, `not null ${column}`];
  throw new SqlError('42704', `constraint "${name}" for table "${relation.name}" does not exist`);
}
