/**
 * Reading libpg-query's JSON nodes. Traps: a field with its default value is left out (0, false, '', first enum value), so a
 * missing `location` is 0 and `{ ival: {} }` is the integer 0; a NULL list element is `{}`.
 */
import type { PgNode } from '../parse/ast.ts';

/** Type name of a node: 'ColumnRef', ...; '' for a NULL. */
export function kindOf(node: PgNode | undefined): string {
  return node === undefined || node === null ? '' : (Object.keys(node)[0] ?? '');
}

/** The fields of a node. */
export function contentOf(node: PgNode): PgNode {
  return node[kindOf(node)] ?? {};
}

/** Text of a String node. */
export function stringOf(node: PgNode): string {
  return node.String?.sval ?? '';
}

/** Names of a list of String nodes. */
export function names(list: PgNode[] | undefined): string[] {
  return (list ?? []).map(stringOf);
}

/** Location of a node's content: missing is 0, -1 is unknown. */
export function locationOf(content: PgNode): number {
  return content.location ?? 0;
}

/** A node's syntax as text without positions: equal for nodes that are written alike. */
export function syntaxKey(node: PgNode): string {
  return JSON.stringify(node, (key, value) =>
    key === 'location' || key.startsWith('rexpr_list_') || key.startsWith('list_') ? undefined : value,
  );
}

/**
 * Leftmost location of a raw node, as PostgreSQL's exprLocation gives for syntax trees; undefined when it has none.
 */
export function rawLocation(node: PgNode | undefined): number | undefined {
  const kind = kindOf(node);
  if (kind === '' || !node) return undefined;
  const c = node[kind];
  const own: number | undefined = c.location === -1 ? undefined : (c.location ?? 0);
  const least = (...xs: (number | undefined)[]): number | undefined => {
    const known = xs.filter((x): x is number => x !== undefined && x >= 0);
    return known.length === 0 ? undefined : Math.min(...known);
  };
  switch (kind) {
    case 'A_Expr':
      return least(own, rawLocation(c.lexpr));
    case 'BoolExpr':
      return least(own, ...(c.args ?? []).map(rawLocation));
    case 'NullTest':
    case 'BooleanTest':
      return least(own, rawLocation(c.arg));
    case 'SubLink':
      return least(own, rawLocation(c.testexpr));
    case 'TypeCast':
      return least(own, rawLocation(c.arg), c.typeName?.location);
    case 'CollateClause':
    case 'A_Indirection':
      return rawLocation(c.arg);
    case 'FuncCall':
      return least(own, ...(c.args ?? []).map(rawLocation));
    case 'ResTarget':
      return own !== undefined ? own : rawLocation(c.val);
    case 'SortBy':
      return rawLocation(c.node);
    case 'List':
      return least(...(c.items ?? []).map(rawLocation));
    default:
      return own;
  }
}
