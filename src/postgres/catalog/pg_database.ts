/** pg_database: the one database, under whatever name the session has connected to. */
import { ofMoment } from './catalog_relation.ts';
import { DATABASE, OWNER } from './oids.ts';

const UTF8 = 6;
const PG_DEFAULT = 1663;

export const PG_DATABASE = ofMoment(({ context }) => [
  {
    oid: DATABASE,
    datname: context.database,
    datdba: OWNER,
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
]);
