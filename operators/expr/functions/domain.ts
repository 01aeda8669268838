/** The check of a value that becomes one of a domain. */
import { checkDomain, DOMAIN_CHECK } from '../domain_types.ts';
import { registerTyped } from './registry.ts';

registerTyped(DOMAIN_CHECK, ([value], { resultType: { domain } }, context) => {
  if (domain === undefined) throw new Error('a domain is checked whose OID is not known');
  return checkDomain(value, domain, context);
});
