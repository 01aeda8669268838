/** A CHECK constraint as PostgreSQL prints it, with the condition as its creator wrote it. */
import type { CheckConstraint } from '../../catalog/objects.ts';

/** As pg_get_expr gives it. */
export function checkExpression({ text, compound }: CheckConstraint): string {
  return compound ? `(${text})` : text;
}

/** As pg_get_constraintdef gives it; `pretty`: with as few brackets as will do. */
export function checkDefinition(check: CheckConstraint, pretty: boolean): string {
  const marks = `${check.noInherit ? ' NO INHERIT' : ''}${check.valid ? '' : ' NOT VALID'}`;
  return `CHECK (${pretty ? check.text : checkExpression(check)})${marks}`;
}
