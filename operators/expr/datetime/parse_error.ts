/**
 * What can be wrong with date, time and interval text, and the error each gives. Parsers throw `FieldError`; the input
 * function of a type turns it into the SqlError that names the type and the whole text.
 */
import { SqlError } from '../../errors.ts';

export type FieldProblem =
  | 'format'
  | 'overflow'
  | 'month_day_overflow'
  | 'interval_overflow'
  | 'zone_overflow'
  | 'zone';

export class FieldError extends Error {
  readonly problem: FieldProblem;
  /** The unknown zone of problem `zone`. */
  readonly zone: string;

  constructor(problem: FieldProblem, zone = '') {
    super(problem);
    this.problem = problem;
    this.zone = zone;
  }
}

export function badFormat(): FieldError {
  return new FieldError('format');
}

export function overflow(): FieldError {
  return new FieldError('overflow');
}

/** Runs a parser of `text` and reports its FieldErrors as PostgreSQL does for type `typeName`. */
export function reporting<T>(text: string, typeName: string, parse: () => T): T {
  try {
    return parse();
  } catch (e) {
    if (e instanceof FieldError) throw sqlErrorOf(e, text, typeName);
    throw e;
  }
}

function sqlErrorOf(e: FieldError, text: string, typeName: string): SqlError {
  switch (e.problem) {
    case 'format':
      return new SqlError('22007', `invalid input syntax for type ${typeName}: "${text}"`);
    case 'overflow':
      return new SqlError('22008', `date/time field value out of range: "${text}"`);
    case 'month_day_overflow':
      return new SqlError('22008', `date/time field value out of range: "${text}"`, {
        hint: 'Perhaps you need a different "DateStyle" setting.',
      });
    case 'interval_overflow':
      return new SqlError('22015', `interval field value out of range: "${text}"`);
    case 'zone_overflow':
      return new SqlError('22009', `time zone displacement out of range: "${text}"`);
    case 'zone':
      return new SqlError('22023', `time zone "${e.zone}" not recognized`);
  }
}
