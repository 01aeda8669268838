/** Conditions of CHECK constraints and expressions of generated columns as PostgreSQL prints them, but as their creator wrote them. */
import type { CheckConstraint, Written } from '../../catalog/objects.ts';

/** As pg_get_expr gives it. */
export function writtenExpression({ text, compound }: Written): string {
  return compound ? `(${text})` : text;
}

/** As pg_get_constraintdef gives it; `pretty`: with as few brackets as will do. */
export function checkDefinition(
  check: Pick<CheckConstraint, 'text' | 'compound' | 'noInherit' | 'valid'>,
  pretty: boolean,
): string {
  const marks = `${check.noInherit ? ' NO INHERIT' : ''}${check.valid ? '' : ' NOT VALID'}`;
  return `CHECK (${pretty ? check.text : writtenExpression(check)})${marks}`;
}
