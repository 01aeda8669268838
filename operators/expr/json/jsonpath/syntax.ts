/**
 * What a parsed SQL/JSON path is. Plain data.
 *
 *   $.a[*] ? (@.b > 1)      chain: root, key a, all items, filter (comparison of chains [current, key b] and [1])
 *
 * A chain is a start and the steps behind it; operators and predicates are starts whose operands are chains.
 */
import type { Decimal } from '../../../datum.ts';
import type { RegexOptions } from '../../regex/syntax.ts';

export interface JsonPath {
  /** Lax: missing keys are nothing, arrays are unwrapped, single values are wrapped. */
  lax: boolean;
  chain: Chain;
}

export type Chain = Step[];

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type SimpleMethod =
  | 'type'
  | 'size'
  | 'abs'
  | 'floor'
  | 'ceiling'
  | 'double'
  | 'keyvalue'
  | 'bigint'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'string';
export type DatetimeMethod = 'datetime' | 'date' | 'time' | 'time_tz' | 'timestamp' | 'timestamp_tz';

/** `last` as a level of `.**`. */
export const LAST_LEVEL = 0xffffffff;

/** The condition that like_regex tests; `flags` in the order in which they print. */
export interface LikeRegex {
  k: 'likeRegex';
  arg: Chain;
  pattern: string;
  flags: string;
  options: RegexOptions;
}

export type Predicate =
  | { k: 'and' | 'or'; args: Chain[] }
  | { k: 'not' | 'isUnknown' | 'exists'; arg: Chain }
  | { k: 'compare'; op: ComparisonOperator; left: Chain; right: Chain }
  | { k: 'startsWith'; arg: Chain; prefix: Chain }
  | LikeRegex;

export type Subscript = { from: Chain; to: Chain | null };

export type Step =
  | { k: 'root' | 'current' | 'last' | 'anyKey' | 'anyItem' }
  | { k: 'variable' | 'key'; name: string }
  | { k: 'literal'; value: null | boolean | string | Decimal }
  | { k: 'subscripts'; list: Subscript[] }
  /** `.**{first to last}` */
  | { k: 'descend'; first: number; last: number }
  | { k: 'filter'; condition: Chain }
  | { k: 'method'; name: SimpleMethod }
  | { k: 'decimal'; precision: Decimal | null; scale: Decimal | null }
  | { k: 'datetime'; method: DatetimeMethod; template: string | null; precision: Decimal | null }
  | { k: 'arithmetic'; op: ArithmeticOperator; left: Chain; right: Chain }
  | { k: 'sign'; op: '+' | '-'; arg: Chain }
  | Predicate;

/** Steps whose value is true, false or unknown. */
export function isPredicate(step: Step): step is Predicate {
  switch (step.k) {
    case 'and':
    case 'or':
    case 'not':
    case 'isUnknown':
    case 'exists':
    case 'compare':
    case 'startsWith':
    case 'likeRegex':
      return true;
    default:
      return false;
  }
}
