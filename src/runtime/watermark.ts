/** WATERMARK FOR column AS column - delay, as CREATE STREAM says it. */
import type { Interval } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import { colType, OID } from '../../operators/types.ts';
import { bindScalar } from '../../planner/bind/index.ts';
import type { Relation, RelationColumn } from '../../planner/catalog_reader.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

type CreateRelation = Extract<Statement, { k: 'create_relation' }>;

export function watermarkOf(
  engine: TidemarkEngine,
  statement: CreateRelation,
  columns: RelationColumn[],
  session: SessionContext,
): Relation['watermark'] {
  if (statement.watermark === null) return undefined;
  const { column, delay } = statement.watermark;
  const position = columns.findIndex((c) => c.name === column);
  if (position < 0) throw new SqlError('42703', `column "${column}" named in WATERMARK does not exist`);
  const oid = columns[position].type.oid;
  if (oid !== OID.timestamp && oid !== OID.timestamptz) {
    throw new SqlError('42804', `WATERMARK column "${column}" must be of type timestamp or timestamp with time zone`);
  }
  const env = engine.bindEnv(session, [], 'read');
  const value = evaluate(
    bindScalar(delay, statement.text, env, { target: colType(OID.interval), place: 'option' }),
    [],
    session.evalContext,
  ) as Interval | null;
  if (value === null || value.months !== 0)
    throw new SqlError('22023', 'the delay of a WATERMARK must be an interval without months');
  const micros = BigInt(value.days) * 86400000000n + value.micros;
  if (micros < 0n) throw new SqlError('22023', 'the delay of a WATERMARK must not be negative');
  return { column: position, delay: micros };
}
