/**
 * CREATE DOMAIN and ALTER DOMAIN.
 *
 * A value is looked at when it becomes one of the domain, by what the domain says then (operators/expr/domain_types.ts). So a constraint comes and goes only while nothing that
 * is computed again makes such values, and comes only when all values that are there fit it (domain_users.ts).
 */
import { SqlError, unsupported } from '../../operators/errors.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import { turn } from '../../operators/turn.ts';
import type { ColType } from '../../operators/types.ts';
import { typeObjectOf, userTypeOid } from '../../operators/types.ts';
import type { CheckDef, DomainAction, PgNode, Statement } from '../../planner/parse/ast.ts';
import { declaredType, typeByName } from '../../planner/types/catalog.ts';
import { systemTable } from '../../planner/types/catalog_table.ts';
import { formatType, typeWords } from '../../planner/types/type_name.ts';
import { inOrderOfNames } from '../catalog/constraint_order.ts';
import { type ColumnDefault, type DomainCheck, type DomainObject, isDomain, type Written } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkCreate, checkOwner } from './access.ts';
import { columnDefault, namedInLiterals } from './default_value.ts';
import { type Added, checkNotComputed, checkStored, constrainUsers } from './domain_users.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkTypeNotOthers, freeName } from './names.ts';
import { bindAlone } from './row_expression.ts';
import { checkMovable } from './set_schema.ts';
import { settleDomain, settleNeeded } from './settle_at_once.ts';
import { settledText } from './settled_literals.ts';
import { targetSchema } from './target_schema.ts';
import { edited } from './text_edits.ts';
import { checkNowhereNamed, columnType, namedInSyntax } from './type_users.ts';
import { newTypeOid } from './user_types.ts';
import { columnRefs, parsed, written } from './written_expression.ts';

type CreateDomain = Extract<Statement, { k: 'create_domain' }>;
type AlterDomain = Extract<Statement, { k: 'alter_domain' }>;

export function createDomain(engine: TidemarkEngine, statement: CreateDomain, session: SessionContext): void {
  const { catalog, loop } = engine;
  const { name, text, notNull } = statement;
  const schema = targetSchema(engine, { schema: statement.schema }, session);
  checkTypeNotOthers(engine, schema, name, session);
  const base = columnType(engine, statement.type, session);
  const under = declaredType(base);
  if (under?.kind === 'p') throw new SqlError('42804', `"${under.name}" is not a valid base type for a domain`);
  checkCollation(statement.collation, base);
  const oid = newTypeOid(engine);
  const checks: DomainCheck[] = [];
  for (const definition of statement.checks) {
    checks.push(domainCheck(engine, { name, base, checks }, definition, text, session));
  }
  const inherited = catalog.get(typeObjectOf(base));
  const own = domainDefault(engine, { name, base }, statement.default, text, session);
  const value = statement.default === null && isDomain(inherited) ? inherited.type.default : own;
  const type = {
    oid: userTypeOid(oid),
    schema,
    namespace: catalog.schemaOid(schema, session.searchPath),
    name,
    base,
    notNull,
    checks: inOrderOfNames(checks),
    default: value,
    since: loop.tick,
  };
  const dependencies = [typeObjectOf(base), ...namedInSyntax(engine, statement, session.searchPath)].filter(
    (other) => other !== 0,
  );
  checkLasting(engine, schema, dependencies);
  const object: DomainObject = { kind: 'type', oid, schema, name, sql: text, dependencies, type };
  engine.define(object, session, [...dependencies, ...namedInLiterals(engine, statement, session)]);
}

/** 0A000 for a domain that lasts longer than what it is over. */
function checkLasting({ catalog }: TidemarkEngine, schema: string, types: number[]): void {
  if (isTemporary(schema) || !types.some((oid) => isTemporary(catalog.get(oid)?.schema ?? ''))) return;
  throw new SqlError('0A000', 'a domain that is not temporary must not have temporary types');
}

