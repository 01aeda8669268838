/**
 * PostgreSQL's built-in types, casts, operators and functions, as its own catalogs list them, as objects that resolution reads.
 *
 * Rows are built when first asked for and kept: a look-up is a Map access. Names without a schema mean pg_catalog. Tidemark's
 * own functions (own_functions.ts) are listed beside PostgreSQL's.
 */
import { type ColType, declaredOid, OID, typeObjectOid } from '../../operators/types.ts';
import type { PgNode, SelectNode } from '../parse/ast.ts';
import { type CatalogTable, type SystemTable, systemTable } from './catalog_table.ts';
import { EXTENSION_FUNCTIONS, extensionOf } from './extension_functions.ts';
import { OWN_FUNCTIONS } from './own_functions.ts';
import { userType } from './user_types.ts';

/** OID of the schema pg_catalog. */
export const PG_CATALOG = 11;

export interface PgType {
  oid: number;
  name: string;
  /** pg_namespace OID (11 = pg_catalog). */
  namespace: number;
  /** Bytes, -1 varlena, -2 cstring. */
  len: number;
  byVal: boolean;
  /** b base, c composite, d domain, e enum, p pseudo, r range, m multirange. */
  kind: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm';
  category: string;
  preferred: boolean;
  delimiter: string;
  /** pg_class OID of a composite type, 0 for others. */
  relation: number;
  /** Element type, 0 for none. Use elementTypeOf: name and point have an element type too but are no arrays. */
  element: number;
  array: number;
  /** True array type (subscripted by array_subscript_handler). */
  isArray: boolean;
  typmodIn: number;
  typmodOut: number;
  input: number;
  output: number;
  /** Domains: the type underneath, its typmod. */
  baseType: number;
  baseTypmod: number;
}

export interface PgProc {
  oid: number;
  name: string;
  namespace: number;
  kind: 'f' | 'a' | 'w' | 'p';
  strict: boolean;
  retset: boolean;
  volatility: 'i' | 's' | 'v';
  result: number;
  /** Input argument types. */
  args: number[];
  /** Variadic parameter's element type (OID.any for "any"); 0 none. */
  variadic: number;
  /** Defaults of the last parameters, as text read by the parameter type's input function; null is SQL NULL. */
  defaults: (string | null)[];
  /** All parameters with mode i, o, b, v, t; null when all are inputs. */
  allArgs: number[] | null;
  argModes: string[] | null;
  /** Parameter names ('' unnamed); null when none has one. */
  argNames: string[] | null;
  /** Of a function that a user made: what it does. */
  made?: MadeFunction;
}

/** What a function of a user does. */
export interface MadeFunction {
  schema: string;
  /** Of a function in SQL, which is written out where it is called: one SELECT, over the parameters. */
  body: SelectNode | null;
  /** Of an external function, which is called. Checkpoints have it by this name. */
  script: { language: string; source: string } | null;
  /** DEFAULT expressions of the last parameters. */
  defaults: { node: PgNode; text: string }[];
  /** OID of the relation whose rows it returns; 0: none. */
  rowOf: number;
}

export interface PgOperator {
  oid: number;
  name: string;
  namespace: number;
  /** 0: prefix operator. */
  left: number;
  right: number;
  result: number;
  /** pg_proc OID. */
  code: number;
  commutator: number;
  negator: number;
  canHash: boolean;
  canMerge: boolean;
}

export interface PgCast {
  source: number;
  target: number;
  /** pg_proc OID, 0 for none. */
  func: number;
  context: 'i' | 'a' | 'e';
  method: 'f' | 'b' | 'i';
}

export interface PgAggregate {
  fn: number;
  kind: 'n' | 'o' | 'h';
  directArgs: number;
}

/** Rows of one catalog as objects, found by OID and by name, each built once. */
class Rows<T extends { oid: number }> {
  private table: CatalogTable | null = null;
  private readonly relation: SystemTable;
  private readonly nameColumn: string;
  private readonly build: (table: CatalogTable, row: number) => T;
  private readonly extra: T[];
  private readonly built: T[] = [];
  private readonly seen = new Map<number, T | undefined>();
  private byOidIndex: Map<string, number[]> | null = null;
  private byNameIndex: Map<string, number[]> | null = null;

  constructor(
    relation: SystemTable,
    nameColumn: string,
    build: (table: CatalogTable, row: number) => T,
    extra: T[] = [],
  ) {
    this.relation = relation;
    this.nameColumn = nameColumn;
    this.build = build;
    this.extra = extra;
  }

  private at(row: number): T {
    this.built[row] ??= this.build(this.load(), row);
    return this.built[row];
  }

