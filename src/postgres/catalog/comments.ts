/** Comments on relations, columns, constraints, indexes, types and schemas: what pg_description and obj_description() show. */
import type { CatalogObject, CommentedPart } from '../../catalog/objects.ts';
import type { ConstraintFacts } from './constraints.ts';
import type { CatalogFacts } from './facts.ts';
import { CATALOG } from './oids.ts';

export interface CommentFacts {
  /** OID of the catalog that lists it. */
  classoid: number;
  objoid: number;
  /** Of a column its number, else 0. */
  objsubid: number;
  description: string;
}

export function commentsOf(facts: CatalogFacts): CommentFacts[] {
  const { catalog } = facts.engine;
  const { pg_class, pg_constraint, pg_namespace, pg_type } = CATALOG;
  return [
    ...facts.schemas.flatMap(({ name, oid }) => on(pg_namespace, oid, 0, catalog.schemaComments.get(name))),
    ...facts.own.flatMap(({ oid, object, relation: { columns } }) => [
      ...on(pg_class, oid, 0, saidOf(object, 'object')),
      ...columns.flatMap((c, i) => (c.dropped ? [] : on(pg_class, oid, i + 1, saidOf(object, `column ${i}`)))),
    ]),
    ...facts.indexes.flatMap(({ oid, primary, table: { object } }) =>
      on(pg_class, oid, 0, primary ? saidOf(object, 'primary index') : saidOf(catalog.get(oid), 'object')),
    ),
    ...facts.objects.flatMap((object) => {
      return object.kind === 'type' ? on(pg_type, object.type.oid, 0, saidOf(object, 'object')) : [];
    }),
    ...facts.constraints.flatMap((c) => on(pg_constraint, c.oid, 0, ofConstraint(c, facts))),
  ];
}

function on(classoid: number, objoid: number, objsubid: number, description: string | undefined): CommentFacts[] {
  return description === undefined ? [] : [{ classoid, objoid, objsubid, description }];
}

const saidOf = (object: CatalogObject | null | undefined, part: CommentedPart): string | undefined =>
  object?.comments?.[part];

function ofConstraint(constraint: ConstraintFacts, { engine }: CatalogFacts): string | undefined {
  const { object } = constraint.table;
  switch (constraint.type) {
    case 'p':
      return saidOf(object, 'primary key');
    case 'u':
      return saidOf(engine.catalog.get(constraint.index.oid), 'constraint');
    case 'n':
      return saidOf(object, `not null ${constraint.columns[0]}`);
    case 'c':
      return saidOf(object, `constraint ${constraint.check.number}`);
    case 'f':
      return saidOf(object, `constraint ${constraint.key.number}`);
  }
}
