/**
 * Which part of a statement an expression stands in. Aggregates, window functions and set-returning functions are allowed in
 * some parts only; the texts of the refusals are PostgreSQL's.
 */
export type Clause =
  | 'none'
  | 'from_subselect'
  | 'from_function'
  | 'join_on'
  | 'where'
  | 'having'
  | 'filter'
  | 'window_partition'
  | 'window_order'
  | 'window_rows'
  | 'window_range'
  | 'window_groups'
  | 'select'
  | 'group_by'
  | 'order_by'
  | 'distinct_on'
  | 'limit'
  | 'offset'
  | 'values'
  | 'values_single'
  | 'insert'
  | 'update'
  | 'returning'
  | 'default'
  | 'execute'
  | 'option'
  | 'check'
  | 'merge_when'
  | 'generated'
  | 'index_expression'
  | 'index_predicate'
  | 'transform';

const NAME: Partial<Record<Clause, string>> = {
  where: 'WHERE',
  having: 'HAVING',
  filter: 'FILTER',
  group_by: 'GROUP BY',
  order_by: 'ORDER BY',
  distinct_on: 'DISTINCT ON',
  limit: 'LIMIT',
  offset: 'OFFSET',
  values: 'VALUES',
  values_single: 'VALUES',
  insert: 'INSERT',
  update: 'UPDATE',
  returning: 'RETURNING',
  join_on: 'JOIN conditions',
  from_function: 'functions in FROM',
  default: 'DEFAULT expressions',
  execute: 'EXECUTE parameters',
  option: 'options',
  check: 'check constraints',
  merge_when: 'MERGE WHEN conditions',
  generated: 'column generation expressions',
  index_expression: 'index expressions',
  index_predicate: 'index predicates',
  transform: 'transform expressions',
};

/** The clause as errors name it. */
export function clauseName(clause: Clause): string {
  return NAME[clause] ?? clause;
}

function frameOrNull(clause: Clause): string | null {
  return clause.startsWith('window_') && clause !== 'window_partition' && clause !== 'window_order'
    ? `window ${clause.slice(7).toUpperCase()}`
    : null;
}

/** Why an aggregate may not stand here, or null when it may. */
export function aggregateRefusal(clause: Clause): string | null {
  switch (clause) {
    case 'none':
    case 'select':
    case 'having':
    case 'order_by':
    case 'distinct_on':
    case 'window_partition':
    case 'window_order':
      return null;
    case 'from_subselect':
      return 'aggregate functions are not allowed in FROM clause of their own query level';
    default:
      return `aggregate functions are not allowed in ${frameOrNull(clause) ?? clauseName(clause)}`;
  }
}

/** Why a window function may not stand here, or null when it may. */
export function windowRefusal(clause: Clause): string | null {
  if (clause.startsWith('window_')) return 'window functions are not allowed in window definitions';
  if (clause === 'none' || clause === 'select' || clause === 'order_by' || clause === 'distinct_on') return null;
  return `window functions are not allowed in ${clauseName(clause)}`;
}

/** Why a set-returning function may not stand here, or null when it may. */
export function setFunctionRefusal(clause: Clause): string | null {
  switch (clause) {
    case 'none':
    case 'select':
    case 'group_by':
    case 'order_by':
    case 'distinct_on':
    case 'window_partition':
    case 'window_order':
    case 'values_single':
      return null;
    case 'from_function':
      return 'set-returning functions must appear at top level of FROM';
    default:
      return frameOrNull(clause)
        ? 'set-returning functions are not allowed in window definitions'
        : `set-returning functions are not allowed in ${clauseName(clause)}`;
  }
}
