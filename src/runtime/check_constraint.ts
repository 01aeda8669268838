/**
 * CHECK constraints: conditions over one row of a table, bound when they are made, under the settings of who makes them. A row fits when none is false: true and
 * NULL are as good. They are looked at in the order of their names, after NOT NULL and before keys, as PostgreSQL does.
 */
import { readRow, weightOf } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import { turn } from '../../operators/turn.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { CheckDef, PgNode } from '../../planner/parse/ast.ts';
import { inOrderOfNames } from '../catalog/constraint_order.ts';
import type { CheckConstraint, RelationObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import type { ConstraintsThere } from './foreign_key.ts';
import { functionsCalled, withFunctionsOf } from './function_users.ts';
import { freeName, objectName } from './names.ts';
import { failingRow } from './not_null.ts';
import type { Correction } from './relation_scan.ts';
import { bindAlone, columnsOf, evaluatorOf, rowColumns } from './row_expression.ts';
import { settledText } from './settled_literals.ts';
import type { StoredRelation } from './stored_relation.ts';
import { withTypesOf } from './type_users.ts';
import { parsed, written } from './written_expression.ts';

/** Between two looks whether the statement is to end. */
const LOOK_ROWS = 256;

/** The constraint as a statement says it; `there`: those that the table has, and those of the statement before it. */
export function checkConstraint(
  engine: TidemarkEngine,
  relation: Relation,
  definition: CheckDef,
  text: string,
  there: Pick<ConstraintsThere, 'names' | 'numbers'>,
  session: SessionContext,
): CheckConstraint {
  const expr = boundCondition(engine, relation, definition.expr, text, session);
  const columns = columnsOf(expr);
  const free = (name: string) => !there.names.includes(name);
  const one = columns.length === 1 ? relation.columns[columns[0]].name : null;
  const wanted = one === null ? `${relation.name}_check` : objectName(relation.name, one, 'check');
  return {
    number: Math.max(0, ...there.numbers) + 1,
    name: definition.name ?? freeName(wanted, free),
    expr,
    ...settledText(
      engine,
      written(definition.expr, text, definition.location, 'check'),
      session,
      conditionOf(relation),
    ),
    functions: functionsCalled(engine, definition.expr, text, relation, session),
    valid: !definition.notValid,
    noInherit: definition.noInherit,
    since: engine.loop.tick,
  };
}

/** The constraint over columns of which some have other types than before. */
export function boundAgain(
  engine: TidemarkEngine,
  relation: Relation,
  check: CheckConstraint,
  session: SessionContext,
): CheckConstraint {
  const { node, whole } = parsed(check);
  const found = withFunctionsOf(engine, check, withTypesOf(engine, check.expr, session));
  return { ...check, expr: boundCondition(engine, relation, node, whole, found) };
}

function boundCondition(
  engine: TidemarkEngine,
  relation: Relation,
  node: PgNode,
  text: string,
  session: SessionContext,
): Expr {
  return bindAlone(engine, node, text, session, conditionOf(relation));
}

function conditionOf(relation: Relation) {
  return { place: 'check' as const, relation: relation.name, columns: rowColumns(relation) };
}

/** The error of a row; null when all hold. */
export function checkViolation(
  relation: Relation,
  checks: CheckConstraint[],
  row: Datum[],
  context: EvalContext,
): SqlError | null {
  const failed = checks.find((check) => !holds(check, row, context));
  if (failed === undefined) return null;
  const message = `new row for relation "${relation.name}" violates check constraint "${failed.name}"`;
  return new SqlError('23514', message, {
    detail: failingRow(relation, row, context),
    schema: relation.schema,
    table: relation.name,
    constraint: failed.name,
  });
}

function holds({ expr }: CheckConstraint, row: Datum[], context: EvalContext): boolean {
  return evaluatorOf(expr)(row, context) !== false;
}

/** Throws when a row that is there, with corrections, does not fit. */
export function checkRows(
  stored: StoredRelation | undefined,
  { schema, name }: Relation,
  check: CheckConstraint,
  { evalContext }: Pick<SessionContext, 'evalContext'>,
  corrections: Correction[] = [],
): void {
  stored?.inPieces((rows) => {
    for (let i = 0; i < rows.n; i++) {
      if (i % LOOK_ROWS === 0) turn.look();
      if (weightOf(rows, i) <= 0 || holds(check, readRow(rows, i), evalContext)) continue;
      const message = `check constraint "${check.name}" of relation "${name}" is violated by some row`;
      throw new SqlError('23514', message, { schema, table: name, constraint: check.name });
    }
    return false;
  }, corrections);
}

/** The constraints with one more, in the order in which they are looked at. */
export function withCheck(checks: CheckConstraint[], added: CheckConstraint): CheckConstraint[] {
  return inOrderOfNames([...checks, added]);
}

/** ALTER TABLE ... DROP CONSTRAINT: takes it away, or null when there is none and IF EXISTS was said. `planned`: what is left of them by then. */
export function dropCheck(
  engine: TidemarkEngine,
  object: RelationObject,
  { name, ifExists }: { name: string; ifExists: boolean },
  planned: { checks: CheckConstraint[] },
  session: SessionContext,
): (() => void) | null {
  const message = `constraint "${name}" of relation "${object.name}" does not exist`;
  if (!planned.checks.some((check) => check.name === name)) {
    if (!ifExists) throw new SqlError('42704', message);
    session.notice('NOTICE', '00000', `${message}, skipping`);
    return null;
  }
  planned.checks = planned.checks.filter((check) => check.name !== name);
  return () => {
    object.checks = object.checks.filter((check) => check.name !== name);
    engine.catalog.version++;
  };
}
