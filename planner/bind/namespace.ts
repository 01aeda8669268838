/**
 * The names of FROM: finding columns and tables, and the errors when they are not there.
 *
 * Search goes level by level outwards. Inside FROM, items to the left are seen by LATERAL items only (`lateralOnly`).
 */

import { SqlError } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import { presentColumns, type Relation } from '../catalog_reader.ts';
import { RECORD } from './coercion.ts';
import type { Level, NamespaceItem } from './level.ts';

/** A column of one FROM item by name; null when it has none. 42702 when the name is there twice. */
export function columnOfItem(level: Level, item: NamespaceItem, name: string, location: number): Expr | null {
  let found: Expr | null = null;
  for (const c of item.columns) {
    if (c.name !== name) continue;
    if (found) throw level.error('42702', `column reference "${name}" is ambiguous`, location);
    found = c.expr;
  }
  if (found) return copyAt(level, found, location);
  const { relation } = item;
  if (!relation || relation.kind === 'view') return null;
  if (name === 'tableoid') return level.at({ k: 'const', v: relation.oid, t: colType(OID.oid) }, location);
  if (!OF_ROWS.has(name)) return null;
  if (name === 'ctid' && relation.kind === 'table' && relation.key !== null)
    return keyOf(level, item, relation, location);
  throw level.error('0A000', `system column "${name}" is not supported`, location, {
    detail: 'Rows have no place and no transaction that could be told.',
    hint: 'Use a key of the table to tell its rows apart; ctid is the primary key where a table has one.',
  });
}

/** What PostgreSQL knows of each row of a table beside its columns, but for tableoid. */
const OF_ROWS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax']);

/** What tells the row of a table apart from its others for as long as it is there, as ctid does: its primary key, as a record. */
function keyOf(level: Level, item: NamespaceItem, relation: Relation, location: number): Expr {
  const present = presentColumns(relation);
  const columns = (relation.key as number[]).map(
    (position) => item.columns[present.findIndex((column) => column.position === position)],
  );
  const shape = { names: columns.map((c) => c.name), types: columns.map((c) => c.expr.t) };
  const row: Expr = { k: 'row', items: columns.map((c) => c.expr), t: RECORD, names: shape.names };
  level.shared.shapes.set(row, shape);
  return level.at(row, location);
}

/** A reference of its own, so that it can have its own location. */
function copyAt(level: Level, expr: Expr, location: number): Expr {
  const copy = { ...expr };
  const shape = level.shared.shapes.get(expr);
  if (shape) level.shared.shapes.set(copy, shape);
  return level.at(copy, location);
}

function checkLateral(level: Level, item: NamespaceItem, location: number): void {
  if (!item.lateralOnly || item.lateralOk) return;
  throw level.error('42P10', `invalid reference to FROM-clause entry for table "${item.name}"`, location, {
    detail: 'The combining JOIN type must be INNER or LEFT for a LATERAL reference.',
  });
}

/** An unqualified column. `ownLevelOnly`: outer levels are not searched. Null when there is none. */
export function findColumn(level: Level, name: string, location: number, ownLevelOnly = false): Expr | null {
  for (let at: Level | null = level; at; at = ownLevelOnly ? null : at.parent) {
    let found: Expr | null = null;
    for (const item of at.namespace) {
      if (!item.colsVisible || (item.lateralOnly && !at.lateralActive)) continue;
      const expr = columnOfItem(level, item, name, location);
      if (!expr) continue;
      if (found) throw level.error('42702', `column reference "${name}" is ambiguous`, location);
      checkLateral(level, item, location);
      found = expr;
    }
    if (found) return found;
  }
  return null;
}

/** A FROM item by its name. Null when no visible one has it. */
export function findItem(level: Level, schema: string | null, name: string, location: number): NamespaceItem | null {
  for (let at: Level | null = level; at; at = at.parent) {
    let found: NamespaceItem | null = null;
    for (const item of at.namespace) {
      if (!item.relVisible || (item.lateralOnly && !at.lateralActive)) continue;
      if (item.name !== name) continue;
      if (schema !== null && !(item.qualified && item.relation?.schema === schema)) continue;
      if (found) throw level.error('42P09', `table reference "${name}" is ambiguous`, location);
      checkLateral(level, item, location);
      found = item;
    }
    if (found) return found;
  }
  return null;
}

/** The whole row of a FROM item as a record; the value itself for a function that returns a plain value. */
export function wholeRow(level: Level, item: NamespaceItem, location: number): Expr {
  if (item.scalar && item.columns.length === 1) return copyAt(level, item.columns[0].expr, location);
  const columns = item.columns.filter((c) => !c.hidden);
  const shape = { names: columns.map((c) => c.name), types: columns.map((c) => c.expr.t), table: item.name };
  const row: Expr = { k: 'row', items: columns.map((c) => c.expr), t: RECORD, names: shape.names };
  level.shared.shapes.set(row, shape);
  return level.at(row, location);
}

/** 42P01 for a table qualifier that means nothing here, with PostgreSQL's advice. */
export function missingItem(level: Level, schema: string | null, name: string, location: number): SqlError {
  for (let at: Level | null = level; at; at = at.parent) {
    for (const item of at.entries) {
      const sameName = item.name === name;
      const sameRelation = item.relation?.name === name && (schema === null || item.relation.schema === schema);
      if (!sameName && !sameRelation) continue;
      const message = `invalid reference to FROM-clause entry for table "${name}"`;
      if (!sameName && findsItself(level, item, location)) {
        return level.error('42P01', message, location, {
          hint: `Perhaps you meant to reference the table alias "${item.name}".`,
        });
      }
      const detail = `There is an entry for table "${name}", but it cannot be referenced from this part of the query.`;
      const lateral = at.namespace.some((i) => i === item && i.lateralOnly);
      const hint = lateral ? 'To reference that table, you must mark this subquery with LATERAL.' : undefined;
      return level.error('42P01', message, location, { detail, hint });
    }
  }
  return level.error('42P01', `missing FROM-clause entry for table "${name}"`, location);
}

function findsItself(level: Level, item: NamespaceItem, location: number): boolean {
  try {
    return findItem(level, null, item.name, location) === item;
  } catch (e) {
    if (e instanceof SqlError) return false;
    throw e;
  }
}

/** 42703 for a column that is not there, with a hint when a similar one is. */
export function missingColumn(level: Level, table: string | null, name: string, location: number): SqlError {
  const message = table === null ? `column "${name}" does not exist` : `column ${table}.${name} does not exist`;
  return level.error('42703', message, location, { hint: similarColumn(level, table, name) });
}

/** PostgreSQL's advice: the closest column name within a third of its length (at most 3 edits). */
function similarColumn(level: Level, table: string | null, name: string): string | undefined {
  let best = Math.min(3, Math.floor(name.length / 2)) + 1;
  let found: string[] = [];
  for (let at: Level | null = level; at; at = at.parent) {
    for (const item of at.entries) {
      for (const c of item.columns) {
        const d =
          editDistance(name, c.name) + (table === null || table === item.name ? 0 : editDistance(table, item.name));
        if (d < best) {
          best = d;
          found = [];
        }
        if (d === best && d <= 3 && !c.hidden) found.push(`"${item.name}.${c.name}"`);
      }
    }
  }
  if (found.length === 0 || found.length > 2) return undefined;
  return `Perhaps you meant to reference the column ${found.join(' or the column ')}.`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
