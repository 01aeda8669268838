/** pg_*_is_visible: whether an unqualified name finds the object. NULL when there is no such object. */
import { searchOrder } from '../../../../operators/expr/search_path.ts';
import { typeObjectOid } from '../../../../operators/types.ts';
import { operatorByOid, operatorsByName, typeByName, typeByOid } from '../../../../planner/types/catalog.ts';
import { type SystemTable, systemTable } from '../../../../planner/types/catalog_table.ts';
import { procOf, procsOf, schemaOfProc } from '../procs.ts';
import { type CatalogFunction, type CatalogFunctions, numberOf } from './catalog_function.ts';
import { findByOid, isVisible } from './names.ts';

/** Objects of pg_catalog only: visible, since pg_catalog is searched whether or not the path names it. */
function builtIn(table: SystemTable): CatalogFunction {
  return ([oid]) => (systemTable(table).indexBy('oid').has(String(oid)) ? true : null);
}

/** Nothing of this kind exists. */
const none: CatalogFunction = () => null;

export const VISIBLE_FUNCTIONS: CatalogFunctions = {
  pg_table_is_visible: ([oid], { facts, context }) => {
    const named = findByOid(facts, numberOf(oid));
    return named === undefined ? null : isVisible(facts, named, context.searchPath);
  },
  pg_type_is_visible: ([oid], { facts, context }) => {
    const type = typeByOid(numberOf(oid));
    if (type === undefined) return null;
    if (typeObjectOid(type.oid) !== 0) {
      const { searchPath } = context;
      const own = searchOrder(searchPath).every((s) => s !== 'pg_catalog' || typeByName(s, type.name) === undefined);
      return own && facts.engine.catalog.typeNamed(undefined, type.name, searchPath) === type.oid;
    }
    const schema = searchOrder(context.searchPath).find((s) => typeByName(s, type.name) !== undefined);
    return schema !== undefined && typeByName(schema, type.name) === type;
  },
  pg_function_is_visible: ([oid], { facts, context }) => {
    const proc = procOf(facts, numberOf(oid));
    if (proc === undefined) return null;
    const path = searchOrder(context.searchPath);
    const same = procsOf(facts, proc.name).filter((p) => p.args.join() === proc.args.join());
    const first = path.find((s) => same.some((p) => schemaOfProc(p) === s));
    return first !== undefined && first === schemaOfProc(proc);
  },
  pg_operator_is_visible: ([oid]) => {
    const op = operatorByOid(numberOf(oid));
    return op === undefined ? null : operatorsByName(op.name).includes(op);
  },
  pg_collation_is_visible: builtIn('pg_collation'),
  pg_conversion_is_visible: builtIn('pg_conversion'),
  pg_opclass_is_visible: builtIn('pg_opclass'),
  pg_opfamily_is_visible: builtIn('pg_opfamily'),
  pg_ts_config_is_visible: builtIn('pg_ts_config'),
  pg_ts_dict_is_visible: builtIn('pg_ts_dict'),
  pg_ts_parser_is_visible: builtIn('pg_ts_parser'),
  pg_ts_template_is_visible: builtIn('pg_ts_template'),
  pg_statistics_obj_is_visible: none,
};
