/**
 * The syntax of recursion: where a WITH item may name itself (SQL standard's linear recursion, as PostgreSQL checks it).
 */
import type { PgNode } from '../parse/ast.ts';
import type { Level } from './level.ts';
import { kindOf, locationOf, rawLocation } from './node.ts';

/** True when a query reads a relation of this unqualified name. A WITH item of the same name inside hides it. */
export function mentions(node: unknown, name: string): boolean {
  return references(node, name).length > 0;
}

interface Reference {
  location: number;
  /** What it stands in, outermost first. */
  inside: string[];
}

function references(node: unknown, name: string, inside: string[] = []): Reference[] {
  if (node === null || typeof node !== 'object') return [];
  if (Array.isArray(node)) return node.flatMap((n) => references(n, name, inside));
  const n = node as PgNode;
  const hidden = n.withClause?.ctes?.some((c: PgNode) => c.CommonTableExpr?.ctename === name);
  if (hidden) return [];
  const kind = kindOf(n);
  if (kind === 'RangeVar' && Object.keys(n).length === 1) {
    const r = n.RangeVar;
    return r.relname === name && !r.schemaname ? [{ location: locationOf(r), inside }] : [];
  }
  if (kind === 'SubLink' && n.SubLink) return references(n.SubLink, name, [...inside, 'a subquery']);
  if (kind === 'JoinExpr' && n.JoinExpr) {
    const j = n.JoinExpr;
    const outer = [...inside, 'an outer join'];
    const left = j.jointype === 'JOIN_RIGHT' || j.jointype === 'JOIN_FULL' ? outer : inside;
    const right = j.jointype === 'JOIN_LEFT' || j.jointype === 'JOIN_FULL' ? outer : inside;
    return [
      ...references(j.larg, name, left),
      ...references(j.rarg, name, right),
      ...references(j.quals, name, inside),
    ];
  }
  if (n.op === 'SETOP_EXCEPT') {
    const right = [...inside, 'EXCEPT'];
    return [...references(n.larg, name, inside), ...references(n.rarg, name, right)];
  }
  return Object.values(n).flatMap((v) => references(v, name, inside));
}

/** Refuses forms of recursion that PostgreSQL refuses: 42P19 and 0A000. */
export function checkRecursiveForm(level: Level, c: PgNode, stmt: PgNode): void {
  const name: string = c.ctename;
  const bad = (message: string, location: number): Error => level.error('42P19', message, location);
  if (stmt.op !== 'SETOP_UNION') {
    throw bad(
      `recursive query "${name}" does not have the form non-recursive-term UNION [ALL] recursive-term`,
      locationOf(c),
    );
  }
  const missing = (what: string, node: PgNode | undefined): Error =>
    level.error('0A000', `${what} in a recursive query is not implemented`, rawLocation(node));
  if (stmt.sortClause) throw missing('ORDER BY', stmt.sortClause[0]);
  if (stmt.limitOffset) throw missing('OFFSET', stmt.limitOffset);
  if (stmt.limitCount) throw missing('LIMIT', stmt.limitCount);
  if (stmt.lockingClause) throw missing('FOR UPDATE/SHARE', undefined);
  const inBase = references(stmt.larg, name);
  if (inBase.length > 0) {
    throw bad(
      `recursive reference to query "${name}" must not appear within its non-recursive term`,
      inBase[0].location,
    );
  }
  const inStep = references(stmt.rarg, name);
  for (const r of inStep) {
    if (r.inside.length === 0) continue;
    throw bad(`recursive reference to query "${name}" must not appear within ${r.inside[0]}`, r.location);
  }
  if (inStep.length > 1) {
    throw bad(`recursive reference to query "${name}" must not appear more than once`, inStep[1].location);
  }
}
