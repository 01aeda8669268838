/** has_table_privilege and its family, pg_has_role, acldefault. */
import type { Datum } from '../../../../operators/datum.ts';
import { SqlError } from '../../../../operators/errors.ts';
import { procByOid } from '../../../../planner/types/catalog.ts';
import {
  ALL_OF,
  defaultAcl,
  grantableBy,
  INSERT,
  PRIVILEGE_BITS,
  REFERENCES,
  SELECT,
  type SecuredKind,
  UPDATE,
} from '../../../catalog/privileges.ts';
import { mayCall } from '../../../catalog/restricted_functions.ts';
import { PUBLIC } from '../../../catalog/roles.ts';
import { allowedTo, SECRET } from '../../../runtime/access.ts';
import { databaseSecurable, objectSecurable, type Securable, schemaSecurable } from '../../../runtime/securables.ts';
import { aclArray } from '../acl.ts';
import type { Moment } from '../catalog_relation.ts';
import { OWNER } from '../oids.ts';
import { functionObject } from '../procs.ts';
import { namedBy, roleOid } from '../roles.ts';
import { type CatalogFunction, type CatalogFunctions, numberOf, textOf } from './catalog_function.ts';
import { findByOid, findRelation, qualified } from './names.ts';
import { regprocedureIn } from './reg_types.ts';

/** What is asked about: with privileges of its own, the server's own with what everybody may do, a function of the catalog, or nothing (NULL). */
type Asked = { on: Securable } | { everybody: number } | { call: string } | null;

function roleOf(said: Datum, moment: Moment): number {
  if (typeof said !== 'string') return numberOf(said);
  if (said === 'public') return PUBLIC;
  const oid = roleOid(said, namedBy(moment.facts, moment.context));
  if (oid === null) throw new SqlError('42704', `role "${said}" does not exist`);
  return oid;
}

const current = ({ context }: Moment): number => context.role ?? OWNER;

/** `SELECT, INSERT WITH GRANT OPTION`: each with whether it is to be granted on. */
function privileges(text: string, known: number): { bit: number; option: boolean }[] {
  return text.split(',').map((part) => {
    const match = /^\s*(\w+)(\s+with\s+grant\s+option)?\s*$/i.exec(part);
    const bit = match === null ? undefined : PRIVILEGE_BITS[match[1].toUpperCase()];
    if (bit === undefined || (bit & known) === 0)
      throw new SqlError('22023', `unrecognized privilege type: "${part.trim()}"`);
    return { bit, option: match?.[2] !== undefined };
  });
}

function has(role: number, asked: Asked, wanted: { bit: number; option: boolean }[], { facts }: Moment): Datum {
  if (asked === null) return null;
  const { roles } = facts.engine.catalog;
  if (roles.isSuperuser(role)) return true;
  if ('everybody' in asked) return wanted.some(({ bit, option }) => !option && (asked.everybody & bit) !== 0);
  if ('call' in asked) return wanted.some(({ option }) => !option) && mayCall(roles, role, asked.call);
  const { on } = asked;
  const mask = allowedTo(facts.engine, role, on);
  let grantable = 0;
  const acl = on.acl ?? defaultAcl(on.kind, on.owner);
  for (const mine of roles.rightsOf(role)) grantable |= grantableBy(acl, on.owner, on.kind, mine);
  return wanted.some(({ bit, option }) => ((option ? grantable : mask) & bit) !== 0);
}

/** ([who,] what, privileges) */
function about(kind: SecuredKind, find: (what: Datum, moment: Moment) => Asked): CatalogFunction {
  return (args, moment) => {
    const [who, what, wanted] = args.length === 3 ? args : [current(moment), ...args];
    return has(roleOf(who, moment), find(what, moment), privileges(textOf(wanted), ALL_OF[kind]), moment);
  };
}

function relation(what: Datum, moment: Moment): Asked {
  const { facts, context } = moment;
  let found = typeof what === 'string' ? undefined : findByOid(facts, numberOf(what));
  if (typeof what === 'string') {
    const { schema, name } = qualified(what, moment);
    found = findRelation(facts, schema, name, context.searchPath);
    if (found === undefined) throw new SqlError('42P01', `relation "${what}" does not exist`);
  }
  if (found === undefined) return null;
  const named = 'table' in found ? found.table : found;
  if (named.object !== null) return { on: objectSecurable(facts.engine, named.object, facts.path) };
  return { everybody: SECRET.has(named.name) ? 0 : SELECT };
}

