/** pg_database: the one database, under whatever name the session has connected to. */
import { rightsOfDatabase } from '../../catalog/rights_seen.ts';
import { aclArray } from './acl.ts';
import { ofMoment } from './catalog_relation.ts';
import { DATABASE } from './oids.ts';
import { namedBy } from './roles.ts';

const UTF8 = 6;
const PG_DEFAULT = 1663;

export const PG_DATABASE = ofMoment(({ facts, context }) => {
  const { owner, acl } = rightsOfDatabase(facts.engine.catalog, facts.path);
  return [
    {
      oid: DATABASE,
      datname: context.database,
      datdba: owner,
      datacl: aclArray(acl, namedBy(facts, context)),
      encoding: UTF8,
      datlocprovider: 'c',
      datistemplate: false,
      datallowconn: true,
      dathasloginevt: false,
      datconnlimit: -1,
      datfrozenxid: 0,
      datminmxid: 1,
      dattablespace: PG_DEFAULT,
      datcollate: 'C',
      datctype: 'C.UTF-8',
    },
  ];
});
