/** A new row of a table, before its keys are looked at. */
import type { Datum } from '../../operators/datum.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import { checkViolation } from './check_constraint.ts';
import { generate } from './generated_column.ts';
import type { ModifyContext } from './modify.ts';
import { nullViolation } from './not_null.ts';

/** Puts in the values of generated columns; throws when the row does not fit NOT NULL and CHECK. */
export function completeRow(
  relation: Relation,
  row: Datum[],
  { checks, notNull, generated, context }: ModifyContext,
): void {
  generate(generated, row, context);
  const violation = nullViolation(relation, row, context, notNull) ?? checkViolation(relation, checks, row, context);
  if (violation !== null) throw violation;
}
