/**
 * GENERATED ALWAYS AS (expression) STORED or VIRTUAL: a column's value is computed from the others of its row whenever a statement writes the row, before NOT NULL, CHECK and
 * keys are looked at. To everybody else it is a column. The expression is bound when the table is made, as that of a CHECK is.
 *
 * VIRTUAL, which is what PostgreSQL 18 makes when nothing is said, would be computed when it is read. As the expression is immutable that is the same value; what differs is
 * that an expression which fails refuses the row.
 */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { ColumnDef } from '../../planner/parse/ast.ts';
import type { GeneratedColumn } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { functionsCalled } from './function_users.ts';
import { bindAlone, columnsOf, evaluatorOf, isImmutable, rowColumns } from './row_expression.ts';
import { settledText } from './settled_literals.ts';
import { written } from './written_expression.ts';

/** What generates a column; null when nothing does. */
export function generatedColumn(
  engine: TidemarkEngine,
  relation: Relation,
  column: number,
  { generated }: ColumnDef,
  text: string,
  session: SessionContext,
): GeneratedColumn | null {
  if (generated === null) return null;
  const options = {
    place: 'generated' as const,
    relation: relation.name,
    columns: rowColumns(relation),
    target: relation.columns[column].type,
  };
  const expr = bindAlone(engine, generated.expr, text, session, options);
  const other = columnsOf(expr).find((c) => relation.columns[c].generated === true);
  if (other !== undefined) {
    const { name } = relation.columns[other];
    throw new SqlError('42P17', `cannot use generated column "${name}" in column generation expression`, {
      detail: 'A generated column cannot reference another generated column.',
    });
  }
  const functions = functionsCalled(engine, generated.expr, text, relation, session);
  const isDeclared = functions.every((oid) => {
    const object = engine.catalog.get(oid);
    return object?.kind !== 'function' || object.proc.volatility === 'i';
  });
  if (engine.replay === null && !(isDeclared && isImmutable(expr))) {
    throw new SqlError('42P17', 'generation expression is not immutable');
  }
  return {
    column,
    expr,
    virtual: generated.virtual,
    ...settledText(engine, written(generated.expr, text, generated.location, 'as'), session, options),
    functions,
  };
}

/** Puts the values of generated columns into a row. */
export function generate(columns: GeneratedColumn[], row: Datum[], context: EvalContext): void {
  for (const { column, expr } of columns) row[column] = evaluatorOf(expr)(row, context);
}
