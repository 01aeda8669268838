/** What uses a type that a user made, a function of a user, or the functions of an extension: what keeps it from being dropped, and a type's labels and its name from being changed. */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { type ColType, typeObjectOf, typeObjectOid } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { PgNode } from '../../planner/parse/ast.ts';
import { strings } from '../../planner/parse/node_fields.ts';
import { walkTree } from '../../planner/parse/walk_tree.ts';
import { resolveTypeName } from '../../planner/types/type_name.ts';
import {
  type CatalogObject,
  type ExtensionObject,
  type FunctionObject,
  type IndexObject,
  isDomain,
  KIND_NAMES,
  type RelationObject,
  type TypeObject,
  type Written,
} from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { Dependent } from './dependents.ts';
import type { TidemarkEngine } from './engine.ts';
import { callsExtension, extensionCalls } from './extension_calls.ts';
import { callsInTables, indexesCalling } from './function_users.ts';
import { wordsOf } from './kept_users.ts';
import { columnsOf as columnsOfExpr } from './row_expression.ts';
import { sessionWith } from './session_with.ts';
import { parsed } from './written_expression.ts';

type Finder = (schema: string | undefined, name: string) => TypeObject | undefined;

/** Types that syntax names, functions of users with the names that it calls, and extensions whose functions it calls, as objects of the catalog. */
export function namedInSyntax({ catalog }: TidemarkEngine, root: PgNode, searchPath: string[]): number[] {
  const found = typeNodes(root, (schema, name) => catalog.findType(schema, name, searchPath)).map(
    ({ type }) => type.oid,
  );
  walkTree(root, ({ FuncCall: call }) => {
    if (call === undefined) return;
    const path = strings(call.funcname);
    found.push(...catalog.findFunctions(path.at(-2), path[path.length - 1], searchPath).map(({ oid }) => oid));
  });
  found.push(
    ...extensionCalls(root, (name) => catalog.ofServer('extension', name, searchPath)).map(
      ({ extension }) => extension.oid,
    ),
  );
  return [...new Set(found)];
}

/** What tables may use in columns and expressions of theirs. */
export type Used = TypeObject | FunctionObject | ExtensionObject;

export function isUsed(object: CatalogObject): object is Used {
  return object.kind === 'type' || object.kind === 'function' || object.kind === 'extension';
}

/** The nodes of a syntax tree that name a type which `find` finds; `name`: its own, or _mood, which is that of its array. */
export function typeNodes(root: PgNode, find: Finder): { node: PgNode; type: TypeObject; name: string }[] {
  const found: { node: PgNode; type: TypeObject; name: string }[] = [];
  walkTree(root, (node) => {
    const names = Array.isArray(node.names) && 'typemod' in node ? strings(node.names) : [];
    if (names.length === 0) return;
    const name = names[names.length - 1];
    const schema = names.at(-2);
    const type = find(schema, name) ?? (name.startsWith('_') ? find(schema, name.slice(1)) : undefined);
    if (type !== undefined) found.push({ node, type, name });
  });
  return found;
}

/** Names types with their schemas: what is bound again means the same under any search path. */
export function qualifyTypes({ catalog }: TidemarkEngine, root: PgNode, searchPath: string[]): void {
  for (const { node, type, name } of typeNodes(root, (schema, name) => catalog.findType(schema, name, searchPath)))
    node.names = [type.schema, name].map((sval) => ({ String: { sval } }));
}

/** The type of a column as it is written. */
export function columnType({ catalog }: TidemarkEngine, node: PgNode, { searchPath }: SessionContext): ColType {
  return resolveTypeName(node, (schema, name) => catalog.typeNamed(schema, name, searchPath));
}

/** Objects that are the types of these columns. */
export function typesOfColumns(columns: { type: ColType }[]): number[] {
  return columns.map(({ type }) => typeObjectOf(type)).filter((oid) => oid !== 0);
}

/** 0A000 for a table that lasts longer than the types of its columns. */
export function checkLastingTypes({ catalog }: TidemarkEngine, schema: string, columns: { type: ColType }[]): void {
  if (isTemporary(schema) || !typesOfColumns(columns).some((oid) => isTemporary(catalog.get(oid)?.schema ?? '')))
    return;
  throw new SqlError('0A000', 'columns of tables that are not temporary must not have temporary types');
}

/** What of a table needs a type, and the ALTER TABLE that takes it away. */
export interface TypeUse {
  table: RelationObject;
  text: string;
  action: string;
}

/** Columns of tables and streams that have a type, or an array of it. */
function columnsOf({ columns }: Relation, { kind, oid }: Used): number[] {
  if (kind !== 'type') return [];
  return columns.flatMap(({ type, dropped }, i) => (!dropped && typeObjectOf(type) === oid ? [i] : []));
}

/** Columns that go with a type: also those that are computed with it. */
function columnsWith({ relation, generated }: RelationObject, object: Used): number[] {
  const computed = generated.flatMap((g) => (isIn(g.expr, object) ? [g.column] : []));
  return [...new Set([...columnsOf(relation, object), ...computed])];
}