  private load(): CatalogTable {
    this.table ??= systemTable(this.relation);
    return this.table;
  }

  byOid(oid: number): T | undefined {
    const known = this.seen.get(oid);
    if (known !== undefined || this.seen.has(oid)) return known;
    this.byOidIndex ??= this.load().indexBy('oid');
    const rows = this.byOidIndex.get(String(oid));
    const found = rows ? this.at(rows[0]) : this.extra.find((x) => x.oid === oid);
    this.seen.set(oid, found);
    return found;
  }

  byName(name: string, nameOf: (x: T) => string): T[] {
    this.byNameIndex ??= this.load().indexBy(this.nameColumn);
    const found = (this.byNameIndex.get(name) ?? []).map((row) => this.at(row));
    return found.concat(this.extra.filter((x) => nameOf(x) === name));
  }

  all(): T[] {
    return Array.from({ length: this.load().rowCount }, (_, row) => this.at(row)).concat(this.extra);
  }
}

function oids(text: string | null): number[] {
  const inner = (text ?? '').replace(/[{}]/g, '');
  return inner === '' ? [] : inner.split(/[ ,]/).map(Number);
}

/** Elements of a one-dimensional text array as array_out writes it. */
function words(text: string | null): string[] | null {
  if (text === null) return null;
  return [...text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g)].map((m) =>
    m[1] === undefined ? m[2] : m[1].replace(/\\(.)/g, '$1'),
  );
}

/** `'{}'::jsonb, false, NULL::text` -> the literals' texts. */
function defaultTexts(text: string | null): (string | null)[] {
  if (text === null) return [];
  return [...text.matchAll(/'((?:[^']|'')*)'(?:::[\w ".[\]]+)?|([^,\s][^,]*)/g)].map((m) => {
    if (m[1] !== undefined) return m[1].replaceAll("''", "'");
    return m[2].startsWith('NULL') ? null : m[2];
  });
}

const types = new Rows<PgType>('pg_type', 'typname', (t, r) => {
  const element = t.number(r, 'typelem');
  return {
    oid: t.number(r, 'oid'),
    name: t.text(r, 'typname'),
    namespace: t.number(r, 'typnamespace'),
    len: t.number(r, 'typlen'),
    byVal: t.boolean(r, 'typbyval'),
    kind: t.text(r, 'typtype') as PgType['kind'],
    category: t.text(r, 'typcategory'),
    preferred: t.boolean(r, 'typispreferred'),
    delimiter: t.text(r, 'typdelim'),
    relation: t.number(r, 'typrelid'),
    element,
    array: t.number(r, 'typarray'),
    isArray: element !== 0 && procByOid(t.number(r, 'typsubscript'))?.name === 'array_subscript_handler',
    typmodIn: t.number(r, 'typmodin'),
    typmodOut: t.number(r, 'typmodout'),
    input: t.number(r, 'typinput'),
    output: t.number(r, 'typoutput'),
    baseType: t.number(r, 'typbasetype'),
    baseTypmod: t.number(r, 'typtypmod'),
  };
});

const procs = new Rows<PgProc>(
  'pg_proc',
  'proname',
  (t, r) => {
    const allArgs = t.value(r, 'proallargtypes');
    return {
      oid: t.number(r, 'oid'),
      name: t.text(r, 'proname'),
      namespace: t.number(r, 'pronamespace'),
      kind: t.text(r, 'prokind') as PgProc['kind'],
      strict: t.boolean(r, 'proisstrict'),
      retset: t.boolean(r, 'proretset'),
      volatility: t.text(r, 'provolatile') as PgProc['volatility'],
      result: t.number(r, 'prorettype'),
      args: oids(t.value(r, 'proargtypes')),
      variadic: t.number(r, 'provariadic'),
      defaults: defaultTexts(t.value(r, 'proargdefaults')),
      allArgs: allArgs === null ? null : oids(allArgs),
      argModes: words(t.value(r, 'proargmodes')),
      argNames: words(t.value(r, 'proargnames')),
    };
  },
  [...OWN_FUNCTIONS, ...EXTENSION_FUNCTIONS],
);

const operators = new Rows<PgOperator>('pg_operator', 'oprname', (t, r) => ({
  oid: t.number(r, 'oid'),
  name: t.text(r, 'oprname'),
  namespace: t.number(r, 'oprnamespace'),
  left: t.number(r, 'oprleft'),
  right: t.number(r, 'oprright'),
  result: t.number(r, 'oprresult'),
  code: t.number(r, 'oprcode'),
  commutator: t.number(r, 'oprcom'),
  negator: t.number(r, 'oprnegate'),
  canHash: t.boolean(r, 'oprcanhash'),
  canMerge: t.boolean(r, 'oprcanmerge'),
}));

