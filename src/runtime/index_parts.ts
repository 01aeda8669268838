/**
 * What an index is over: columns, or also expressions and a condition, as CREATE INDEX says it.
 *
 *   CREATE INDEX ON t (a, lower(b)) WHERE c IS NULL   ->   columns a, b, c;  shape: keys a, lower(b), where c IS NULL;  their texts
 */
import { SqlError } from '../../operators/errors.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';
import { indexColumnName } from '../../planner/bind/index.ts';
import type { Relation, RelationColumn } from '../../planner/catalog_reader.ts';
import { rewriteExpr } from '../../planner/logical/expressions.ts';
import type { PgNode, Statement } from '../../planner/parse/ast.ts';
import { scanPostgres, type Token } from '../../planner/parse/pg_parser.ts';
import { lessThanOf } from '../../planner/types/catalog.ts';
import { formatType } from '../../planner/types/type_name.ts';
import type { ComputedIndexText, IndexPart, IndexWords, Written } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { functionsCalled, withFunctionsOf } from './function_users.ts';
import { isSystemColumn } from './rename_column.ts';
import { bindAlone, columnsOf, isImmutable, rowColumns } from './row_expression.ts';
import { settledText } from './settled_literals.ts';
import { closingBracket } from './text_edits.ts';
import { withTypesOf } from './type_users.ts';
import { parsed, writtenBetween } from './written_expression.ts';

/** Columns, and what else there is. */
export interface IndexParts {
  columns: number[];
  computed?: ComputedIndexText;
}

type CreateIndex = Extract<Statement, { k: 'create_index' }>;

/** `oid`: that of the index. */
export function indexParts(
  engine: TidemarkEngine,
  relation: Relation,
  { columns: elements, where, text, location, method }: CreateIndex,
  oid: number,
  session: SessionContext,
): IndexParts {
  const binding = { engine, relation, session };
  const tokens = scanPostgres(text);
  const list = tokens.findIndex((token) => token.start >= location && token.text === '(') + 1;
  const names: string[] = [];
  const keys: Expr[] = [];
  let at = list;
  const parts = elements.map((element): number | IndexPart => {
    const node = element.IndexElem ?? element;
    const end = endOfPart(tokens, at);
    const from = at;
    at = end + 1;
    const key = node.name === undefined ? boundKey(binding, node.expr, text) : columnKey(relation, node.name);
    keys.push(key);
    const name = freeOf(names, node.name ?? indexColumnName(node.expr));
    names.push(name);
    if (key.k === 'col') return key.id;
    const [first, last] = expressionTokens(tokens, from);
    const functions = functionsCalled(engine, node.expr, text, relation, session);
    const words = settledPart(binding, 'index_expression', writtenBetween(node.expr, text, tokens, first, last));
    return { ...words, call: isCall(node.expr), name, functions };
  });
  const condition = where === null ? null : boundWhere(binding, where, text);
  if (engine.replay === null) {
    checkOrdered(keys, method);
    for (const [i, element] of elements.entries()) checkStorable(names[i], keys[i], element.IndexElem ?? element);
  }
  if (condition === null && keys.every((key) => key.k === 'col')) return { columns: parts as number[] };
  let written: Written | null = null;
  if (where !== null) {
    const word = tokens.findIndex(({ text: own }, i) => i >= at && own.toLowerCase() === 'where');
    const last = tokens.at(-1)?.text === ';' ? tokens.length - 2 : tokens.length - 1;
    const functions = functionsCalled(engine, where, text, relation, session);
    const words = settledPart(binding, 'index_predicate', writtenBetween(where, text, tokens, word + 1, last));
    written = { ...words, functions };
  }
  return partsOf(oid, keys, condition, parts, written);
}

/** With what it says bound to columns of which some have other types than before. */
export function boundPartsAgain(
  engine: TidemarkEngine,
  relation: Relation,
  { shape, parts, where }: ComputedIndexText,
  session: SessionContext,
): IndexParts {
  const binding = { engine, relation, session: withTypesOf(engine, shape, session) };
  const again = (kept: Written, bound: typeof boundKey) => {
    const { node, whole } = parsed(kept);
    return bound({ ...binding, session: withFunctionsOf(engine, kept, binding.session) }, node, whole);
  };
  const keys = parts.map((part) =>
    typeof part === 'number' ? columnKey(relation, relation.columns[part].name) : again(part, boundKey),
  );
  checkOrdered(keys);
  return partsOf(shape.oid, keys, where === null ? null : again(where, boundWhere), parts, where);
}

/** The index for another relation, where its columns are elsewhere. */
export function movedParts(
  { shape, parts, where }: ComputedIndexText,
  oid: number,
  placeOf: (column: number) => number,
): IndexParts {
  const moved = (e: Expr) => rewriteExpr(e, (x) => (x.k === 'col' ? { ...x, id: placeOf(x.id) } : x));
  const condition = shape.where === null ? null : moved(shape.where);
  const places = parts.map((part) => (typeof part === 'number' ? placeOf(part) : part));
  return partsOf(oid, shape.keys.map(moved), condition, places, where);
}

