/**
 * Operator resolution: PostgreSQL manual, section 10.2.
 */
import type { ColType } from '../../operators/types.ts';

export interface ResolvedOperator {
  oid: number;
  name: string;
  /** regprocedure text of oprcode. */
  fn: string;
  /** One (prefix) or two types that the operands are coerced to. */
  argTypes: ColType[];
  resultType: ColType;
  strict: boolean;
  volatility: 'i' | 's' | 'v';
  /** Names (and oids, 0 = none) of commutator and negator. */
  commutator: { oid: number; name: string } | null;
  negator: { oid: number; name: string } | null;
  canHash: boolean;
  canMerge: boolean;
}

/** Finds the operator for operand types (`left` null: prefix operator). Throws 42883, 42725. */
export declare function resolveOperator(
  name: string,
  left: ColType | null,
  right: ColType,
  schema?: string,
  position?: number,
): ResolvedOperator;
