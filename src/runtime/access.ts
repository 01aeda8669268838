/**
 * May the session do this? 42501 when not. Superusers are never asked: that is one look at the session (isRestricted).
 *
 *   binding    notes what a statement reads and changes (Need), once for each plan
 *   execution  looks at the notes, each time: a REVOKE counts from the next statement on
 *
 * What a plain view reads is asked of the view's owner, as in PostgreSQL; a materialized view is filled by its owner, whose rights are asked when it is made.
 */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary } from '../../operators/expr/search_path.ts';
import type { BindEnv } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { PgNode } from '../../planner/parse/ast.ts';
import { procByOid } from '../../planner/types/catalog.ts';
import { type CatalogObject, KIND_NAMES } from '../catalog/objects.ts';
import { CREATE, DELETE, EXECUTE, INSERT, SELECT, UPDATE, USAGE } from '../catalog/privileges.ts';
import { isRestrictedFunction, mayCall } from '../catalog/restricted_functions.ts';
import { maskOf } from '../catalog/rights.ts';
import { namesFileOfPem } from '../connector_options.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkUnchanged } from './open_objects.ts';
import { actingRole, isRestricted } from './role_names.ts';
import { databaseSecurable, objectSecurable, type Securable, schemaSecurable } from './securables.ts';

export interface Need {
  /** OID of the relation or function, or of the object that a relation of the server's is about. */
  relation: number;
  privileges: number;
  /** OID of the plain view that reads it; null: the statement does. */
  view: number | null;
}

/** Relations of pg_catalog that show passwords. */
export const SECRET: ReadonlySet<string> = new Set(['pg_authid', 'pg_shadow']);
const WRITES = INSERT | UPDATE | DELETE;

/** What a role may do with something. */
export function allowedTo({ catalog }: TidemarkEngine, role: number, on: Securable): number {
  const { roles } = catalog;
  if (roles.isSuperuser(role)) return ~0;
  switch (on.kind) {
    case 'schema':
      return maskOf(roles, role, 'schema', on, USAGE, USAGE);
    case 'table':
      return maskOf(roles, role, 'table', on, SELECT, WRITES);
    case 'sequence':
      return maskOf(roles, role, 'sequence', on, SELECT, UPDATE);
    default:
      return maskOf(roles, role, on.kind, on, 0, 0);
  }
}

function denied(on: Securable): SqlError {
  return new SqlError('42501', `permission denied for ${on.words}`);
}

/** Throws unless the session has all of these privileges. */
function checkPrivileges(engine: TidemarkEngine, on: Securable, privileges: number, session: SessionContext): void {
  if (!isRestricted(engine, session)) return;
  if ((allowedTo(engine, actingRole(session), on) & privileges) !== privileges) throw denied(on);
}

/** The same of an object, which must be in a schema that the session may use. */
export function checkObject(
  engine: TidemarkEngine,
  object: CatalogObject,
  privileges: number,
  session: SessionContext,
): void {
  if (!isRestricted(engine, session)) return;
  checkSchema(engine, object.schema, USAGE, actingRole(session), session);
  checkPrivileges(engine, objectSecurable(engine, object, session.searchPath), privileges, session);
}

function checkSchema(
  engine: TidemarkEngine,
  name: string,
  privilege: number,
  role: number,
  { searchPath }: SessionContext,
): void {
  // Those of others are not found at all.
  if (isTemporary(name)) return;
  const schema = schemaSecurable(engine, name, searchPath);
  if ((allowedTo(engine, role, schema) & privilege) === 0) throw denied(schema);
}

export function checkCreateIn(engine: TidemarkEngine, schema: string, role: number, session: SessionContext): void {
  checkSchema(engine, schema, CREATE, role, session);
}

/** Of what makes something in a schema. */
export function checkCreate(engine: TidemarkEngine, schema: string, session: SessionContext): void {
  if (isRestricted(engine, session)) checkCreateIn(engine, schema, actingRole(session), session);
}