/** ([who,] relation, column, privileges): no column has privileges of its own. */
const ofColumn: CatalogFunction = (args, moment) => {
  const [who, what, column, wanted] = args.length === 4 ? args : [current(moment), ...args];
  const asked = relation(what, moment);
  if (asked !== null && 'on' in asked && typeof column === 'string') {
    const columns = moment.facts.relation(asked.on.oid)?.relation.columns ?? [];
    if (!columns.some(({ name }) => name === column))
      throw new SqlError('42703', `column "${column}" of relation "${asked.on.name}" does not exist`);
  }
  const known = INSERT | SELECT | UPDATE | REFERENCES;
  return has(roleOf(who, moment), asked, privileges(textOf(wanted), known), moment);
};

function schema(what: Datum, { facts }: Moment): Asked {
  const found = facts.schemas.find(({ oid, name }) => (typeof what === 'string' ? name === what : oid === what));
  if (found !== undefined) return { on: schemaSecurable(facts.engine, found.name, facts.path) };
  if (typeof what === 'string') throw new SqlError('3F000', `schema "${what}" does not exist`);
  return null;
}

function database(what: Datum, { facts, context }: Moment): Asked {
  if (typeof what === 'string' && what !== context.database)
    throw new SqlError('3D000', `database "${what}" does not exist`);
  return { on: databaseSecurable(facts.engine, context.database, facts.path) };
}

function calledFunction(what: Datum, moment: Moment): Asked {
  const { facts } = moment;
  const oid = typeof what === 'string' ? regprocedureIn(what, moment) : numberOf(what);
  const made = functionObject(facts, oid);
  if (made !== undefined) return { on: objectSecurable(facts.engine, made, facts.path) };
  const ofCatalog = procByOid(oid);
  return ofCatalog === undefined ? null : { call: ofCatalog.name };
}

/** Everybody may use all types. */
const type: CatalogFunction = about('type', () => ({ everybody: ALL_OF.type }));

/** What there is nothing of, or only one: superusers may. */
const superusers: CatalogFunction = (args, moment) => {
  const who = args.length === 3 ? roleOf(args[0], moment) : current(moment);
  return moment.facts.engine.catalog.roles.isSuperuser(who);
};

const hasRole: CatalogFunction = (args, moment) => {
  const [who, group, wanted] = args.length === 3 ? args : [current(moment), ...args];
  const { roles } = moment.facts.engine.catalog;
  const [member, role] = [roleOf(who, moment), roleOf(group, moment)];
  return textOf(wanted)
    .split(',')
    .some((part) => {
      const match = /^\s*(usage|member|set)(\s+with\s+(?:grant|admin)\s+option)?\s*$/i.exec(part);
      if (match === null) throw new SqlError('22023', `unrecognized privilege type: "${part.trim()}"`);
      if (match[2] !== undefined) return roles.isAdmin(member, role);
      return match[1].toLowerCase() === 'usage' ? roles.hasRightsOf(member, role) : roles.isMember(member, role);
    });
};

/** By acldefault()'s letters. */
const KINDS: Record<string, SecuredKind> = {
  r: 'table',
  s: 'sequence',
  n: 'schema',
  d: 'database',
  T: 'type',
  f: 'function',
};

export const PRIVILEGE_FUNCTIONS: CatalogFunctions = {
  has_any_column_privilege: about('table', relation),
  has_column_privilege: ofColumn,
  has_database_privilege: about('database', database),
  has_foreign_data_wrapper_privilege: superusers,
  has_function_privilege: about('function', calledFunction),
  has_language_privilege: about('type', () => ({ everybody: ALL_OF.type })),
  has_parameter_privilege: superusers,
  has_schema_privilege: about('schema', schema),
  has_sequence_privilege: about('sequence', relation),
  has_server_privilege: superusers,
  has_table_privilege: about('table', relation),
  has_tablespace_privilege: superusers,
  has_type_privilege: type,
  pg_has_role: hasRole,
  acldefault: ([letter, owner], { facts, context }) => {
    const kind = KINDS[textOf(letter)];
    return kind === undefined ? null : aclArray(defaultAcl(kind, numberOf(owner)), namedBy(facts, context));
  },
};
