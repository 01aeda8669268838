/**
 * Column references: a, t.a, s.t.a, and whole rows: t, t.* as a value.
 */
import type { SqlError } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { PgNode } from '../parse/ast.ts';
import { argumentNamed } from './argument.ts';
import { bindParam } from './constant.ts';
import type { Level } from './level.ts';
import { columnOfItem, findColumn, findItem, missingColumn, missingItem, wholeRow } from './namespace.ts';
import { locationOf, stringOf } from './node.ts';

/** Binds a ColumnRef in an expression. */
export function bindColumnRef(level: Level, c: PgNode): Expr {
  const at = locationOf(c);
  if (level.clause === 'default') throw level.error('0A000', 'cannot use column reference in DEFAULT expression', at);
  const fields = c.fields as PgNode[];
  const star = fields.at(-1)?.A_Star !== undefined;
  const path = fields.filter((f) => f.A_Star === undefined).map(stringOf);
  if (star && path.length === 0) throw level.error('42601', 'row expansion via "*" is not supported here', at);
  if (!star && path.length === 1) {
    const found = findColumn(level, path[0], at);
    const variable = variableNamed(level, path, at);
    if (found && variable) throw ambiguous(level, path[0], at);
    if (found) return found;
    const item = findItem(level, null, path[0], at);
    if (item) return wholeRow(level, item, at);
    const argument = argumentNamed(level, path[0]);
    if (argument) return argument;
    if (variable) return variable;
    throw missingColumn(level, null, path[0], at);
  }
  const table = star ? path : path.slice(0, -1);
  if (table.length > 3) {
    throw level.error('42601', `improper qualified name (too many dotted names): ${path.join('.')}`, at);
  }
  const [schema, name] = qualifier(level, table, at);
  const item = findItem(level, schema, name, at);
  const argument = !item && !star && path.length === 2 && name === level.callee?.name && argumentNamed(level, path[1]);
  if (argument) return argument;
  const variable = item || star ? null : variableNamed(level, path, at);
  if (variable) return variable;
  if (!item) throw missingItem(level, schema, name, at);
  if (star) return wholeRow(level, item, at);
  const column = path[path.length - 1];
  const expr = columnOfItem(level, item, column, at);
  if (!expr) throw missingColumn(level, item.name, column, at);
  return expr;
}

function variableNamed(level: Level, path: string[], location: number): Expr | null {
  const number = level.isOwn ? level.shared.env.variables?.get(path.join('.')) : undefined;
  return number === undefined ? null : bindParam(level, { number, location });
}

function ambiguous(level: Level, name: string, at: number): SqlError {
  return level.error('42702', `column reference "${name}" is ambiguous`, at, {
    detail: 'It could refer to either a PL/pgSQL variable or a table column.',
  });
}

/** [schema, table] of a dotted qualifier; a database name in front must be this database's. */
export function qualifier(level: Level, path: string[], location: number): [string | null, string] {
  if (path.length === 1) return [null, path[0]];
  if (path.length === 3 && path[0] !== level.shared.env.evalContext.database) {
    throw level.error('0A000', `cross-database references are not implemented: ${path.join('.')}`, location);
  }
  return [path[path.length - 2], path[path.length - 1]];
}