/** A default goes with its column, and a CHECK with any of its own. */
export function usesInTables(engine: TidemarkEngine, object: Used, searchPath: string[] = []): TypeUse[] {
  if (object.kind === 'function') return callsInTables(engine, object, searchPath);
  return engine.catalog.there(searchPath).flatMap((table) => {
    if (table.kind !== 'table' && table.kind !== 'stream') return [];
    const { defaults, checks, relation, name } = table;
    const gone = columnsWith(table, object);
    const named = (i: number) => quoteIdent(relation.columns[i].name);
    const column = (i: number) => `column ${relation.columns[i].name} of ${KIND_NAMES[table.kind]} ${name}`;
    const defaulted = defaults.flatMap((value, i) =>
      value !== null && !gone.includes(i) && isNamed(engine, value.node, object) ? [i] : [],
    );
    return [
      ...gone.map((i) => ({ table, text: column(i), action: `DROP COLUMN ${named(i)} CASCADE` })),
      ...defaulted.map((i) => {
        return { table, text: `default value for ${column(i)}`, action: `ALTER COLUMN ${named(i)} DROP DEFAULT` };
      }),
      ...checks.flatMap((check) => {
        const goes = columnsOfExpr(check.expr).some((c) => gone.includes(c));
        if (goes || !isIn(check.expr, object)) return [];
        return {
          table,
          text: `constraint ${check.name} on table ${name}`,
          action: `DROP CONSTRAINT ${quoteIdent(check.name)}`,
        };
      }),
    ];
  });
}

function isNamed({ catalog }: TidemarkEngine, node: PgNode, object: Used): boolean {
  const { kind, oid } = object;
  if (kind === 'extension')
    return extensionCalls(node, (name) => (name === object.name ? object : undefined)).length > 0;
  const find: Finder = (schema, name) => (schema === undefined ? undefined : catalog.typeIn(schema, name, []));
  return typeNodes(node, find).some(({ type }) => type.oid === oid);
}

/** The session, to bind the text of a bound expression again: unqualified types in it are found where they were found first. */
export function withTypesOf({ catalog }: TidemarkEngine, bound: unknown, session: SessionContext): SessionContext {
  const schemas = catalog.objects().flatMap((object) => {
    return object.kind === 'type' && isIn(bound, object) ? [object.schema] : [];
  });
  return schemas.length === 0 ? session : sessionWith(session, { searchPath: [...schemas, ...session.searchPath] });
}

/** Whether a bound expression, or a plan, has values of the type, or calls a function of the extension. */
function isIn(expr: unknown, object: Used): boolean {
  if (typeof expr !== 'object' || expr === null) return false;
  if (object.kind === 'extension') {
    if ('fn' in expr && typeof expr.fn === 'string' && callsExtension(expr.fn, object.name)) return true;
  } else {
    if ('oid' in expr && typeof expr.oid === 'number' && typeObjectOid(expr.oid) === object.oid) return true;
    if ('domain' in expr && typeof expr.domain === 'number' && typeObjectOid(expr.domain) === object.oid) return true;
  }
  return Object.values(expr).some((part) => isIn(part, object));
}

/** Views, sinks, subscriptions and domains that name the type, or call the function. */
function readersNaming(engine: TidemarkEngine, { oid }: CatalogObject, searchPath: string[]): CatalogObject[] {
  return engine.catalog.there(searchPath).filter(({ dependencies }) => dependencies.includes(oid));
}

/** Indexes whose expressions or condition say the type, and which do not go with a column. */
export function indexesSaying(engine: TidemarkEngine, object: Used): IndexObject[] {
  if (object.kind === 'function') return indexesCalling(engine, object);
  const { catalog } = engine;
  return catalog.objects().filter((index): index is IndexObject => {
    if (index.kind !== 'index' || index.computed === undefined || !isIn(index.computed.shape, object)) return false;
    const on = catalog.get(index.on);
    if (on === undefined || !('relation' in on)) return true;
    const gone = 'generated' in on ? columnsWith(on, object) : columnsOf(on.relation, object);
    return !index.columns.some((column) => gone.includes(column));
  });
}

/** All of them in PostgreSQL's words. */
export function usersOfType(engine: TidemarkEngine, object: Used, searchPath: string[] = []): Dependent[] {
  const on = wordsOf(object);
  const tables = usesInTables(engine, object, searchPath).map(({ text }) => ({ text, on }));
  const indexes = indexesSaying(engine, object).filter(({ oid }) => !engine.catalog.isGone(oid, searchPath));
  return [
    ...tables,
    ...[...indexes, ...readersNaming(engine, object, searchPath)].map((user) => ({
      text: wordsOf(user),
      on,
    })),
  ];
}

function refused(what: string, users: string[]): SqlError {
  return new SqlError('0A000', what, {
    detail: users.join('\n'),
    hint: 'Drop what is named in the detail, change the type, and make it again.',
  });
}

