/** ALTER TABLE ... RENAME CONSTRAINT. The index of a UNIQUE constraint has its name; a primary key is always called after its table, and a NOT NULL after its column. */
import { SqlError, unsupported } from '../../operators/errors.ts';
import type { AlterAction } from '../../planner/parse/ast.ts';
import { inOrderOfNames } from '../catalog/constraint_order.ts';
import type { RelationObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { renameObject } from './rename.ts';

export function renameConstraint(
  engine: TidemarkEngine,
  table: RelationObject,
  { name, to }: Extract<AlterAction, { k: 'rename_constraint' }>,
  session: SessionContext,
): () => void {
  const { catalog } = engine;
  const { relation } = table;
  const index = catalog.in(table.schema, name, session.searchPath);
  if (index?.kind === 'index' && index.constraint && index.on === table.oid) {
    return () => renameObject(engine, index, to, session);
  }
  const own = [...table.checks, ...table.foreignKeys].find((other) => other.name === name);
  if (own === undefined) {
    const named = [...catalog.uniqueKeys(relation), ...notNulls(table)].some((other) => other.name === name);
    if (named) throw unsupported('ALTER TABLE ... RENAME CONSTRAINT of a primary key or a NOT NULL');
    throw new SqlError('42704', `constraint "${name}" for table "${relation.name}" does not exist`);
  }
  const others = [...table.checks, ...table.foreignKeys, ...catalog.uniqueKeys(relation), ...notNulls(table)];
  if (others.some((other) => other.name === to)) {
    throw new SqlError('42710', `constraint "${to}" for relation "${relation.name}" already exists`);
  }
  return () => {
    own.name = to;
    table.checks = inOrderOfNames(table.checks);
    table.foreignKeys = inOrderOfNames(table.foreignKeys);
    catalog.version++;
  };
}

function notNulls({ relation }: RelationObject): { name: string }[] {
  return relation.columns.filter((c) => c.notNull).map((c) => ({ name: `${relation.name}_${c.name}_not_null` }));
}