/** Of what makes a schema (CREATE), or temporary objects (TEMPORARY). */
export function checkDatabase(engine: TidemarkEngine, privilege: number, session: SessionContext): void {
  checkPrivileges(
    engine,
    databaseSecurable(engine, session.evalContext.database, session.searchPath),
    privilege,
    session,
  );
}

export function owns(engine: TidemarkEngine, { owner }: Securable, session: SessionContext): boolean {
  return !isRestricted(engine, session) || engine.catalog.roles.hasRightsOf(actingRole(session), owner);
}

/** Throws unless what the securable is, is the session's. */
export function checkOwnerOf(engine: TidemarkEngine, on: Securable, session: SessionContext): void {
  checkUnchanged(engine, on.words, on.oid, session);
  if (!owns(engine, on, session)) throw new SqlError('42501', `must be owner of ${on.words}`);
}

export function checkOwner(engine: TidemarkEngine, object: CatalogObject, session: SessionContext): void {
  checkUnchanged(engine, `${KIND_NAMES[object.kind]} "${object.name}"`, object.oid, session);
  if (isRestricted(engine, session)) checkOwnerOf(engine, objectSecurable(engine, object, session.searchPath), session);
}

/** The owner of the schema may drop what is in it, too. */
export function checkDroppable(engine: TidemarkEngine, object: CatalogObject, session: SessionContext): void {
  checkUnchanged(engine, `${KIND_NAMES[object.kind]} "${object.name}"`, object.oid, session);
  if (!isRestricted(engine, session)) return;
  if (owns(engine, schemaSecurable(engine, object.schema, session.searchPath), session)) return;
  checkOwner(engine, object, session);
}

/** Of what concerns the whole server. */
export function checkSuperuser(engine: TidemarkEngine, what: string, session: SessionContext, group?: string): void {
  if (!isRestricted(engine, session)) return;
  const { roles } = engine.catalog;
  if (group !== undefined && roles.hasRightsOf(actingRole(session), roles.named(group).oid)) return;
  throw new SqlError('42501', `permission denied to execute ${what} command`, {
    detail: `Only superusers${group === undefined ? '' : ` and roles with privileges of the "${group}" role`} may do so.`,
  });
}

const FILE_GROUPS = {
  'read files of the server': 'pg_read_server_files',
  'COPY from a file': 'pg_read_server_files',
  'COPY to a file': 'pg_write_server_files',
} as const;

/** Of what reads or writes files of the server. */
function checkFiles(
  engine: TidemarkEngine,
  does: keyof typeof FILE_GROUPS,
  hint: string | undefined,
  session: SessionContext,
): void {
  if (!isRestricted(engine, session)) return;
  const { roles } = engine.catalog;
  const group = FILE_GROUPS[does];
  if (roles.hasRightsOf(actingRole(session), roles.named(group).oid)) return;
  throw new SqlError('42501', `permission denied to ${does}`, {
    detail: `Only roles with privileges of the "${group}" role may ${does}.`,
    hint,
  });
}

export function checkCopyOfFile(engine: TidemarkEngine, direction: 'from' | 'to', session: SessionContext): void {
  const hint = "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.";
  checkFiles(engine, `COPY ${direction} a file`, hint, session);
}

/** Of what a connector reads where its options say: nobody else learns which files there are. Who may is asked when it is made. */
export function checkFilesOfOptions(
  engine: TidemarkEngine,
  options: Readonly<Record<string, string>>,
  session: SessionContext,
): void {
  const ofPem = namesFileOfPem(options);
  if (!ofPem && options.connector !== 'files') return;
  const hint = ofPem ? 'Anyone can give the PEM text itself in place of the name of a file.' : undefined;
  checkFiles(engine, 'read files of the server', hint, session);
}