/** Tables and streams that have columns of the type or of a domain over it, or say it elsewhere. */
function tablesWith(engine: TidemarkEngine, object: TypeObject): RelationObject[] {
  const types = [object, ...engine.catalog.dependents([object.oid]).filter(isDomain)];
  return [...new Set(types.flatMap((type) => usesInTables(engine, type)).map(({ table }) => table))];
}

/** A label may be renamed while no stream reads it from a topic, and nothing that is kept up to date, also by who follows changes, may have its text. */
export function checkNothingKept(engine: TidemarkEngine, object: TypeObject): void {
  const { catalog, loop } = engine;
  const tables = tablesWith(engine, object);
  const fixed = tables.filter(({ source, generated }) => source !== null || generated.length > 0);
  const kept = catalog
    .dependents([object.oid, ...tables.map(({ oid }) => oid)])
    .filter(({ kind }) => kind === 'materialized_view' || kind === 'sink' || kind === 'subscription');
  const users = [...fixed, ...kept].map(
    ({ kind, name }) => `${KIND_NAMES[kind]} ${name} depends on type ${object.name}`,
  );
  const queries = [...loop.views(), ...engine.pastQueries].filter(({ oid }) => catalog.get(oid) === undefined);
  if (queries.some(({ physical }) => isIn(physical.plan, object)))
    users.push(`a SUBSCRIBE to a query that reads type ${object.name} is running`);
  for (const { kind, oid, name } of tables)
    if (loop.isObserved(oid)) users.push(`the changes of ${KIND_NAMES[kind]} ${name} are followed`);
  if (users.length > 0)
    throw refused(`cannot rename a label of type ${object.name} while rows are kept up to date with it`, users);
}

/** What is bound again from its text must not say the old label. */
export function checkNowhereSaid(engine: TidemarkEngine, object: TypeObject, label: string): void {
  const tables = tablesWith(engine, object);
  const readers = engine.catalog.dependents([object.oid, ...tables.map(({ oid }) => oid)]);
  const all = new Set([...tables, ...readers, ...indexesSaying(engine, object)]);
  const users = [...all].filter((user) => saysLabel(user, label));
  const texts = users.map(({ kind, name }) => `${KIND_NAMES[kind]} ${name} says '${label}'`);
  if (texts.length > 0)
    throw refused(`cannot rename the label "${label}" of type ${object.name}, as it is said elsewhere`, texts);
}

function saysLabel(object: CatalogObject, label: string): boolean {
  if (object.kind === 'view') return hasLiteral(object.query.select, label);
  const own = isDomain(object) ? [object.type.default] : [];
  const defaults = object.kind === 'table' || object.kind === 'stream' ? object.defaults : own;
  const nodes = [...defaults.flatMap((value) => value ?? []), ...writtenIn(object).map(parsed)].map(({ node }) => node);
  return nodes.some((node) => hasLiteral(node, label));
}

/** Texts of expressions that are bound again. */
function writtenIn(object: CatalogObject): Written[] {
  if (object.kind === 'table' || object.kind === 'stream') return [...object.checks, ...object.generated];
  if (isDomain(object)) return object.type.checks;
  if (object.kind !== 'index' || object.computed === undefined) return [];
  const { parts, where } = object.computed;
  return [...parts, where].filter((part) => part !== null && typeof part !== 'number');
}

function hasLiteral(root: PgNode, label: string): boolean {
  let found = false;
  walkTree(root, (node) => {
    const text = node.A_Const?.sval === undefined ? null : (node.A_Const.sval.sval ?? '');
    // It may be an array that has it, where quotes and backslashes have a backslash before them.
    const [bare, wanted] = [text, label].map((one) => one?.replaceAll('\\', ''));
    if (text === label || (text?.includes('{') && bare?.includes(wanted as string))) found = true;
  });
  return found;
}

/** Texts that name the type are bound again, so it keeps its name while there are any. */
export function checkNowhereNamed(engine: TidemarkEngine, object: TypeObject): void {
  if (engine.replay !== null) return;
  // Neither a column without an expression nor what a domain is over names a type again.
  const users = usersOfType(engine, object).filter(
    ({ text }) => !text.startsWith('column ') && !text.startsWith('type '),
  );
  const tables = engine.catalog.objects().flatMap((user) => {
    const says = isDomain(user) && user.type.default !== null && isNamed(engine, user.type.default.node, object);
    const writes = user.kind === 'table' || isDomain(user);
    const again = says || (writes && writtenIn(user).some((text) => namesType(parsed(text).node, object)));
    return again ? [{ text: `${KIND_NAMES[user.kind]} ${user.name}` }] : [];
  });
  const texts = [...users, ...tables].map(({ text }) => `${text} depends on type ${object.name}`);
  if (texts.length > 0) throw refused(`cannot rename type ${object.name} while it is named elsewhere`, texts);
}

/** Whichever schema it is found in. */
function namesType(node: PgNode, type: TypeObject): boolean {
  return typeNodes(node, (_, name) => (name === type.name ? type : undefined)).length > 0;
}
