/** tables, columns, views, view_table_usage, element_types. Materialized views are not listed, as the standard has none. */

import { domainTypeOf } from '../../../../operators/expr/domain_types.ts';
import type { EvalContext } from '../../../../operators/expr/ir.ts';
import { isTemporary } from '../../../../operators/expr/search_path.ts';
import { type ColType, declaredOid } from '../../../../operators/types.ts';
import { presentColumns } from '../../../../planner/catalog_reader.ts';
import { elementTypeOf, namespaceName, typeByOid } from '../../../../planner/types/catalog.ts';
import { elementOf } from '../../../../planner/types/type_name.ts';
import { userTypeOf } from '../../../../planner/types/user_types.ts';
import { identitySequence } from '../../../runtime/owned_sequences.ts';
import { type CatalogRelation, type CatalogRow, ofCatalog } from '../catalog_relation.ts';
import { writtenExpression } from '../check_text.ts';
import { defaultText } from '../default_text.ts';
import { viewDefinition } from '../definitions.ts';
import type { CatalogFacts, RelationFacts } from '../facts.ts';
import { typeStorage } from '../pg_attribute.ts';
import { type Known, knownTo } from './known.ts';
import { dataTypeName, domainLimits, typeLimits, udt } from './sql_type.ts';
import { yesNo } from './yes_no.ts';

const DEFAULT_COLLATION = 100;
const C_COLLATION = 950;

function listed(facts: CatalogFacts, context: EvalContext): RelationFacts[] {
  const known = knownTo(facts, context);
  return facts.relations.filter((r) => r.relkind !== 'm' && r.relkind !== 'S' && known.relation(r));
}

/** Tables and local streams take INSERT; what a connector fills, and views, do not. */
function isWritable(r: RelationFacts): boolean {
  if (r.system !== null) return r.relkind === 'r';
  return r.object !== null && 'source' in r.object && r.object.source === null;
}

export function tableName(r: RelationFacts, database: string, prefix = 'table'): CatalogRow {
  return { [`${prefix}_catalog`]: database, [`${prefix}_schema`]: r.schema.name, [`${prefix}_name`]: r.name };
}

function tableRow(r: RelationFacts, { database }: EvalContext): CatalogRow {
  return {
    ...tableName(r, database),
    table_type: isTemporary(r.schema.name) ? 'LOCAL TEMPORARY' : r.relkind === 'v' ? 'VIEW' : 'BASE TABLE',
    is_insertable_into: yesNo(isWritable(r)),
    is_typed: 'NO',
  };
}

function domainOf(declared: number, database: string): CatalogRow {
  const type = typeByOid(declared);
  if (type?.kind !== 'd') return {};
  const schema = userTypeOf(declared)?.schema ?? namespaceName(type.namespace) ?? null;
  return {
    domain_catalog: database,
    domain_schema: schema,
    domain_name: type.name,
  };
}

/** Only a collation other than the database's is named. */
function collationOf(collation: number, database: string): CatalogRow {
  if (collation === 0 || collation === DEFAULT_COLLATION) return {};
  return {
    collation_catalog: database,
    collation_schema: 'pg_catalog',
    collation_name: collation === C_COLLATION ? 'C' : 'POSIX',
  };
}

function generation(r: RelationFacts, column: number): CatalogRow {
  const generated = r.generated.find((other) => other.column === column);
  if (generated === undefined) return { is_generated: 'NEVER' };
  return { is_generated: 'ALWAYS', generation_expression: writtenExpression(generated) };
}

function identity({ relation }: RelationFacts, column: number, { engine }: CatalogFacts): CatalogRow {
  const sequence = identitySequence(engine, relation, column);
  if (sequence === null) return { is_identity: 'NO', identity_cycle: 'NO' };
  const { start, increment, min, max, cycle } = sequence.parameters;
  return {
    is_identity: 'YES',
    identity_generation: relation.columns[column].identity === 'a' ? 'ALWAYS' : 'BY DEFAULT',
    identity_start: String(start),
    identity_increment: String(increment),
    identity_maximum: String(max),
    identity_minimum: String(min),
    identity_cycle: yesNo(cycle),
  };
}

