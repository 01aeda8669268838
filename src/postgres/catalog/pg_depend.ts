/**
 * pg_depend: what goes when something else is dropped.
 *
 *   view's rule -> view (i), relations it reads (n)     index -> table's columns or its constraint (a, i)
 *   constraint, default -> column (a)                   relation -> schema (n)
 *   tidemark's schema and views -> its extension (e)   extension -> schema (n), view's rule -> extension (n)
 *   foreign key -> columns and index that it references (n)
 *   column -> its user's type (n)                       type -> schema (n), array type -> its element (i)
 *   function -> schema, types, what a body of the standard names (n)    view's rule, default, CHECK, index -> functions (n)
 *   sequence -> column that owns it (a; identity: i)    default -> sequence (n)
 */
import { declaredOid, typeObjectOf, userTypeOid } from '../../../operators/types.ts';
import type { SequenceObject } from '../../catalog/objects.ts';
import { identityOwner } from '../../runtime/owned_sequences.ts';
import { columnsOf } from '../../runtime/row_expression.ts';
import { type CatalogRow, ofCatalog } from './catalog_relation.ts';
import { domainConstraints, domainObjects } from './domains.ts';
import { type CatalogFacts, figuresSchema, type IndexFacts, type RelationFacts } from './facts.ts';
import { CATALOG, checkOid, defaultOid, EXTENSION, notNullOid, ruleOid } from './oids.ts';
import { indexOfKey } from './pg_constraint.ts';
import { extensionsOf } from './pg_extension.ts';
import { userTypes } from './pg_type.ts';
import { functionsOf } from './procs.ts';

type Item = [catalog: number, oid: number, column?: number];

function edge(
  [classid, objid, objsubid = 0]: Item,
  [refclassid, refobjid, column = 0]: Item,
  deptype: 'n' | 'a' | 'i' | 'e',
): CatalogRow {
  return { classid, objid, objsubid, refclassid, refobjid, refobjsubid: column, deptype };
}

function ofChecks(r: RelationFacts): CatalogRow[] {
  return r.checks.flatMap(({ number, expr, functions }) => {
    const constraint: Item = [CATALOG.pg_constraint, checkOid(r.oid, number)];
    const calls = ofCalls(constraint, functions);
    const columns = columnsOf(expr).map((c): Item => [CATALOG.pg_class, r.oid, c + 1]);
    if (columns.length === 0) return [edge(constraint, [CATALOG.pg_class, r.oid], 'a'), ...calls];
    return [...columns.flatMap((column) => [edge(constraint, column, 'a'), edge(constraint, column, 'n')]), ...calls];
  });
}

function ofForeignKeys(r: RelationFacts, facts: CatalogFacts): CatalogRow[] {
  return r.foreignKeys.flatMap((key) => {
    const constraint: Item = [CATALOG.pg_constraint, checkOid(r.oid, key.number)];
    const other = facts.relation(key.references) as RelationFacts;
    const index = indexOfKey(other, key);
    return [
      ...key.columns.map((c) => edge(constraint, [CATALOG.pg_class, r.oid, c + 1], 'a')),
      ...key.referenced.map((c) => edge(constraint, [CATALOG.pg_class, other.oid, c + 1], 'n')),
      ...(index === undefined ? [] : [edge(constraint, [CATALOG.pg_class, index.oid], 'n')]),
    ];
  });
}

function ofOwner(self: Item, object: SequenceObject, { engine }: CatalogFacts): CatalogRow[] {
  if (object.owner === null) return [];
  const column: Item = [CATALOG.pg_class, object.owner.table, object.owner.column + 1];
  return [edge(self, column, identityOwner(engine, object) === null ? 'a' : 'i')];
}

function itemOf(oid: number, { engine }: CatalogFacts): Item {
  const kind = engine.catalog.get(oid)?.kind;
  if (kind === 'extension') return [CATALOG.pg_extension, oid];
  if (kind === 'function') return [CATALOG.pg_proc, oid];
  return kind === 'type' ? [CATALOG.pg_type, userTypeOid(oid)] : [CATALOG.pg_class, oid];
}

function ofFunctions(facts: CatalogFacts): CatalogRow[] {
  return functionsOf(facts).flatMap(({ oid, proc, dependencies }) => {
    const self: Item = [CATALOG.pg_proc, oid];
    const needs = dependencies.map((other) => edge(self, itemOf(other, facts), 'n'));
    return [edge(self, [CATALOG.pg_namespace, proc.namespace], 'n'), ...needs];
  });
}

/** The functions that an expression calls. */
function ofCalls(self: Item, functions: number[] = []): CatalogRow[] {
  return functions.map((oid) => edge(self, [CATALOG.pg_proc, oid], 'n'));
}

