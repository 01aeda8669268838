/** Functions of pg_proc: PostgreSQL's, and those that users made. */
import type { Datum } from '../../../operators/datum.ts';
import { pgArray } from '../../../operators/datum.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { RelationColumn } from '../../../planner/catalog_reader.ts';
import { allProcs, namespaceName, type PgProc, procByOid, procsByName } from '../../../planner/types/catalog.ts';
import { OWN_FUNCTIONS } from '../../../planner/types/own_functions.ts';
import type { FunctionObject } from '../../catalog/objects.ts';
import { aclOfFunction } from '../../catalog/restricted_functions.ts';
import { rightsOf } from '../../catalog/rights_seen.ts';
import { aclArray } from './acl.ts';
import { type CatalogRelation, type CatalogRow, toRows } from './catalog_relation.ts';
import { defaultText } from './default_text.ts';
import type { CatalogFacts } from './facts.ts';
import { JAVASCRIPT, OWNER, PG_CATALOG } from './oids.ts';
import { type Named, namedBy } from './roles.ts';
import { staticRows } from './static_rows.ts';

/** pg_language.oid. */
const INTERNAL = 12;
const SQL = 14;

export function functionsOf({ objects }: CatalogFacts): FunctionObject[] {
  return objects.filter((object): object is FunctionObject => object.kind === 'function');
}

export function functionObject({ engine }: CatalogFacts, oid: number): FunctionObject | undefined {
  const object = engine.catalog.get(oid);
  return object?.kind === 'function' ? object : undefined;
}

export function procOf(facts: CatalogFacts, oid: number): PgProc | undefined {
  return procByOid(oid) ?? functionObject(facts, oid)?.proc;
}

/** Every function of that name, of any schema. */
export function procsOf(facts: CatalogFacts, name: string): PgProc[] {
  const made = functionsOf(facts).filter((object) => object.name === name);
  return [...procsByName(name), ...made.map(({ proc }) => proc)];
}

export function everyProc(facts: CatalogFacts): PgProc[] {
  return [...allProcs(), ...functionsOf(facts).map(({ proc }) => proc)];
}

export function schemaOfProc({ made, namespace }: PgProc): string | undefined {
  return made?.schema ?? namespaceName(namespace);
}

/** DEFAULT expressions of a user's function as SQL, of its last parameters. */
export function defaultTexts({ args, made }: PgProc, facts: CatalogFacts, path: string[]): string[] {
  const defaults = made?.defaults ?? [];
  return defaults.map((value, i) => {
    const type = colType(args[args.length - defaults.length + i]);
    return defaultText({ ...value, sequences: [] }, type, facts, path);
  });
}

const vector = (oids: number[]): Datum => ({ ...pgArray(OID.oid, oids), lower: oids.length === 0 ? [] : [0] });

function common(proc: PgProc): CatalogRow {
  return {
    oid: proc.oid,
    proname: proc.name,
    pronamespace: proc.namespace,
    proowner: OWNER,
    provariadic: proc.variadic,
    prosupport: 0,
    prokind: proc.kind,
    prosecdef: false,
    proisstrict: proc.strict,
    proretset: proc.retset,
    provolatile: proc.volatility,
    pronargs: proc.args.length,
    pronargdefaults: proc.defaults.length,
    prorettype: proc.result,
    proargtypes: vector(proc.args),
  };
}

function ownRow(proc: PgProc): CatalogRow {
  const said = { prolang: INTERNAL, procost: 1, prorows: 0, proleakproof: false, proparallel: 's', prosrc: proc.name };
  return { ...common(proc), pronamespace: PG_CATALOG, ...said };
}

function madeRow(object: FunctionObject, facts: CatalogFacts, named: Named): CatalogRow {
  const { proc, source, standard } = object;
  const defaults = defaultTexts(proc, facts, []);
  return {
    ...common(proc),
    proowner: facts.engine.catalog.ownerOf(object, facts.path),
    prolang: proc.made!.script === null ? SQL : JAVASCRIPT,
    procost: object.cost,
    prorows: object.rows,
    proleakproof: object.leakproof,
    proparallel: object.parallel,
    proallargtypes: proc.allArgs === null ? null : pgArray(OID.oid, proc.allArgs),
    proargmodes: proc.argModes === null ? null : pgArray(OID.char, proc.argModes),
    proargnames: proc.argNames === null ? null : pgArray(OID.text, proc.argNames),
    proargdefaults: defaults.length === 0 ? null : defaults.join(', '),
    prosrc: standard ? '' : source,
    prosqlbody: standard ? source : null,
    proacl: aclArray(rightsOf(facts.engine.catalog, object, facts.path).acl, named),
  };
}

/** Those that are always there. */
let known: Datum[][] | null = null;

const keys = new WeakMap<CatalogFacts, string>();

/** The rows are many, and few DDL statements are about functions. */
function keyOf(facts: CatalogFacts): string {
  const there = keys.get(facts);
  if (there !== undefined) return there;
  const key = JSON.stringify(functionsOf(facts).map((object) => ({ ...object, dependencies: [] })));
  keys.set(facts, key);
  return key;
}

/** Rows of the catalog's functions; who may call those that not everybody may has a name in the session. */
function withAcl(rows: Datum[][], columns: RelationColumn[], { engine }: CatalogFacts, named: Named): Datum[][] {
  const [name, acl] = ['proname', 'proacl'].map((column) => columns.findIndex((c) => c.name === column));
  return rows.map((row) => {
    const list = aclOfFunction(engine.catalog.roles, row[name] as string);
    return list === null ? row : row.with(acl, aclArray(list, named));
  });
}

export const PG_PROC: CatalogRelation = {
  until: 'catalog',
  key: keyOf,
  rows: ({ facts, context }, columns) => {
    known ??= [...staticRows('pg_proc', columns), ...toRows(columns, OWN_FUNCTIONS.map(ownRow))];
    const named = namedBy(facts, context);
    const made = functionsOf(facts).map((object) => madeRow(object, facts, named));
    // Two lists, as a record may name other columns.
    return [...withAcl(known, columns, facts, named), ...toRows(columns, made)];
  },
};
