/**
 * The DEFAULT of a column as it is kept. Sequences are named by OID in it: nextval('s') means the sequence that s was when the default was set, whatever the
 * search path of who inserts and whatever the sequence is called by then.
 */

import { regclassPath } from '../../planner/bind/index.ts';
import type { PgNode } from '../../planner/parse/ast.ts';
import type { ColumnDefault, RelationObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';

const OF_SEQUENCES = new Set(['nextval', 'currval', 'setval']);

export function columnDefault(
  engine: TidemarkEngine,
  node: PgNode,
  text: string,
  session: SessionContext,
): ColumnDefault {
  const own = structuredClone(node);
  const sequences: number[] = [];
  for (const literal of sequenceNames(own)) {
    const oid = sequenceOf(engine, literal, session);
    if (oid === null) continue;
    literal.sval = String(oid);
    sequences.push(oid);
  }
  return { node: own, text, sequences };
}

/** The sequences that a statement, or a part of it, names. */
export function namedSequences(engine: TidemarkEngine, root: PgNode, session: SessionContext): number[] {
  return sequenceNames(root).flatMap((literal) => sequenceOf(engine, literal, session) ?? []);
}

/** Null when there is none of this name: binding says what is wrong with it. */
function sequenceOf(engine: TidemarkEngine, { sval }: PgNode, { searchPath }: SessionContext): number | null {
  const path = regclassPath(sval ?? '');
  const found = path.length > 2 ? undefined : engine.catalog.find(path.at(-2), path[path.length - 1], searchPath);
  return found?.kind === 'sequence' ? found.oid : null;
}

/** nextval() of a sequence, as serial and identity columns have it. */
export function nextValue(sequence: number): ColumnDefault {
  const name = (sval: string) => ({ String: { sval } });
  const literal = { A_Const: { sval: { sval: String(sequence) } } };
  const typeName = { names: [name('pg_catalog'), name('regclass')], typemod: -1 };
  const call = { funcname: [name('pg_catalog'), name('nextval')], args: [{ TypeCast: { arg: literal, typeName } }] };
  return { node: { FuncCall: { ...call, funcformat: 'COERCE_EXPLICIT_CALL' } }, text: '', sequences: [sequence] };
}

/** The literals in an expression that name sequences. */
function sequenceNames(root: PgNode): PgNode[] {
  const found: PgNode[] = [];
  const left: PgNode[] = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    const literal = node.FuncCall === undefined ? undefined : sequenceLiteral(node.FuncCall);
    if (literal !== undefined) found.push(literal);
    for (const child of Object.values(node)) if (typeof child === 'object' && child !== null) left.push(child);
  }
  return found;
}

function sequenceLiteral({ funcname, args }: PgNode): PgNode | undefined {
  if (!OF_SEQUENCES.has(funcname.at(-1).String.sval)) return undefined;
  const arg = args?.[0];
  const isName = arg?.TypeCast?.typeName.names.at(-1).String.sval === 'regclass';
  return (isName ? arg.TypeCast.arg : arg)?.A_Const?.sval;
}

/** Columns whose defaults need a sequence. */
export function usersOf(engine: TidemarkEngine, sequence: number): { table: RelationObject; column: number }[] {
  return engine.catalog.objects().flatMap((table) => {
    if (table.kind !== 'table' && table.kind !== 'stream') return [];
    return table.defaults.flatMap((value, column) => (value?.sequences.includes(sequence) ? [{ table, column }] : []));
  });
}