function columnRows(r: RelationFacts, facts: CatalogFacts, { database }: EvalContext): CatalogRow[] {
  const table = tableName(r, database);
  const updatable = yesNo(isWritable(r));
  return presentColumns(r.relation).map(({ position: i }) => {
    const column = r.relation.columns[i];
    const declared = r.system?.columns[i].declared ?? declaredOid(column.type);
    const text = r.defaults[i];
    return {
      ...table,
      column_name: column.name,
      ordinal_position: i + 1,
      column_default: text === null ? null : defaultText(text, column.type, facts, ['public']),
      is_nullable: yesNo(!column.notNull),
      ...typeOf(column.type, database),
      ...collationOf(r.system?.columns[i].collation ?? typeStorage(declared).collation, database),
      ...domainOf(declared, database),
      dtd_identifier: String(i + 1),
      is_self_referencing: 'NO',
      ...identity(r, i, facts),
      ...generation(r, i),
      is_updatable: updatable,
    };
  });
}

/** A domain is shown as what it is over, with its own name beside it. */
function typeOf(type: ColType, database: string): CatalogRow {
  const over = domainTypeOf(declaredOid(type))?.base;
  const shown = over ?? type;
  const data_type = over?.domain === undefined ? dataTypeName(type.oid) : 'USER-DEFINED';
  return {
    data_type,
    ...(over === undefined ? typeLimits(type) : domainLimits(over)),
    ...udt(declaredOid(shown), database),
  };
}

function viewRow(r: RelationFacts, { database }: EvalContext, isOwn: boolean): CatalogRow {
  return {
    ...tableName(r, database),
    view_definition: isOwn ? viewDefinition(r) : null,
    check_option: 'NONE',
    is_updatable: 'NO',
    is_insertable_into: 'NO',
    is_trigger_updatable: 'NO',
    is_trigger_deletable: 'NO',
    is_trigger_insertable_into: 'NO',
  };
}

function viewTables(facts: CatalogFacts, view: RelationFacts, database: string, known: Known): CatalogRow[] {
  return (view.object?.dependencies ?? []).flatMap((oid) => {
    const read = facts.relation(oid);
    return read === undefined || !known.owns(read.owner)
      ? []
      : [{ ...tableName(view, database, 'view'), ...tableName(read, database) }];
  });
}

function elementTypes(r: RelationFacts, database: string): CatalogRow[] {
  return presentColumns(r.relation).flatMap(({ position: i }) => {
    const { type } = r.relation.columns[i];
    const element = elementTypeOf(type.oid);
    if (element === 0) return [];
    return [
      {
        ...tableName(r, database, 'object'),
        object_type: r.relkind === 'v' ? 'VIEW' : 'TABLE',
        collection_type_identifier: String(i + 1),
        data_type: dataTypeName(element),
        ...udt(declaredOid(elementOf(type)), database),
        dtd_identifier: `a${i + 1}`,
      },
    ];
  });
}

export const TABLES: Record<string, CatalogRelation> = {
  tables: ofCatalog((facts, context) => listed(facts, context).map((r) => tableRow(r, context))),
  columns: ofCatalog((facts, context) => listed(facts, context).flatMap((r) => columnRows(r, facts, context))),
  views: ofCatalog((facts, context) => {
    const known = knownTo(facts, context);
    return listed(facts, context)
      .filter((r) => r.relkind === 'v')
      .map((r) => viewRow(r, context, known.owns(r.owner)));
  }),
  view_table_usage: ofCatalog((facts, context) => {
    const known = knownTo(facts, context);
    return facts.own
      .filter((r) => r.relkind === 'v')
      .flatMap((view) => viewTables(facts, view, context.database, known));
  }),
  element_types: ofCatalog((facts, context) =>
    listed(facts, context).flatMap((r) => elementTypes(r, context.database)),
  ),
};
