/**
 * The relation that INSERT, UPDATE, DELETE and MERGE change, its columns by name, and their DEFAULTs.
 */
import { isChecked } from '../../operators/expr/domain_types.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { type ColType, OID } from '../../operators/types.ts';
import type { Relation } from '../catalog_reader.ts';
import type { Col } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { coerceAssignment } from '../types/coerce.ts';
import { coerceHost, typeOf, UNKNOWN } from './coercion.ts';
import { findRelation } from './from_relation.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { locationOf } from './node.ts';

type Verb = 'insert into' | 'update' | 'delete from' | 'merge into';

/** The relation that a statement changes, if that can be changed so. */
export function targetRelation(level: Level, statement: PgNode, verb: Verb): Relation {
  const relation = findRelation(level, statement.relation);
  const { kind, name } = relation;
  if (kind === 'view') throw level.error('55000', `cannot ${verb} view "${name}"`);
  if (kind === 'materialized_view') throw level.error('42809', `cannot change materialized view "${name}"`);
  if (kind === 'sequence') throw level.error('42809', `cannot change sequence "${name}"`);
  if (kind === 'system') throw level.error('42501', `permission denied for table ${name}`);
  if (kind === 'index' || kind === 'sink') throw level.error('42809', `cannot open relation "${name}"`);
  if (kind === 'stream' && verb !== 'insert into') {
    throw level.error('0A000', `cannot ${verb} stream "${name}"`, undefined, {
      detail: 'A stream only takes new rows.',
    });
  }
  level.shared.dependencies.add(relation.oid);
  level.shared.env.onTarget?.(relation, verb, statement);
  return relation;
}

/** Columns for a row of it. */
export function newRow(level: Level, { columns }: Relation): Col[] {
  return columns.map(({ name, type }) => level.shared.newCol(name, type));
}

/** Position of a column that a ResTarget names. */
export function columnPosition(level: Level, relation: Relation, target: PgNode): number {
  const position = relation.columns.findIndex((c) => c.name === target.name);
  if (position < 0) {
    const message = `column "${target.name}" of relation "${relation.name}" does not exist`;
    throw level.error('42703', message, locationOf(target));
  }
  if (target.indirection) throw level.unsupported('assignment to a part of a column', locationOf(target));
  return position;
}

/** An expression as a value of a column (assignment cast). */
export function assigned(level: Level, relation: Relation, position: number, expr: Expr): Expr {
  const column = relation.columns[position];
  const plain = typeOf(level, expr);
  const { oid, typmod, domain } = column.type;
  if (plain.oid === oid && typmod === -1 && expr.k !== 'param' && (domain ?? plain.domain) === plain.domain)
    return expr;
  return level.locate(exprLocation(level, expr), () =>
    coerceAssignment(expr, column.type, column.name, coerceHost(level)),
  );
}

/** The DEFAULT of a column as an expression of its type. */
export function defaultValue(level: Level, relation: Relation, position: number): Expr {
  const column = relation.columns[position];
  const written = level.shared.env.columnDefault?.(relation, position);
  if (!written) return domainNull(level, column.type);
  const inner = level.withText(written.text);
  return assigned(inner, relation, position, inner.bindIn('default', written.node));
}

/** NULL where no value is given: a domain may not take it. */
function domainNull(level: Level, type: ColType): Expr {
  if (!isChecked(type)) return nullOf(type);
  return coerceAssignment(nullOf(UNKNOWN), type, '', coerceHost(level));
}

/** NULL as a value of a type. */
export function nullOf(t: ColType): Expr {
  return { k: 'const', v: null, t: t.oid === OID.unknown ? UNKNOWN : t };
}