function checkCollation(collation: string[] | null, base: ColType): void {
  if (collation === null) return;
  const t = systemTable('pg_collation');
  const name = collation[collation.length - 1];
  if (!Array.from({ length: t.rowCount }, (_, r) => t.text(r, 'collname')).includes(name))
    throw new SqlError('42704', `collation "${collation.join('.')}" for encoding "UTF8" does not exist`);
  if (declaredType(base)?.category !== 'S')
    throw new SqlError('42804', `collations are not supported by type ${typeWords(base)}`);
  if (!['C', 'POSIX', 'ucs_basic', 'default'].includes(name)) throw unsupported(`COLLATE "${name}" of a domain`);
}

/** The constraint as a statement says it; `there`: those that the domain has. */
function domainCheck(
  engine: TidemarkEngine,
  domain: { name: string; base: ColType; checks: DomainCheck[] },
  definition: CheckDef,
  text: string,
  session: SessionContext,
): DomainCheck {
  const { name, base, checks } = domain;
  const isFree = (wanted: string) => !checks.some((check) => check.name === wanted);
  if (definition.name !== null && !isFree(definition.name))
    throw new SqlError('42710', `constraint "${definition.name}" for domain "${name}" already exists`);
  const options = { place: 'check' as const, columns: [{ id: 0, name: 'value', type: base }] };
  return {
    number: Math.max(0, ...checks.map(({ number }) => number)) + 1,
    name: definition.name ?? freeName(`${name}_check`, isFree),
    expr: bindAlone(engine, definition.expr, text, session, options),
    ...settledText(engine, withValue(written(definition.expr, text, definition.location, 'check')), session, options),
    valid: !definition.notValid,
  };
}

/** VALUE in capitals, as PostgreSQL shows it. */
function withValue(kept: Written): Written {
  const { node, whole } = parsed(kept);
  const edits = columnRefs(node).map(({ location }) => ({
    from: location,
    to: location + 'value'.length,
    text: 'VALUE',
  }));
  const inCapitals = edited(whole, edits);
  return { ...kept, text: inCapitals.slice(whole.length - kept.text.length) };
}

/** DEFAULT NULL is none. */
function domainDefault(
  engine: TidemarkEngine,
  { name, base }: { name: string; base: ColType },
  node: PgNode | null,
  text: string,
  session: SessionContext,
): ColumnDefault | null {
  if (node === null || node.A_Const?.isnull === true) return null;
  const value = columnDefault(engine, node, text, base, session);
  if (value.sequences.length > 0) throw unsupported('a sequence in the DEFAULT of a domain');
  bindAlone(engine, value.node, text, session, {
    target: base,
    place: 'default',
    refused: (to, from) => ({
      message: `column "${name}" is of type ${to} but default expression is of type ${from}`,
      hint: 'You will need to rewrite or cast the expression.',
    }),
  });
  return value;
}

export function alterDomain(
  engine: TidemarkEngine,
  { schema, name, action, text }: AlterDomain,
  session: SessionContext,
  signal: AbortSignal,
): void {
  const { catalog } = engine;
  // Done again, it may come before the domain got the name that it says.
  const again = engine.replay === null ? undefined : catalog.get(engine.replay.altered);
  const object = isDomain(again) ? again : domainNamed(engine, schema, name, session);
  checkOwner(engine, object, session);
  settleDomain(engine, object, session);
  if (!altered(engine, object, action, text, session, signal)) return;
  const named = [
    ...namedInSyntax(engine, action as PgNode, session.searchPath),
    ...namedInLiterals(engine, action, session),
  ];
  engine.defined({ sql: text, made: object.oid, dropped: [], altered: object.oid }, session, [object.oid, ...named]);
}

/** 42704 when there is none, 42809 when it is another type. */
export function domainNamed(
  { catalog }: TidemarkEngine,
  schema: string | undefined,
  name: string,
  { searchPath }: SessionContext,
): DomainObject {
  const found = catalog.findType(schema, name, searchPath);
  if (isDomain(found)) return found;
  const other = typeByName(schema, name)?.oid ?? catalog.typeNamed(schema, name, searchPath);
  const path = schema === undefined ? name : `${schema}.${name}`;
  if (other === 0) throw new SqlError('42704', `type "${path}" does not exist`);
  throw new SqlError('42809', `${formatType(other)} is not a domain`);
}

