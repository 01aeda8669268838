/** Domains and their constraints: what pg_type, pg_constraint, pg_get_constraintdef and information_schema show of them. */
import { type Domain, type DomainCheck, type DomainObject, isDomain } from '../../catalog/objects.ts';
import { defaultText } from './default_text.ts';
import type { CatalogFacts } from './facts.ts';
import { checkOid, notNullOid } from './oids.ts';

export interface DomainConstraintFacts {
  oid: number;
  name: string;
  object: DomainObject;
  /** null: NOT NULL. */
  check: DomainCheck | null;
}

export function domainObjects({ objects }: CatalogFacts): DomainObject[] {
  return objects.filter(isDomain);
}

export function domainConstraints(facts: CatalogFacts): DomainConstraintFacts[] {
  return domainObjects(facts).flatMap((object) => {
    const { oid, type } = object;
    const checks = type.checks.map((check) => ({ oid: checkOid(oid, check.number), name: check.name, object, check }));
    if (!type.notNull) return checks;
    return [...checks, { oid: notNullOid(oid, 1), name: `${type.name}_not_null`, object, check: null }];
  });
}

/** Its DEFAULT as SQL; null: none. */
export function domainDefaultText(
  { base, default: value }: Domain,
  facts: CatalogFacts,
  path: string[],
): string | null {
  return value === null ? null : defaultText(value, base, facts, path);
}
