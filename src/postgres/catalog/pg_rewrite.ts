/** pg_rewrite: the rule that makes a view what it is, one a view. */
import { ofCatalog } from './catalog_relation.ts';
import { ruleOid } from './oids.ts';

export const PG_REWRITE = ofCatalog((facts) =>
  facts.own
    .filter((r) => r.relkind === 'v' || r.relkind === 'm')
    .map((r) => ({
      oid: ruleOid(r.oid),
      rulename: '_RETURN',
      ev_class: r.oid,
      ev_type: '1',
      ev_enabled: 'O',
      is_instead: true,
      ev_qual: '<>',
      ev_action: '<>',
    })),
);