let casts: Map<string, PgCast> | null = null;
let aggregates: Map<number, PgAggregate> | null = null;

export function typeByOid(oid: number): PgType | undefined {
  return typeObjectOid(oid) === 0 ? types.byOid(oid) : userType(oid, typeByOid);
}

/** A domain is its own type. */
export function declaredType(type: ColType): PgType | undefined {
  return typeByOid(declaredOid(type));
}

/** `schema` undefined: pg_catalog. */
export function typeByName(schema: string | undefined, name: string): PgType | undefined {
  const namespace = namespaceOid(schema);
  return types.byName(name, (t) => t.name).find((t) => t.namespace === namespace);
}

export function procByOid(oid: number): PgProc | undefined {
  return procs.byOid(oid);
}

/** Every function of that name, of any schema, and of extensions that are not there too. */
export function procsByName(name: string): PgProc[] {
  return procs.byName(name, (p) => p.name);
}

/** Every function there always is: pg_proc's rows and Tidemark's own. */
export function allProcs(): PgProc[] {
  return procs.all().filter((proc) => extensionOf(proc) === undefined);
}

export function operatorByOid(oid: number): PgOperator | undefined {
  return operators.byOid(oid);
}

export function operatorsByName(name: string): PgOperator[] {
  return operators.byName(name, (o) => o.name);
}

export function castBetween(from: number, to: number): PgCast | undefined {
  if (casts === null) {
    casts = new Map();
    const t = systemTable('pg_cast');
    for (let r = 0; r < t.rowCount; r++) {
      const source = t.number(r, 'castsource');
      const target = t.number(r, 'casttarget');
      casts.set(`${source}>${target}`, {
        source,
        target,
        func: t.number(r, 'castfunc'),
        context: t.text(r, 'castcontext') as PgCast['context'],
        method: t.text(r, 'castmethod') as PgCast['method'],
      });
    }
  }
  return casts.get(`${from}>${to}`);
}

export function aggregateByOid(oid: number): PgAggregate | undefined {
  if (aggregates === null) {
    aggregates = new Map();
    const t = systemTable('pg_aggregate');
    for (let r = 0; r < t.rowCount; r++) {
      const fn = t.number(r, 'aggfnoid');
      const kind = t.text(r, 'aggkind') as PgAggregate['kind'];
      aggregates.set(fn, { fn, kind, directArgs: t.number(r, 'aggnumdirectargs') });
    }
  }
  return aggregates.get(oid);
}

/** pg_namespace OID of a schema of PostgreSQL's own; undefined for others. No schema means pg_catalog. */
export function namespaceOid(schema: string | undefined): number | undefined {
  if (schema === undefined) return PG_CATALOG;
  const t = systemTable('pg_namespace');
  for (let r = 0; r < t.rowCount; r++) if (t.text(r, 'nspname') === schema) return t.number(r, 'oid');
  return undefined;
}

/** Name of a schema of PostgreSQL's own. */
export function namespaceName(oid: number): string | undefined {
  const t = systemTable('pg_namespace');
  for (let r = 0; r < t.rowCount; r++) if (t.number(r, 'oid') === oid) return t.text(r, 'nspname');
  return undefined;
}

/** Array type over an element type; 0 when there is none. */
export function arrayTypeOf(oid: number): number {
  return typeByOid(oid)?.array ?? 0;
}

/** Element type of a true array type; 0 for others. */
export function elementTypeOf(oid: number): number {
  const type = typeByOid(oid);
  return type?.isArray ? type.element : 0;
}

/** The type under a domain (through all levels); other types are their own base. */
export function baseTypeOf(oid: number): number {
  let type = typeByOid(oid);
  while (type?.kind === 'd') type = typeByOid(type.baseType);
  return type?.oid ?? oid;
}

export function isPreferred(oid: number): boolean {
  return typeByOid(oid)?.preferred ?? false;
}

/** pg_type.typcategory; 'X' (unknown) for a type that does not exist. */
export function categoryOf(oid: number): string {
  return typeByOid(oid)?.category ?? 'X';
}

/** True for composite types and domains over them; record itself is not one. */
export function isComposite(oid: number): boolean {
  return typeByOid(baseTypeOf(oid))?.kind === 'c';
}

/** `int4pl(int4,int4)`: function name and pg_type names of its declared input arguments. */
export function procSignature(proc: PgProc): string {
  return `${proc.name}(${proc.args.map((oid) => typeByOid(oid)?.name ?? String(oid)).join(',')})`;
}

interface DefaultClass {
  method: string;
  inputType: number;
  family: string;
}

