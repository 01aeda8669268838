/**
 * The DEFAULT of a column as it is kept. Sequences are named by OID in it: nextval('s') means the sequence that s was when the default was set, whatever the
 * search path of who inserts and whatever the sequence is called by then.
 */
import type { Datum } from '../../operators/datum.ts';
import { checkDomain } from '../../operators/expr/domain_types.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { type ColType, typeObjectOf } from '../../operators/types.ts';
import { regclassPath } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { PgNode } from '../../planner/parse/ast.ts';
import { walkTree } from '../../planner/parse/walk_tree.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type CatalogObject, type ColumnDefault, isDomain, type RelationObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { functionsCalled } from './function_users.ts';
import { bindAlone } from './row_expression.ts';
import { settleDefault } from './settled_literals.ts';
import { qualifyTypes } from './type_users.ts';

const OF_SEQUENCES = new Set(['nextval', 'currval', 'setval']);

export function columnDefault(
  engine: TidemarkEngine,
  node: PgNode,
  text: string,
  type: ColType,
  session: SessionContext,
): ColumnDefault {
  const own = structuredClone(node);
  qualifyTypes(engine, own, session.searchPath);
  const settled = settleDefault(engine, own, text, type, session);
  const sequences: number[] = [];
  for (const literal of literalsIn(own, sequenceLiteral)) {
    const found = namedBy(engine, literal, session);
    if (found?.kind !== 'sequence') continue;
    literal.sval = String(found.oid);
    sequences.push(found.oid);
  }
  return {
    node: own,
    text: settled,
    sequences,
    functions: functionsCalled(engine, own, settled, null, session, true),
  };
}

/** What the literals of a statement name, nextval('s') and 't'::regclass: done again, it has to find this. */
export function namedInLiterals(engine: TidemarkEngine, root: PgNode, session: SessionContext): number[] {
  const literals = [...literalsIn(root, sequenceLiteral), ...literalsIn(root, regclassLiteral)];
  return literals.flatMap((literal) => namedBy(engine, literal, session)?.oid ?? []);
}

/** Undefined when there is none of this name: binding says what is wrong with it. */
function namedBy(engine: TidemarkEngine, { sval }: PgNode, { searchPath }: SessionContext): CatalogObject | undefined {
  const path = regclassPath(sval ?? '');
  return path.length > 2 ? undefined : engine.catalog.find(path.at(-2), path[path.length - 1], searchPath);
}

/** The DEFAULT of a column, or else that of its domain; null: it has none. `searchPath`: whose transaction may have dropped its sequence. */
export function defaultOf(
  { catalog }: TidemarkEngine,
  { oid, columns }: Relation,
  column: number,
  searchPath: string[] = [],
): Pick<ColumnDefault, 'node' | 'text'> | null {
  const object = catalog.pending.asSeen(catalog.get(oid), searchPath);
  // A column that is being added has none there.
  const kept = (object !== undefined && 'defaults' in object ? object.defaults[column] : null) ?? null;
  const own = kept?.sequences.some((sequence) => catalog.isGone(sequence, searchPath)) ? null : kept;
  const { type, generated, identity } = columns[column];
  if (own !== null || generated || identity !== undefined) return own;
  return domainDefault(catalog, type);
}

export function domainDefault(catalog: Catalog, type: ColType): ColumnDefault | null {
  const domain = catalog.get(typeObjectOf(type));
  return isDomain(domain) && domain.type.oid === type.domain ? domain.type.default : null;
}

/** A new value of a column's DEFAULT, NULL when it has none. */
export function valueOfDefault(
  engine: TidemarkEngine,
  relation: Relation,
  column: number,
  session: SessionContext,
): Datum {
  const { type } = relation.columns[column];
  const value = defaultOf(engine, relation, column, session.searchPath);
  if (value === null) return checkedNull(type, session.evalContext);
  const expr = bindAlone(engine, value.node, value.text, session, { target: type, place: 'default' });
  return evaluate(expr, [], session.evalContext);
}

/** NULL, unless the column's domain does not take it. */
export function checkedNull({ domain }: ColType, context: EvalContext): Datum {
  return domain === undefined ? null : checkDomain(null, domain, context);
}

/** nextval() of a sequence, as serial and identity columns have it. */
export function nextValue(sequence: number): ColumnDefault {
  const name = (sval: string) => ({ String: { sval } });
  const literal = { A_Const: { sval: { sval: String(sequence) } } };
  const typeName = { names: [name('pg_catalog'), name('regclass')], typemod: -1 };
  const call = { funcname: [name('pg_catalog'), name('nextval')], args: [{ TypeCast: { arg: literal, typeName } }] };
  return { node: { FuncCall: { ...call, funcformat: 'COERCE_EXPLICIT_CALL' } }, text: '', sequences: [sequence] };
}

function literalsIn(root: PgNode, literalOf: (node: PgNode) => PgNode | undefined): PgNode[] {
  const found: PgNode[] = [];
  walkTree(root, (node) => {
    const literal = literalOf(node);
    if (literal !== undefined) found.push(literal);
  });
  return found;
}

function sequenceLiteral({ FuncCall: call }: PgNode): PgNode | undefined {
  if (call === undefined || !OF_SEQUENCES.has(call.funcname.at(-1).String.sval)) return undefined;
  const arg = call.args?.[0];
  return regclassLiteral(arg ?? {}) ?? arg?.A_Const?.sval;
}

function regclassLiteral({ TypeCast: cast }: PgNode): PgNode | undefined {
  return cast?.typeName.names.at(-1).String.sval === 'regclass' ? cast.arg.A_Const?.sval : undefined;
}

/** Columns whose defaults need a sequence. */
export function usersOf(engine: TidemarkEngine, sequence: number): { table: RelationObject; column: number }[] {
  return engine.catalog.objects().flatMap((table) => {
    if (table.kind !== 'table' && table.kind !== 'stream') return [];
    return table.defaults.flatMap((value, column) => (value?.sequences.includes(sequence) ? [{ table, column }] : []));
  });
}
