/**
 * What CREATE INDEX says beside what the index is over. It means nothing for the rows that are found, as every index finds them by equal values; it has to be what PostgreSQL would
 * take, and is kept to be shown again.
 *
 *   USING btree (a DESC, b text_pattern_ops) INCLUDE (c) WITH (fillfactor = 70)   ->   keys: descending; of another class.  include: c.  options: fillfactor
 */
import { SqlError, unsupported } from '../../operators/errors.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { PgNode, Statement } from '../../planner/parse/ast.ts';
import { accessMethodOid, methodCan } from '../../planner/types/access_method.ts';
import { isBinaryCoercible } from '../../planner/types/catalog.ts';
import { systemTable } from '../../planner/types/catalog_table.ts';
import { defaultOperatorClass, operatorClass } from '../../planner/types/operator_class.ts';
import { formatType } from '../../planner/types/type_name.ts';
import type { IndexWords, KeyWords } from '../catalog/objects.ts';
import type { TidemarkEngine } from './engine.ts';
import { type IndexParts, keyTypes, noOperatorClass } from './index_parts.ts';
import { isSystemColumn } from './rename_column.ts';
import { orNull } from './view_query.ts';

type CreateIndex = Extract<Statement, { k: 'create_index' }>;

/** Parameters of WITH by access method. */
const OPTIONS: Record<string, string[]> = {
  btree: ['fillfactor', 'deduplicate_items'],
  hash: ['fillfactor'],
  gist: ['fillfactor', 'buffering'],
  spgist: ['fillfactor'],
  gin: ['fastupdate', 'gin_pending_list_limit'],
  brin: ['pages_per_range', 'autosummarize'],
};

/** Undefined where everything is as it is when nothing is said. */
export function indexWords(
  engine: TidemarkEngine,
  relation: Relation,
  statement: CreateIndex,
  parts: IndexParts,
): IndexWords | undefined {
  const types = keyTypes(relation, parts);
  // Statements of older programs, which looked at nothing of this, are run again as well.
  if (engine.replay !== null) return orNull(() => checked(relation, statement, types)) ?? undefined;
  return checked(relation, statement, types);
}

function checked(relation: Relation, statement: CreateIndex, types: number[]): IndexWords | undefined {
  const { method } = statement;
  checkMethod(statement);
  const options = statement.options.map(({ name, value }) => {
    if (!OPTIONS[method].includes(name)) throw new SqlError('22023', `unrecognized parameter "${name}"`);
    return { name, value };
  });
  const keys = statement.columns.map((element, i) => keyWords(element, types[i], method));
  const include = statement.include.map((element) => includedColumn(relation, element));
  const isPlain = method === 'btree' && options.length === 0 && include.length === 0 && keys.every(isDefault);
  return isPlain ? undefined : { method, keys, include, options };
}

function checkMethod({ method, unique, columns, include }: CreateIndex): void {
  if (accessMethodOid(method) === null) throw new SqlError('42704', `access method "${method}" does not exist`);
  const needs: [boolean, string, string][] = [
    [unique, 'can_unique', 'unique indexes'],
    [include.length > 0, 'can_include', 'included columns'],
    [columns.length > 1, 'can_multi_col', 'multicolumn indexes'],
  ];
  for (const [isNeeded, ability, what] of needs)
    if (isNeeded && !methodCan(method, ability)) throw cannot(method, what);
}

function cannot(method: string, what: string): SqlError {
  return new SqlError('0A000', `access method "${method}" does not support ${what}`);
}

function isDefault({ collation, opclass, descending, nullsFirst }: KeyWords): boolean {
  return collation === null && opclass === null && !descending && !nullsFirst;
}

