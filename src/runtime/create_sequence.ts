/**
 * CREATE SEQUENCE and ALTER SEQUENCE.
 *
 * An ALTER is logged behind a record of the sequence as it is, so that it finds it so when it is done again. What it says of the next value (RESTART, a
 * limit that the last value must keep) is checked when it is given, not again: a copy for other programs may have a later value already (portable.ts).
 */

import { SqlError } from '../../operators/errors.ts';
import { colType, OID } from '../../operators/types.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { SequenceOptions, Statement } from '../../planner/parse/ast.ts';
import type { SequenceObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkOwner } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { columnNamed, nameTaken, notFound, objectNamed } from './names.ts';
import { tellLeft } from './open_objects.ts';
import { identityOwner } from './owned_sequences.ts';
import type { Sequence } from './sequence.ts';
import { checkWithin, sequenceParameters } from './sequence_parameters.ts';
import { targetSchema } from './target_schema.ts';

/** What SELECT ... FROM a sequence sees. */
export function sequenceRelation(oid: number, schema: string, name: string): Relation {
  const column = (name: string, type: number) => ({ name, type: colType(type), notNull: true });
  const columns = [column('last_value', OID.int8), column('log_cnt', OID.int8), column('is_called', OID.bool)];
  return { oid, schema, name, kind: 'sequence', columns, key: null, appendOnly: false, indexes: [] };
}

export function createSequence(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'create_sequence' }>,
  session: SessionContext,
): void {
  const { name, ifNotExists, options, text: sql } = statement;
  const schema = targetSchema(engine, statement, session);
  if (nameTaken(engine, schema, name, ifNotExists, session)) return;
  const parameters = sequenceParameters(options, null);
  const owner = ownerOf(engine, options.ownedBy, schema, session) ?? null;
  const oid = engine.catalog.newOid();
  const object: SequenceObject = {
    kind: 'sequence',
    oid,
    schema,
    name,
    sql,
    dependencies: owner === null ? [] : [owner.table],
    relation: sequenceRelation(oid, schema, name),
    parameters,
    owner,
  };
  engine.define(object, session);
  restart(engine.sequences.open(object), options);
}

export function alterSequence(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'alter_sequence' }>,
  session: SessionContext,
): void {
  const { name, options, text: sql } = statement;
  const object = objectNamed(engine, statement, session);
  if (object === null) return;
  if (object.kind !== 'sequence') throw new SqlError('42809', `"${name}" is not a sequence`);
  checkOwner(engine, object, session);
  const owner = ownerOf(engine, options.ownedBy, object.schema, session);
  const linked = owner === undefined ? null : identityOwner(engine, object);
  if (linked !== null) {
    throw new SqlError('0A000', 'cannot change ownership of identity sequence', {
      detail: `Sequence "${object.name}" is linked to table "${linked.table.name}".`,
    });
  }
  const change = changeSequence(engine, object, options);
  const needs = [object.oid, ...object.dependencies, ...(owner ? [owner.table] : [])];
  change();
  if (owner !== undefined) {
    object.owner = owner;
    object.dependencies = owner === null ? [] : [owner.table];
  }
  tellLeft(engine, [object.oid], session);
  engine.defined({ sql, made: object.oid, dropped: [] }, session, needs);
}

/** Checks other parameters for a sequence, and gives what sets them. */
export function changeSequence(engine: TidemarkEngine, object: SequenceObject, options: SequenceOptions): () => void {
  const sequence = engine.sequences.get(object.oid) as Sequence;
  const parameters = sequenceParameters(options, object.parameters);
  const { min, max } = parameters;
  if (engine.replay === null) checkWithin('RESTART', nextOf(sequence, options, parameters.start), min, max);
  return () => {
    sequence.settle();
    object.parameters = parameters;
    restart(sequence, options);
    engine.catalog.version++;
  };
}

function nextOf(sequence: Sequence, { restart }: SequenceOptions, start: bigint): bigint {
  return restart === 'start' ? start : (restart ?? sequence.state.last);
}

/** What RESTART says; the statement's own record has it. */
function restart(sequence: Sequence, options: SequenceOptions): void {
  const { parameters } = sequence.object;
  if (options.restart === undefined) return;
  sequence.load({ last: nextOf(sequence, options, parameters.start), called: false });
}

/** The column of OWNED BY table.column; null for NONE, undefined when nothing was said. */
function ownerOf(
  engine: TidemarkEngine,
  said: string[] | undefined,
  schema: string,
  session: SessionContext,
): SequenceObject['owner'] | undefined {
  if (said === undefined) return undefined;
  if (said.length === 1) {
    if (said[0] === 'none') return null;
    throw new SqlError('42601', 'invalid OWNED BY option', {
      hint: 'Specify OWNED BY table.column or OWNED BY NONE.',
    });
  }
  const [name, columnName] = said.slice(-2);
  const table = engine.catalog.find(said.at(-3), name, session.searchPath);
  if (table === undefined) throw notFound(said.slice(0, -1).join('.'));
  if (table.kind !== 'table' && table.kind !== 'stream') {
    throw new SqlError('42809', `sequence cannot be owned by relation "${name}"`);
  }
  checkOwner(engine, table, session);
  if (table.schema !== schema) throw new SqlError('55000', 'sequence must be in same schema as table it is linked to');
  return { table: table.oid, column: columnNamed(table.relation, columnName) };
}