/** False when there is nothing to do. */
function altered(
  engine: TidemarkEngine,
  object: DomainObject,
  action: DomainAction,
  text: string,
  session: SessionContext,
  signal: AbortSignal,
): boolean {
  const { catalog, loop } = engine;
  const { type } = object;
  const checkThere = (added: Added) => turn.of(signal, () => checkStored(engine, object, added, session));
  switch (action.k) {
    case 'rename':
      checkNowhereNamed(engine, object);
      catalog.rename(object, action.to);
      catalog.setType(object, { ...type, name: action.to });
      return true;
    case 'set_schema':
      return moved(engine, object, action.schema, session);
    case 'set_default':
      catalog.setType(object, { ...type, default: domainDefault(engine, type, action.value, text, session) });
      return true;
    case 'rename_constraint': {
      if (!type.checks.some((check) => check.name === action.name))
        throw new SqlError('42704', `constraint "${action.name}" for domain ${type.name} does not exist`);
      if (type.checks.some((check) => check.name === action.to))
        throw new SqlError('42710', `constraint "${action.to}" for domain ${type.name} already exists`);
      catalog.setType(object, { ...type, checks: changed(type.checks, action.name, { name: action.to }) });
      return true;
    }
    case 'set_not_null':
      if (type.notNull === action.notNull) return false;
      checkNotComputed(engine, object, action.notNull);
      if (action.notNull) checkThere({ k: 'not_null' });
      catalog.setType(object, { ...type, notNull: action.notNull, since: loop.tick });
      constrainUsers(engine, object);
      return true;
    case 'add_check': {
      checkNotComputed(engine, object, true);
      const check = domainCheck(engine, type, action.check, text, session);
      if (check.valid) checkThere({ k: 'check', expr: check.expr });
      const named = namedInSyntax(engine, action.check.expr, session.searchPath);
      checkLasting(engine, object.schema, named);
      object.dependencies = [...new Set([...object.dependencies, ...named])];
      // One that has gone may have had its number.
      delete object.comments?.[`constraint ${check.number}`];
      catalog.setType(object, { ...type, checks: inOrderOfNames([...type.checks, check]), since: loop.tick });
      constrainUsers(engine, object);
      return true;
    }
    case 'validate_constraint': {
      const check = domainConstraint(object, action.name);
      if (!check.valid) checkThere({ k: 'check', expr: check.expr });
      catalog.setType(object, { ...type, checks: changed(type.checks, action.name, { valid: true }) });
      return true;
    }
    case 'drop_constraint':
      if (action.ifExists && !type.checks.some((check) => check.name === action.name)) {
        const message = `constraint "${action.name}" of domain "${object.name}" does not exist, skipping`;
        session.notice('NOTICE', '00000', message);
        return false;
      }
      domainConstraint(object, action.name);
      checkNotComputed(engine, object, false);
      catalog.setType(object, { ...type, checks: type.checks.filter((check) => check.name !== action.name) });
      return true;
  }
}

function changed(checks: DomainCheck[], name: string, change: Partial<DomainCheck>): DomainCheck[] {
  return inOrderOfNames(checks.map((check) => (check.name === name ? { ...check, ...change } : check)));
}

export function domainConstraint({ type, name: domain }: DomainObject, name: string): DomainCheck {
  const found = type.checks.find((check) => check.name === name);
  if (found !== undefined) return found;
  throw new SqlError('42704', `constraint "${name}" of domain "${domain}" does not exist`);
}

function moved(engine: TidemarkEngine, object: DomainObject, to: string, session: SessionContext): boolean {
  const { catalog } = engine;
  checkMovable(engine, object, to, session);
  checkCreate(engine, to, session);
  if (object.schema === to) return false;
  if (catalog.findType(to, object.name, []) !== undefined || catalog.in(to, object.name, []) !== undefined)
    throw new SqlError('42710', `type "${object.name}" already exists in schema "${to}"`);
  checkNowhereNamed(engine, object);
  settleNeeded(engine, [object.oid, catalog.schemaOid(to, session.searchPath)], session);
  catalog.move(object, to);
  catalog.setType(object, { ...object.type, schema: to, namespace: catalog.schemaOid(to, session.searchPath) });
  return true;
}