/** What a statement that is bound needs, as the binder comes by it. */
export function noteNeeds(engine: TidemarkEngine, needs: Need[]): Pick<BindEnv, 'onRead' | 'onCall' | 'onTarget'> {
  return {
    onRead(relation, view) {
      needs.push({ relation: engine.system.about(relation), privileges: SELECT, view: view?.oid ?? null });
    },
    onCall(oid, view) {
      const ofCatalog = procByOid(oid);
      if (ofCatalog !== undefined && !isRestrictedFunction(ofCatalog.name)) return;
      needs.push({ relation: oid, privileges: EXECUTE, view: view?.oid ?? null });
    },
    onTarget(relation, verb, node) {
      needs.push({ relation: relation.oid, privileges: needsOfTarget(verb, node), view: null });
    },
  };
}

const hasColumns = (node: unknown): boolean =>
  typeof node === 'object' && node !== null && ('ColumnRef' in node || Object.values(node).some(hasColumns));

/** What INSERT, UPDATE, DELETE and MERGE do to their table, and whether they look at it. */
function needsOfTarget(verb: string, node: PgNode): number {
  const returns = node.returningClause === undefined ? 0 : SELECT;
  switch (verb) {
    case 'insert into': {
      const conflict = node.onConflictClause;
      if (conflict === undefined) return INSERT | returns;
      const looks = conflict.infer === undefined ? 0 : SELECT;
      return INSERT | returns | looks | (conflict.action === 'ONCONFLICT_UPDATE' ? UPDATE | SELECT : 0);
    }
    case 'update': {
      const looks = node.whereClause || node.fromClause || hasColumns(node.targetList) ? SELECT : 0;
      return UPDATE | returns | looks;
    }
    case 'delete from':
      return DELETE | returns | (node.whereClause || node.usingClause ? SELECT : 0);
    default: {
      const does: Record<string, number> = { CMD_INSERT: INSERT, CMD_UPDATE: UPDATE, CMD_DELETE: DELETE };
      const clauses: PgNode[] = node.mergeWhenClauses ?? [];
      return clauses.reduce((mask, { MergeWhenClause: c }) => mask | (does[c.commandType] ?? 0), SELECT | returns);
    }
  }
}

/** Throws unless the session may have what a statement needs. */
export function checkNeeds(engine: TidemarkEngine, needs: readonly Need[], session: SessionContext): void {
  if (needs.length === 0 || !isRestricted(engine, session)) return;
  const { catalog } = engine;
  const acting = actingRole(session);
  for (const { relation, privileges, view } of needs) {
    const reader = view === null ? undefined : catalog.get(view);
    const role = reader === undefined ? acting : catalog.ownerOf(reader, session.searchPath);
    if (catalog.roles.isSuperuser(role)) continue;
    const object = catalog.get(relation);
    if (object === undefined) {
      if (privileges === EXECUTE) {
        const name = procByOid(relation)?.name;
        if (name === undefined || mayCall(catalog.roles, role, name)) continue;
        throw new SqlError('42501', `permission denied for function ${name}`);
      }
      const system = catalog.relationByOid(relation);
      if (system !== null && system.schema === 'pg_catalog' && SECRET.has(system.name))
        throw new SqlError(
          '42501',
          `permission denied for ${system.name === 'pg_shadow' ? 'view' : 'table'} ${system.name}`,
        );
      continue;
    }
    // The name in a view's text was looked up when it was made.
    if (reader === undefined) checkSchema(engine, object.schema, USAGE, role, session);
    const on = objectSecurable(engine, object, session.searchPath);
    if ((allowedTo(engine, role, on) & privileges) !== privileges) throw denied(on);
  }
}

/** Throws unless the session may read a relation that it names outside of a query. */
export function checkRead(engine: TidemarkEngine, { oid }: Relation, session: SessionContext): void {
  checkNeeds(engine, [{ relation: oid, privileges: SELECT, view: null }], session);
}