function keyWords(element: PgNode, type: number, method: string): KeyWords {
  const { ordering, nulls_ordering: nulls } = element;
  const collation = element.collation === undefined ? null : collationNamed(element.collation);
  const opclass = element.opclass === undefined ? null : classNamed(element.opclass, method);
  checkType({ collation, opclass }, type, method);
  if (element.opclassopts !== undefined) throw unsupported('an operator class with options');
  if (!methodCan(method, 'can_order')) {
    if (isSaid(ordering)) throw cannot(method, 'ASC/DESC options');
    if (isSaid(nulls)) throw cannot(method, 'NULLS FIRST/LAST options');
  }
  const descending = ordering === 'SORTBY_DESC';
  const nullsFirst = isSaid(nulls) ? nulls === 'SORTBY_NULLS_FIRST' : descending;
  return {
    collation: collation === 'default' ? null : collation,
    opclass: opclass === defaultOperatorClass(type, method)?.name ? null : opclass,
    descending,
    nullsFirst,
  };
}

/** Throws unless an index can have these words for keys of these types, which other values are given. */
export function checkKeyTypes({ method, keys }: IndexWords, types: number[]): void {
  for (const [i, words] of keys.entries()) checkType(words, types[i], method);
}

function checkType(
  { collation, opclass }: Pick<KeyWords, 'collation' | 'opclass'>,
  type: number,
  method: string,
): void {
  if (collation !== null && !isCollatable(type)) {
    throw new SqlError('42804', `collations are not supported by type ${formatType(type)}`);
  }
  // What a btree has no class for has no order, and is refused before.
  if (opclass === null && method !== 'btree' && defaultOperatorClass(type, method) === null) {
    throw noOperatorClass(type, method);
  }
  if (opclass !== null && !isBinaryCoercible(type, operatorClass(method, opclass)?.type ?? 0)) {
    throw new SqlError('42804', `operator class "${opclass}" does not accept data type ${formatType(type)}`);
  }
}

const isSaid = (word: string | undefined) => word !== undefined && !word.endsWith('_DEFAULT');

/** Its schema, which can only be pg_catalog, and its name. */
function qualified(list: PgNode[]): { name: string; shown: string } {
  const names = list.map((item) => item.String.sval as string);
  if (names.length > 1 && names[0] !== 'pg_catalog') {
    throw new SqlError('3F000', `schema "${names[0]}" does not exist`);
  }
  return { name: names[names.length - 1], shown: names.join('.') };
}

function collationNamed(list: PgNode[]): string {
  const { name, shown } = qualified(list);
  const t = systemTable('pg_collation');
  const isThere = Array.from({ length: t.rowCount }, (_, r) => t.text(r, 'collname')).includes(name);
  if (!isThere) throw new SqlError('42704', `collation "${shown}" for encoding "UTF8" does not exist`);
  return name;
}

function isCollatable(type: number): boolean {
  const t = systemTable('pg_type');
  for (let r = 0; r < t.rowCount; r++) if (t.number(r, 'oid') === type) return t.number(r, 'typcollation') !== 0;
  return false;
}

function classNamed(list: PgNode[], method: string): string {
  const { name, shown } = qualified(list);
  if (operatorClass(method, name) !== null) return name;
  throw new SqlError('42704', `operator class "${shown}" does not exist for access method "${method}"`);
}

/** The position of a column of INCLUDE. */
function includedColumn({ columns }: Relation, element: PgNode): number {
  if (element.name === undefined) {
    throw new SqlError('0A000', 'expressions are not supported in included columns');
  }
  const column = columns.findIndex(({ name }) => name === element.name);
  if (column < 0) {
    if (isSystemColumn(element.name)) throw new SqlError('0A000', 'index creation on system columns is not supported');
    throw new SqlError('42703', `column "${element.name}" does not exist`);
  }
  const refused: [boolean, string][] = [
    [element.collation !== undefined, 'a collation'],
    [element.opclass !== undefined, 'an operator class'],
    [isSaid(element.ordering), 'ASC/DESC options'],
    [isSaid(element.nulls_ordering), 'NULLS FIRST/LAST options'],
  ];
  for (const [isWritten, what] of refused) {
    if (isWritten) throw new SqlError('42P17', `including column does not support ${what}`);
  }
  return column;
}
