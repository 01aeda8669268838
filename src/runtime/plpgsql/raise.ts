/** RAISE: its text, its options, and what becomes of them: a notice, a line of the server's log, or an error. */
import { SqlError, type SqlErrorFields } from '../../../operators/errors.ts';
import type { PgNode } from '../../../planner/parse/ast.ts';
import { sqlstatesOf } from './conditions.ts';

/** Numbers of PostgreSQL's elog.h. */
const LEVELS: Record<number, 'DEBUG' | 'LOG' | 'INFO' | 'NOTICE' | 'WARNING' | 'EXCEPTION'> = {
  14: 'DEBUG',
  15: 'LOG',
  17: 'INFO',
  18: 'NOTICE',
  19: 'WARNING',
  21: 'EXCEPTION',
};
/** PLpgSQL_raise_option.opt_type; the first is 0, which the tree leaves out. */
const OPTIONS = [
  'sqlstate',
  'message',
  'detail',
  'hint',
  'column',
  'constraint',
  'datatype',
  'table',
  'schema',
] as const;

type Option = (typeof OPTIONS)[number];

export interface Raised {
  level: (typeof LEVELS)[number];
  error: SqlError;
}

/** `textOf`: an expression's value as text; null is NULL. */
export async function raised(node: PgNode, textOf: (expr: PgNode) => Promise<string | null>): Promise<Raised> {
  const options = new Map<Option, string>();
  for (const { PLpgSQL_raise_option: option } of (node.options ?? []) as PgNode[]) {
    const name = OPTIONS[option.opt_type ?? 0];
    const text = await textOf(option.expr);
    if (text === null) throw new SqlError('22004', 'RAISE statement option cannot be null');
    if (options.has(name)) throw new SqlError('42601', `RAISE option already specified: ${name.toUpperCase()}`);
    options.set(name, text);
  }
  const condition: string | undefined = node.condname ?? options.get('sqlstate');
  const [sqlstate] = condition === undefined ? [undefined] : (sqlstatesOf(condition) ?? [null]);
  if (sqlstate === null) throw new SqlError('42704', `unrecognized exception condition "${condition}"`);
  const level = LEVELS[node.elog_level];
  const said = node.message === undefined ? options.get('message') : await formatted(node, textOf);
  const fields: SqlErrorFields = {};
  for (const name of ['detail', 'hint', 'column', 'constraint', 'datatype', 'table', 'schema'] as const) {
    const text = options.get(name);
    if (text !== undefined) fields[name === 'datatype' ? 'dataType' : name] = text;
  }
  const code = sqlstate ?? (level === 'EXCEPTION' ? 'P0001' : '00000');
  return { level, error: new SqlError(code, said ?? condition ?? code, fields) };
}

async function formatted(node: PgNode, textOf: (expr: PgNode) => Promise<string | null>): Promise<string> {
  const values: string[] = [];
  for (const param of node.params ?? []) values.push((await textOf(param)) ?? '<NULL>');
  return (node.message as string).replace(/%(%?)/g, (_, doubled) => (doubled ? '%' : (values.shift() ?? '')));
}