function partsOf(
  oid: number,
  keys: Expr[],
  condition: Expr | null,
  parts: (number | IndexPart)[],
  where: Written | null,
): IndexParts {
  const columns = [...new Set([...keys, ...(condition === null ? [] : [condition])].flatMap(columnsOf))];
  return { columns, computed: { shape: { oid, keys, where: condition }, parts, where } };
}

/** The types of its keys. */
export function keyTypes(relation: Relation, { columns, computed }: IndexParts): number[] {
  return computed?.shape.keys.map(({ t }) => t.oid) ?? columns.map((c) => relation.columns[c].type.oid);
}

/** The names of an index's columns, those of INCLUDE last. */
export function partNames(relation: Relation, { columns, computed }: IndexParts, words?: IndexWords): string[] {
  const names: string[] = [];
  for (const part of [...(computed?.parts ?? columns), ...(words?.include ?? [])]) {
    names.push(freeOf(names, typeof part === 'number' ? relation.columns[part].name : part.name));
  }
  return names;
}

interface Binding {
  engine: TidemarkEngine;
  relation: Relation;
  session: SessionContext;
}

function boundKey({ engine, relation, session }: Binding, node: PgNode, text: string): Expr {
  const columns = rowColumns(relation);
  const expr = bindAlone(engine, node, text, session, { place: 'index_expression', relation: relation.name, columns });
  if (engine.replay === null && !isImmutable(expr)) {
    throw new SqlError('42P17', 'functions in index expression must be marked IMMUTABLE');
  }
  return expr;
}

function boundWhere({ engine, relation, session }: Binding, node: PgNode, text: string): Expr {
  const columns = rowColumns(relation);
  const expr = bindAlone(engine, node, text, session, { place: 'index_predicate', relation: relation.name, columns });
  if (engine.replay === null && !isImmutable(expr)) {
    throw new SqlError('42P17', 'functions in index predicate must be marked IMMUTABLE');
  }
  return expr;
}

function settledPart(
  { engine, relation, session }: Binding,
  place: 'index_expression' | 'index_predicate',
  words: Written,
): Written {
  return settledText(engine, words, session, { place, relation: relation.name, columns: rowColumns(relation) });
}

function columnKey({ columns }: Relation, name: string): Expr {
  const id = columns.findIndex((column) => column.name === name);
  if (id < 0 && isSystemColumn(name)) throw new SqlError('0A000', 'index creation on system columns is not supported');
  if (id < 0) throw new SqlError('42703', `column "${name}" does not exist`);
  return { k: 'col', id, t: columns[id].type };
}

/** The first of name, name1, name2 that is not there. */
function freeOf(names: string[], name: string): string {
  for (let i = 0; ; i++) {
    const free = i === 0 ? name : `${name}${i}`;
    if (!names.includes(free)) return free;
  }
}

/** Index of the comma or bracket behind a part of a list. */
function endOfPart(tokens: Token[], from: number): number {
  const end = closingBracket(tokens, from);
  for (let i = from, depth = 0; i < end; i++) {
    const { text } = tokens[i];
    if (text === '(' || text === '[') depth++;
    if (text === ')' || text === ']') depth--;
    if (text === ',' && depth === 0) return i;
  }
  return end;
}

/** First and last token of an expression, which is a call or stands in brackets; COLLATE, ASC and the like may be behind it. */
function expressionTokens(tokens: Token[], from: number): [first: number, last: number] {
  const opening = tokens.findIndex(({ text }, i) => i >= from && text === '(');
  return [from, opening < 0 ? from : closingBracket(tokens, opening + 1)];
}

/** What PostgreSQL shows without brackets of its own. */
function isCall(node: PgNode): boolean {
  return ['FuncCall', 'CoalesceExpr', 'MinMaxExpr', 'SQLValueFunction', 'XmlExpr'].some((kind) => kind in node);
}

function checkOrdered(keys: Expr[], method = 'btree'): void {
  for (const { t } of keys) checkOrderedType(t.oid, method);
}

/** A row that is no relation's has no type that a column could have; that of a relation is said by its name. */
function checkStorable(name: string, { t }: Expr, { expr }: PgNode): void {
  if ((t.oid !== OID.record && t.oid !== OID._record) || expr?.ColumnRef !== undefined) return;
  throw new SqlError('42P16', `column "${name}" has pseudo-type ${formatType(t.oid)}`);
}

/** Throws 42704 for types without an order, such as json. */
export function checkComparable(columns: RelationColumn[], positions: number[]): void {
  for (const position of positions) checkOrderedType(columns[position].type.oid);
}

function checkOrderedType(oid: number, method = 'btree'): void {
  if (lessThanOf(oid) === null) throw noOperatorClass(oid, method);
}

export function noOperatorClass(type: number, method: string): SqlError {
  const message = `data type ${formatType(type)} has no default operator class for access method "${method}"`;
  return new SqlError('42704', message, {
    hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
  });
}