const BTREE = '403';
const HASH = '405';
const LESS_THAN = '1';
const BTREE_EQUAL = '3';
const HASH_EQUAL = '1';

let defaultClasses: DefaultClass[] | null = null;
let familyOperators: Map<string, number> | null = null;

/** The default operator class of a type in an index method; its own, or the one of a type it is binary-coercible to. */
function defaultClassOf(oid: number, method: string): DefaultClass | undefined {
  if (defaultClasses === null) {
    const t = systemTable('pg_opclass');
    defaultClasses = [];
    for (let r = 0; r < t.rowCount; r++) {
      if (!t.boolean(r, 'opcdefault')) continue;
      defaultClasses.push({
        method: t.text(r, 'opcmethod'),
        inputType: t.number(r, 'opcintype'),
        family: t.text(r, 'opcfamily'),
      });
    }
  }
  const base = baseTypeOf(oid);
  const fitting = defaultClasses.filter((c) => c.method === method && isBinaryCoercible(base, c.inputType));
  return (
    fitting.find((c) => c.inputType === base) ??
    fitting.find((c) => isPreferred(c.inputType) && categoryOf(c.inputType) === categoryOf(base)) ??
    fitting[0]
  );
}

function familyOperator(c: DefaultClass, strategy: string): string | null {
  if (familyOperators === null) {
    familyOperators = new Map();
    const t = systemTable('pg_amop');
    for (let r = 0; r < t.rowCount; r++) {
      const left = t.text(r, 'amoplefttype');
      if (left !== t.text(r, 'amoprighttype') || t.text(r, 'amoppurpose') !== 's') continue;
      const key = `${t.text(r, 'amopfamily')} ${left} ${t.text(r, 'amopstrategy')}`;
      familyOperators.set(key, t.number(r, 'amopopr'));
    }
  }
  const operator = operators.byOid(familyOperators.get(`${c.family} ${c.inputType} ${strategy}`) ?? 0);
  const proc = operator && procs.byOid(operator.code);
  return proc ? procSignature(proc) : null;
}

/** The equality function that GROUP BY, DISTINCT and joins of a type use, as regprocedure text; null when it has none (json, point). */
export function equalityOf(oid: number): string | null {
  const btree = defaultClassOf(oid, BTREE);
  const found = btree ?? defaultClassOf(oid, HASH);
  if (!found || !hasComparableParts(oid)) return null;
  return familyOperator(found, btree ? BTREE_EQUAL : HASH_EQUAL);
}

/** The `<` function of a type's default ordering (ORDER BY, min, GREATEST), as regprocedure text; null when it has none. */
export function lessThanOf(oid: number): string | null {
  const found = defaultClassOf(oid, BTREE);
  return found && hasComparableParts(oid) ? familyOperator(found, LESS_THAN) : null;
}

/** Arrays compare only when their elements do. */
function hasComparableParts(oid: number): boolean {
  const element = elementTypeOf(baseTypeOf(oid));
  return element === 0 || equalityOf(element) !== null;
}

/** PostgreSQL's IsBinaryCoercible: a value of `from` serves as `to` without any conversion. */
export function isBinaryCoercible(from: number, to: number): boolean {
  if (from === to || to === OID.any || to === OID.anyelement || to === ANYCOMPATIBLE) return true;
  const base = baseTypeOf(from);
  if (base === to) return true;
  const type = typeByOid(base);
  switch (to) {
    case OID.anyarray:
    case ANYCOMPATIBLEARRAY:
      return elementTypeOf(base) !== 0;
    case ANYNONARRAY:
    case ANYCOMPATIBLENONARRAY:
      return elementTypeOf(base) === 0;
    case ANYENUM:
      return type?.kind === 'e';
    case ANYRANGE:
    case ANYCOMPATIBLERANGE:
      return type?.kind === 'r';
    case ANYMULTIRANGE:
    case ANYCOMPATIBLEMULTIRANGE:
      return type?.kind === 'm';
    case OID.record:
      return isComposite(base);
    case OID._record:
      return isComposite(elementTypeOf(base));
  }
  const cast = castBetween(base, to);
  return cast?.method === 'b' && cast.context === 'i';
}

/** Polymorphic pseudo-types that operators/types.ts does not name. */
export const ANYNONARRAY = 2776;
export const ANYENUM = 3500;
export const ANYRANGE = 3831;
export const ANYMULTIRANGE = 4537;
export const ANYCOMPATIBLE = 5077;
export const ANYCOMPATIBLEARRAY = 5078;
export const ANYCOMPATIBLENONARRAY = 5079;
export const ANYCOMPATIBLERANGE = 5080;
export const ANYCOMPATIBLEMULTIRANGE = 4538;
