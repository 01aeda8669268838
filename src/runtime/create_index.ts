/** CREATE INDEX: a keyed copy of a table's or view's rows for point reads; UNIQUE is checked at each write of a table. */
import { SqlError, unsupported } from '../../operators/errors.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { PgNode, Statement } from '../../planner/parse/ast.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { creationSchema, nameTaken } from './names.ts';
import type { StoredRelation } from './stored_relation.ts';
import { keyOf } from './unique_keys.ts';

export function createIndex(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'create_index' }>,
  session: SessionContext,
): void {
  const relation = engine.catalog.relation(statement.schema, statement.relation, session.searchPath);
  if (relation === null) throw new SqlError('42P01', `relation "${statement.relation}" does not exist`);
  const stored = engine.loop.relations.get(relation.oid);
  if (stored === undefined) {
    throw new SqlError('42809', `cannot create index on relation "${relation.name}"`, {
      detail: 'Only tables and materialized views keep rows that an index can be made of.',
    });
  }
  const columns = statement.columns.map((element) =>
    indexColumn(
      element,
      relation.columns.map((c) => c.name),
    ),
  );
  if (statement.unique && relation.kind !== 'table') throw unsupported('a unique index on a view');
  const name =
    statement.name ??
    freeName(engine, `${relation.name}_${columns.map((c) => relation.columns[c].name).join('_')}_idx`, relation.schema);
  if (nameTaken(engine, relation.schema, name, statement.ifNotExists, session)) return;
  if (statement.unique && engine.replay === null) checkUnique(relation, stored, { columns, name }, session);
  engine.loop.addIndex(relation.oid, columns);
  relation.indexes = [...relation.indexes, columns];
  engine.define(
    {
      kind: 'index',
      oid: engine.catalog.newOid(),
      schema: relation.schema ?? creationSchema(engine, session),
      name,
      sql: statement.text,
      dependencies: [relation.oid],
      on: relation.oid,
      columns,
      unique: statement.unique,
    },
    session,
  );
}

function checkUnique(
  relation: Relation,
  stored: StoredRelation,
  { columns, name }: { columns: number[]; name: string },
  { evalContext }: SessionContext,
): void {
  const row = stored.repeatedRow(columns);
  if (row === null) return;
  throw new SqlError('23505', `could not create unique index "${name}"`, {
    detail: `Key ${keyOf(relation, columns, row, evalContext)} is duplicated.`,
    schema: relation.schema,
    table: relation.name,
    constraint: name,
  });
}

function indexColumn(element: PgNode, names: string[]): number {
  const node = element.IndexElem ?? element;
  if (node.name === undefined) throw unsupported('an index on an expression');
  const column = names.indexOf(node.name);
  if (column < 0) throw new SqlError('42703', `column "${node.name}" does not exist`);
  return column;
}

function freeName(engine: TidemarkEngine, wanted: string, schema: string): string {
  for (let i = 0; ; i++) {
    const name = i === 0 ? wanted : `${wanted}${i}`;
    if (engine.catalog.find(schema, name) === undefined) return name;
  }
}
