/** Comments on relations, columns, constraints, indexes, types, functions, schemas and extensions: what pg_description and obj_description() show. */
import { extensionNamed } from '../../../planner/types/extension_functions.ts';
import type { CatalogObject, CommentedPart, ExtensionObject } from '../../catalog/objects.ts';
import type { ConstraintFacts } from './constraints.ts';
import { domainConstraints } from './domains.ts';
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
  const seen = (oid: number) => seenObject(facts, oid);
  const { pg_class, pg_constraint, pg_extension, pg_namespace, pg_proc, pg_type } = CATALOG;
  return [
    ...facts.schemas.flatMap(({ oid, comment }) => on(pg_namespace, oid, 0, comment ?? undefined)),
    ...facts.own.flatMap(({ oid, object, relation: { columns } }) => [
      ...on(pg_class, oid, 0, saidOf(object, 'object')),
      ...columns.flatMap((c, i) => (c.dropped ? [] : on(pg_class, oid, i + 1, saidOf(object, `column ${i}`)))),
    ]),
    ...facts.indexes.flatMap(({ oid, primary, table: { object } }) =>
      on(pg_class, oid, 0, primary ? saidOf(object, 'primary index') : saidOf(seen(oid), 'object')),
    ),
    ...facts.objects.flatMap((object) => {
      if (object.kind === 'function') return on(pg_proc, object.oid, 0, saidOf(object, 'object'));
      if (object.kind === 'extension') return on(pg_extension, object.oid, 0, ofExtension(object));
      return object.kind === 'type' ? on(pg_type, object.type.oid, 0, saidOf(object, 'object')) : [];
    }),
    ...domainConstraints(facts).flatMap(({ oid, object, check }) =>
      on(pg_constraint, oid, 0, check === null ? undefined : saidOf(object, `constraint ${check.number}`)),
    ),
    ...facts.constraints.flatMap((c) => on(pg_constraint, c.oid, 0, ofConstraint(c, facts))),
  ];
}

function on(classoid: number, objoid: number, objsubid: number, description: string | undefined): CommentFacts[] {
  return description === undefined ? [] : [{ classoid, objoid, objsubid, description }];
}

function seenObject({ engine, path }: CatalogFacts, oid: number): CatalogObject | undefined {
  const object = engine.catalog.get(oid);
  return object === undefined ? undefined : engine.catalog.pending.asSeen(object, path);
}

const saidOf = (object: CatalogObject | null | undefined, part: CommentedPart): string | undefined =>
  object?.comments?.[part];

/** Its own, before somebody says another. */
function ofExtension({ name, comments }: ExtensionObject): string | undefined {
  return comments === undefined ? extensionNamed(name)?.comment : comments.object;
}

function ofConstraint(constraint: ConstraintFacts, facts: CatalogFacts): string | undefined {
  const { object } = constraint.table;
  switch (constraint.type) {
    case 'p':
      return saidOf(object, 'primary key');
    case 'u':
      return saidOf(seenObject(facts, constraint.index.oid), 'constraint');
    case 'n':
      return saidOf(object, `not null ${constraint.columns[0]}`);
    case 'c':
      return saidOf(object, `constraint ${constraint.check.number}`);
    case 'f':
      return saidOf(object, `constraint ${constraint.key.number}`);
  }
}
