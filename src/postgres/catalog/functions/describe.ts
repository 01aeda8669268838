/** pg_describe_object: an object of pg_depend in words. */
import { typeByOid } from '../../../../planner/types/catalog.ts';
import { formatType } from '../../../../planner/types/type_name.ts';
import type { Moment } from '../catalog_relation.ts';
import { CATALOG, ruleOid } from '../oids.ts';
import { procOf } from '../procs.ts';
import { type CatalogFunctions, numberOf } from './catalog_function.ts';
import { findByOid, shownName } from './names.ts';

const RELATION_WORDS = { r: 'table', v: 'view', m: 'materialized view', S: 'sequence' };

function relation(oid: number, column: number, { facts, context }: Moment): string | null {
  const named = findByOid(facts, oid);
  if (named === undefined) return null;
  const word = 'table' in named ? 'index' : RELATION_WORDS[named.relkind];
  const text = `${word} ${shownName(facts, named, context.searchPath)}`;
  if (column === 0) return text;
  const name = 'table' in named ? undefined : named.relation.columns[column - 1]?.name;
  return name === undefined ? null : `column ${name} of ${text}`;
}

function describe(catalog: number, oid: number, column: number, moment: Moment): string | null {
  const { facts } = moment;
  switch (catalog) {
    case CATALOG.pg_class:
      return relation(oid, column, moment);
    case CATALOG.pg_type:
      return typeByOid(oid) === undefined ? null : `type ${formatType(oid, null, moment.context.searchPath)}`;
    case CATALOG.pg_proc: {
      const proc = procOf(facts, oid);
      return proc === undefined ? null : `function ${proc.name}(${proc.args.map((t) => formatType(t)).join(',')})`;
    }
    case CATALOG.pg_namespace: {
      const schema = facts.schema(oid);
      return schema === undefined ? null : `schema ${schema.name}`;
    }
    case CATALOG.pg_rewrite: {
      const view = facts.own.find((r) => ruleOid(r.oid) === oid);
      return view === undefined ? null : `rule _RETURN on ${relation(view.oid, 0, moment)}`;
    }
    case CATALOG.pg_constraint: {
      const key = facts.indexes.find((i) => i.constraint === oid);
      return key === undefined ? null : `constraint ${key.name} on ${relation(key.table.oid, 0, moment)}`;
    }
  }
  return null;
}

export const DESCRIBE_FUNCTIONS: CatalogFunctions = {
  pg_describe_object: ([catalog, oid, column], moment) =>
    describe(numberOf(catalog), numberOf(oid), numberOf(column), moment),
};