function ofTypes(facts: CatalogFacts): CatalogRow[] {
  return userTypes(facts).flatMap(({ oid, namespace }) => [
    edge([CATALOG.pg_type, oid], [CATALOG.pg_namespace, namespace], 'n'),
    edge([CATALOG.pg_type, oid + 1], [CATALOG.pg_type, oid], 'i'),
  ]);
}

function ofDomains(facts: CatalogFacts): CatalogRow[] {
  const self = (oid: number): Item => [CATALOG.pg_type, oid];
  return [
    ...domainObjects(facts).flatMap(({ type: { oid, base } }) =>
      typeObjectOf(base) === 0 ? [] : [edge(self(oid), self(declaredOid(base)), 'n')],
    ),
    ...domainConstraints(facts).map(({ oid, object }) =>
      edge([CATALOG.pg_constraint, oid], self(object.type.oid), 'a'),
    ),
  ];
}

function ofRelation(r: RelationFacts, facts: CatalogFacts): CatalogRow[] {
  const self: Item = [CATALOG.pg_class, r.oid];
  const edges = [edge(self, [CATALOG.pg_namespace, r.schema.oid], 'n')];
  if (r.object?.kind === 'sequence') return [...edges, ...ofOwner(self, r.object, facts)];
  if (r.relkind !== 'r') {
    const rule: Item = [CATALOG.pg_rewrite, ruleOid(r.oid)];
    edges.push(edge(rule, self, 'i'));
    for (const oid of r.object?.dependencies ?? []) edges.push(edge(rule, itemOf(oid, facts), 'n'));
    return edges;
  }
  edges.push(...ofChecks(r), ...ofForeignKeys(r, facts));
  r.relation.columns.forEach((c, i) => {
    const column: Item = [CATALOG.pg_class, r.oid, i + 1];
    const type = typeObjectOf(c.type);
    if (type !== 0 && !c.dropped) edges.push(edge(column, [CATALOG.pg_type, declaredOid(c.type)], 'n'));
    const value = r.defaults[i];
    if (value !== null) {
      const item: Item = [CATALOG.pg_attrdef, defaultOid(r.oid, i + 1)];
      edges.push(edge(item, column, 'a'));
      for (const sequence of value.sequences) edges.push(edge(item, [CATALOG.pg_class, sequence], 'n'));
      edges.push(...ofCalls(item, value.functions));
    }
    const generated = r.generated.find((g) => g.column === i);
    if (generated?.functions?.length) {
      const item: Item = [CATALOG.pg_attrdef, defaultOid(r.oid, i + 1)];
      edges.push(edge(item, column, 'a'), ...ofCalls(item, generated.functions));
    }
    if (c.notNull) edges.push(edge([CATALOG.pg_constraint, notNullOid(r.oid, i + 1)], column, 'a'));
  });
  return edges;
}

function ofIndex(index: IndexFacts): CatalogRow[] {
  const self: Item = [CATALOG.pg_class, index.oid];
  const included = index.include.flatMap(({ column }) => column ?? []);
  const columns = [...new Set([...index.columns, ...included])].map(
    (c): Item => [CATALOG.pg_class, index.table.oid, c + 1],
  );
  const written = [...(index.computed?.parts ?? []), index.computed?.where ?? 0];
  const calls = written.flatMap((part) => (typeof part === 'number' ? [] : ofCalls(self, part.functions)));
  if (index.constraint === null) return [...columns.map((c) => edge(self, c, 'a')), ...calls];
  const constraint: Item = [CATALOG.pg_constraint, index.constraint];
  return [...columns.map((c) => edge(constraint, c, 'a')), edge(self, constraint, 'i')];
}

/** The tidemark schema and what is in it, and the schemas of users' extensions. */
function ofExtensions(facts: CatalogFacts): CatalogRow[] {
  const schema = figuresSchema(facts);
  const views = facts.own.filter((r) => r.object === null).map((r): Item => [CATALOG.pg_class, r.oid]);
  const members: Item[] = [[CATALOG.pg_namespace, schema], ...views];
  return [
    ...members.map((member) => edge(member, [CATALOG.pg_extension, EXTENSION], 'e')),
    ...extensionsOf(facts).map(({ oid, schema: own }) =>
      edge([CATALOG.pg_extension, oid], [CATALOG.pg_namespace, facts.engine.catalog.schemaOid(own)], 'n'),
    ),
  ];
}

export const PG_DEPEND = ofCatalog((facts) => [
  ...ofExtensions(facts),
  ...ofTypes(facts),
  ...ofDomains(facts),
  ...ofFunctions(facts),
  ...facts.own.flatMap((r) => ofRelation(r, facts)),
  ...facts.indexes.flatMap(ofIndex),
]);
