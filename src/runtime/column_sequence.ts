/**
 * The sequence of a serial or an identity column: named <table>_<column>_seq, made with the column, dropped with it. To PostgreSQL an identity column needs its
 * sequence (it cannot be dropped alone, nor given to another column); a serial column is one with a DEFAULT.
 */

import { SqlError } from '../../operators/errors.ts';
import { openMark } from '../../operators/expr/search_path.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { AlterAction, SequenceOptions } from '../../planner/parse/ast.ts';
import type { RelationObject, SequenceObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { changeSequence, sequenceRelation } from './create_sequence.ts';
import { nextValue } from './default_value.ts';
import type { TidemarkEngine } from './engine.ts';
import { freeName, isFree, objectName, pathOfParts } from './names.ts';
import { identitySequence } from './owned_sequences.ts';
import { ownAs } from './role_names.ts';
import { sequenceParameters, sequenceType } from './sequence_parameters.ts';

type IdentityAction = Extract<AlterAction, { k: 'add_identity' | 'set_identity' | 'drop_identity' }>;

/** The sequence of a column, with the next OID; the table need not be in the catalog yet. `taken`: names that are spoken for. */
export function columnSequence(
  engine: TidemarkEngine,
  relation: Relation,
  column: number,
  options: SequenceOptions,
  sql: string,
  taken: string[],
  session: SessionContext,
): SequenceObject {
  const { name: wanted, ownedBy, type } = options;
  if (ownedBy !== undefined || type !== undefined) throw new SqlError('42601', 'conflicting or redundant options');
  const { name: columnName, type: columnType } = relation.columns[column];
  const parameters = sequenceParameters(options, null, sequenceType(columnType.oid, 'identity column'));
  const schema = wanted?.schema ?? relation.schema;
  const path = pathOfParts(engine, relation.oid, session);
  const free = (name: string) => !taken.includes(name) && isFree(engine, schema, name, path);
  if (wanted !== undefined && !free(wanted.name)) {
    throw new SqlError('42P07', `relation "${wanted.name}" already exists`);
  }
  const name = wanted?.name ?? freeName(objectName(relation.name, columnName, 'seq'), free);
  const oid = engine.catalog.newOid();
  return {
    kind: 'sequence',
    oid,
    schema,
    name,
    sql,
    dependencies: [relation.oid],
    relation: sequenceRelation(oid, schema, name),
    parameters,
    owner: { table: relation.oid, column },
  };
}

/** Puts a sequence of a statement that made more than it into the catalog; the table is there. */
export function addSequence(engine: TidemarkEngine, object: SequenceObject): void {
  const { catalog } = engine;
  ownAs(engine, object, catalog.ownerOf(object), [openMark(catalog.open.get(object.owner?.table ?? 0) ?? 0)]);
  catalog.add(object);
  engine.sequences.open(object);
}

/** ALTER COLUMN ... ADD GENERATED, SET GENERATED and its options, DROP IDENTITY: checks it and gives what does it. `planned`: the columns by then. */
export function alterIdentity(
  engine: TidemarkEngine,
  object: RelationObject,
  column: number,
  action: IdentityAction,
  planned: Pick<RelationObject, 'defaults'> & Pick<Relation, 'columns'>,
  text: string,
  session: SessionContext,
): (() => void) | null {
  const { relation } = object;
  const { name, identity, notNull } = planned.columns[column];
  const of = `column "${name}" of relation "${relation.name}"`;
  const wrong = (message: string): SqlError => new SqlError('55000', `${of} ${message}`);
  if (action.k === 'add_identity') {
    if (identity !== undefined) throw wrong('is already an identity column');
    if (planned.defaults[column] !== null || relation.columns[column].generated)
      throw wrong('already has a default value');
    sequenceType(relation.columns[column].type.oid, 'identity column');
    if (!notNull) throw wrong('must be declared NOT NULL before identity can be added');
    sequenceParameters(action.options, null, relation.columns[column].type.oid);
    planned.columns[column].identity = action.always ? 'a' : 'd';
    return () => {
      const sequence = columnSequence(engine, relation, column, action.options, text, [], session);
      addSequence(engine, sequence);
      setIdentity(engine, object, column, action.always);
      object.defaults[column] = nextValue(sequence.oid);
    };
  }
  const sequence = identity === undefined ? null : identitySequence(engine, relation, column);
  if (sequence === null) {
    if (action.k !== 'drop_identity' || !action.ifExists) throw wrong('is not an identity column');
    session.notice('NOTICE', '00000', `${of} is not an identity column, skipping`);
    return null;
  }
  if (action.k === 'drop_identity') {
    delete planned.columns[column].identity;
    planned.defaults[column] = null;
    return () => {
      object.defaults[column] = null;
      setIdentity(engine, object, column, null);
      engine.catalog.remove(sequence.oid);
      engine.sequences.close(sequence.oid);
    };
  }
  const { always } = action;
  const change = changeSequence(engine, sequence, action.options);
  return () => {
    change();
    if (always !== null) setIdentity(engine, object, column, always);
  };
}

function setIdentity(
  engine: TidemarkEngine,
  { relation }: RelationObject,
  column: number,
  always: boolean | null,
): void {
  const { identity: _, ...rest } = relation.columns[column];
  relation.columns[column] = always === null ? rest : { ...rest, identity: always ? 'a' : 'd' };
  engine.catalog.version++;
}
