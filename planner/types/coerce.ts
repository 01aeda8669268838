/**
 * Coercion of expressions: builds the IR nodes that turn an expression of one type into another; common type of several (10.5).
 */
import type { Datum } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { ColType } from '../../operators/types.ts';
import type { CoercionContext } from './cast.ts';
import type { ResolvedFunction } from './function.ts';
import type { ResolvedOperator } from './operator.ts';

/** What coercion asks of its caller. */
export interface CoerceHost {
  /** Reads a literal as a type's input function would (typmod applied); throws 22P02 and the like. */
  inputLiteral(text: string, type: ColType): Datum;
  /** Told when an untyped parameter gets its type. Throws 42P08 on a conflict. Absent: parameters cannot be untyped. */
  paramType?(n: number, type: ColType): ColType;
}

/** Converts `expr` to type `to`; null when no coercion exists in this context. An untyped literal becomes a const of `to`. */
export declare function coerceExpr(expr: Expr, to: ColType, context: CoercionContext, host: CoerceHost): Expr | null;

/** As coerceExpr in assignment context, with INSERT's error 42804 naming the column. */
export declare function coerceAssignment(expr: Expr, to: ColType, column: string, host: CoerceHost): Expr;

/** The one type of UNION, CASE, COALESCE, VALUES, ARRAY, GREATEST, ... arms. Throws 42804 `CASE types integer and text cannot be matched`. */
export declare function commonType(types: ColType[], what: string): ColType;

/** The call of a resolved function on its written arguments: coerced, defaults filled in, variadic ones gathered. */
export declare function callFunction(f: ResolvedFunction, args: Expr[], host: CoerceHost): Expr & { k: 'call' };

/** The call of a resolved operator; one argument for a prefix operator. */
export declare function callOperator(o: ResolvedOperator, args: Expr[], host: CoerceHost): Expr & { k: 'call' };
