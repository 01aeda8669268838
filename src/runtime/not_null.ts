/** Errors of NULL in a column that is NOT NULL: of a statement's row, at COMMIT of one that was written before the column was so, and of rows that are there when it becomes so. */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { presentColumns, type Relation } from '../../planner/catalog_reader.ts';

/** Null when every column that is NOT NULL has a value; `also`: further such columns. */
export function nullViolation(
  relation: Relation,
  row: Datum[],
  context: EvalContext,
  also: number[] = [],
): SqlError | null {
  const { columns, schema, name } = relation;
  const column = columns.find(({ notNull }, i) => row[i] === null && (notNull || also.includes(i)));
  if (column === undefined) return null;
  const message = `null value in column "${column.name}" of relation "${name}" violates not-null constraint`;
  return new SqlError('23502', message, {
    detail: failingRow(relation, row, context),
    schema,
    table: name,
    column: column.name,
  });
}

/** Of a column that cannot become NOT NULL. */
export function containsNull({ schema, name, columns }: Relation, position: number): SqlError {
  const column = columns[position].name;
  const message = `column "${column}" of relation "${name}" contains null values`;
  return new SqlError('23502', message, { schema, table: name, column });
}

/** The row as messages show it. */
export function failingRow(relation: Relation, row: Datum[], context: EvalContext): string {
  const values = presentColumns(relation).map(({ position }) => {
    const value = row[position];
    return value === null ? 'null' : outputText(value, relation.columns[position].type.oid, context);
  });
  return `Failing row contains (${values.join(', ')}).`;
}
