/** CREATE DOMAIN and ALTER DOMAIN: libpg-query's nodes as Tidemark's statements. */
import { SqlError } from '../../operators/errors.ts';
import type { CheckDef, DomainAction, PgNode, Statement } from './ast.ts';
import { checkOf, refuse } from './convert_ddl.ts';
import { qualified, strings } from './node_fields.ts';
import { errorAt, type Source } from './positions.ts';

type AlterDomain = Extract<Statement, { k: 'alter_domain' }>;

const NOT_FOR_DOMAINS: Record<string, string> = {
  CONSTR_UNIQUE: 'unique',
  CONSTR_PRIMARY: 'primary key',
  CONSTR_EXCLUSION: 'exclusion',
  CONSTR_FOREIGN: 'foreign key',
};

export function createDomain(node: PgNode, source: Source): Statement {
  const { domainname, typeName: type, collClause } = node;
  const checks: CheckDef[] = [];
  let notNull: boolean | null = null;
  let written: PgNode | null = null;
  for (const { Constraint: constraint } of node.constraints ?? []) {
    const { contype, location } = constraint;
    if (contype === 'CONSTR_CHECK') checks.push(domainCheck(constraint, source));
    else if (contype === 'CONSTR_NOTNULL' || contype === 'CONSTR_NULL') {
      const said = contype === 'CONSTR_NOTNULL';
      if (notNull === !said) throw errorAt(source, '42601', 'conflicting NULL/NOT NULL constraints', location);
      notNull = said;
    } else if (contype === 'CONSTR_DEFAULT') {
      if (written !== null) throw errorAt(source, '42601', 'multiple default expressions', location);
      written = constraint.raw_expr;
    } else throw notForDomains(contype, source, location);
  }
  const collation = collClause === undefined ? null : strings(collClause.collname);
  const name = qualified(strings(domainname));
  return {
    ...source,
    k: 'create_domain',
    ...name,
    type,
    collation,
    notNull: notNull === true,
    default: written,
    checks,
  };
}

function notForDomains(contype: string, source: Source, location: number | undefined): SqlError {
  const what = NOT_FOR_DOMAINS[contype];
  if (what !== undefined) return errorAt(source, '42601', `${what} constraints not possible for domains`, location);
  return errorAt(source, '0A000', 'specifying constraint deferrability not supported for domains', location);
}

function domainCheck(constraint: PgNode, source: Source): CheckDef {
  const check = { ...checkOf(constraint, source), notValid: constraint.skip_validation === true };
  if (!check.noInherit) return check;
  throw errorAt(source, '42P17', 'check constraints for domains cannot be marked NO INHERIT', constraint.location);
}

export function alterDomain({ subtype, typeName, ...node }: PgNode, source: Source): AlterDomain {
  return altered(typeName, actionOf(subtype, node, source), source);
}

function altered(name: PgNode[], action: DomainAction, source: Source): AlterDomain {
  return { ...source, k: 'alter_domain', ...qualified(strings(name)), action };
}

function actionOf(subtype: string, { def, name, missing_ok: ifExists = false }: PgNode, source: Source): DomainAction {
  switch (subtype) {
    case 'T':
      return { k: 'set_default', value: def ?? null };
    case 'N':
    case 'O':
      return { k: 'set_not_null', notNull: subtype === 'O' };
    case 'C': {
      const { Constraint: constraint } = def;
      if (constraint.contype === 'CONSTR_CHECK') return { k: 'add_check', check: domainCheck(constraint, source) };
      if (constraint.contype !== 'CONSTR_NOTNULL') throw notForDomains(constraint.contype, source, constraint.location);
      throw refuse(source, 'ALTER DOMAIN ... ADD NOT NULL', constraint.location);
    }
    case 'X':
      return { k: 'drop_constraint', name, ifExists };
    case 'V':
      return { k: 'validate_constraint', name };
    default:
      throw new SqlError('0A000', `ALTER DOMAIN of kind ${subtype} is not supported`);
  }
}

/** ALTER DOMAIN ... RENAME TO, RENAME CONSTRAINT. */
export function renameDomain({ renameType, object, subname, newname: to }: PgNode, source: Source): AlterDomain {
  const action: DomainAction =
    renameType === 'OBJECT_DOMAIN' ? { k: 'rename', to } : { k: 'rename_constraint', name: subname, to };
  return altered(object.List.items, action, source);
}

/** ALTER DOMAIN ... SET SCHEMA. */
export function moveDomain({ object, newschema: schema }: PgNode, source: Source): AlterDomain {
  return altered(object.List.items, { k: 'set_schema', schema }, source);
}
