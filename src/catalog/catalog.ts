/**
 * The catalog: named objects, their OIDs and dependencies. In memory; every change moves `version`, which makes cached plans stale.
 *
 * Relations of the server itself (pg_catalog, information_schema, tidemark) come from a SystemRelations and are not objects here.
 */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary, schemasOf } from '../../operators/expr/search_path.ts';
import { type CatalogReader, primaryKeyOf, type Relation, type UniqueKey } from '../../planner/catalog_reader.ts';
import {
  type CatalogObject,
  type ForeignKey,
  type IndexObject,
  KIND_NAMES,
  type ObjectKind,
  type RelationObject,
} from './objects.ts';

/** Relations that the server computes: pg_class, tidemark.sources, ... */
export interface SystemRelations {
  relation(schema: string | undefined, name: string): Relation | null;
  relationByOid(oid: number): Relation | null;
  tableFunction(schema: string | undefined, name: string, args: (string | null)[]): Relation | null;
}

/** A foreign key, with the table that has it. */
export interface Reference {
  table: RelationObject;
  key: ForeignKey;
}

const BUILT_IN_SCHEMAS: [name: string, oid: number][] = [
  ['public', 2200],
  ['pg_catalog', 11],
  ['information_schema', 12424],
  // Outside the ranges that PostgreSQL uses, below the users'.
  ['tidemark', 14999],
];

/** First OID given to users' objects, as in PostgreSQL. */
const FIRST_OID = 16384;

export class Catalog implements CatalogReader {
  readonly #objects = new Map<number, CatalogObject>();
  readonly #byName = new Map<string, number>();
  /** Schemas and their OIDs: PostgreSQL's where it has the schema. */
  readonly #schemas = new Map(BUILT_IN_SCHEMAS);
  /** What COMMENT ON SCHEMA said, by name. */
  readonly schemaComments = new Map<string, string>();
  readonly #system: SystemRelations;
  #nextOid = FIRST_OID;
  #tables = { version: 0, references: new Map<number, Reference[]>(), uniques: new Map<number, IndexObject[]>() };
  version = 1;

  constructor(system: SystemRelations) {
    this.#system = system;
  }

  newOid(): number {
    return this.#nextOid++;
  }

  /** The OID that the next object gets: objects come back with those that they had. */
  setNextOid(oid: number): void {
    this.#nextOid = oid;
  }

  get nextOid(): number {
    return this.#nextOid;
  }

  /** Everything in it, as plain data; relations that objects share stay shared. */
  save() {
    return {
      nextOid: this.#nextOid,
      schemas: [...this.#schemas],
      schemaComments: [...this.schemaComments],
      objects: this.objects(),
    };
  }

  load({ nextOid, schemas, schemaComments, objects }: ReturnType<typeof this.save>): void {
    this.#nextOid = nextOid;
    this.#schemas.clear();
    for (const [name, oid] of schemas) this.#schemas.set(name, oid);
    for (const [name, comment] of schemaComments) this.schemaComments.set(name, comment);
    for (const object of objects) this.add(object);
    this.version++;
  }

  get schemas(): string[] {
    return [...this.#schemas.keys()];
  }

  /** False when it is there and that was allowed. */
  createSchema(name: string, ifNotExists: boolean): boolean {
    if (this.#schemas.has(name)) {
      if (ifNotExists) return false;
      throw new SqlError('42P06', `schema "${name}" already exists`);
    }
    this.#schemas.set(name, this.newOid());
    this.version++;
    return true;
  }

  dropSchema(name: string): void {
    this.#schemas.delete(name);
    this.schemaComments.delete(name);
    this.version++;
  }

  hasSchema(name: string): boolean {
    return this.#schemas.has(name);
  }

  /** pg_namespace.oid of a schema; 0 when there is none. */
  schemaOid(name: string): number {
    return this.#schemas.get(name) ?? 0;
  }

  /** Objects in creation order: what a view reads comes before it. */
  objects(): CatalogObject[] {
    return [...this.#objects.values()];
  }

  get(oid: number): CatalogObject | undefined {
    return this.#objects.get(oid);
  }

  /** The object of this name in this very schema. */
  in(schema: string, name: string): CatalogObject | undefined {
    const oid = this.#byName.get(`${schema}.${name}`);
    return oid === undefined ? undefined : this.#objects.get(oid);
  }

  /** By schema, or by the search path; another session's temporary objects are not found. */
  find(schema: string | undefined, name: string, searchPath: string[] = ['public']): CatalogObject | undefined {
    for (const s of schemasOf(schema, searchPath)) {
      const object = this.in(s, name);
      if (object === undefined) continue;
      if (isTemporary(s) && !searchPath.includes(s)) {
        throw new SqlError('0A000', 'cannot access temporary tables of other sessions');
      }
      return object;
    }
    return undefined;
  }

  /** Throws when add() would: a statement that waits for something may find the catalog changed. */
  check(object: CatalogObject): void {
    if (this.#byName.has(`${object.schema}.${object.name}`))
      throw new SqlError('42P07', `relation "${object.name}" already exists`);
    if (!this.#schemas.has(object.schema)) throw new SqlError('3F000', `schema "${object.schema}" does not exist`);
    if (object.dependencies.some((oid) => this.relationByOid(oid) === null)) {
      throw new SqlError('42P01', `a relation that "${object.name}" reads was dropped meanwhile`);
    }
  }

  add(object: CatalogObject): void {
    this.check(object);
    this.#objects.set(object.oid, object);
    this.#byName.set(`${object.schema}.${object.name}`, object.oid);
    this.version++;
  }

  /** A new definition of an object that keeps its OID. */
  replace(object: CatalogObject): void {
    this.#objects.set(object.oid, object);
    this.version++;
  }

  /**
   * For a statement that waits between reading these objects and being written down: throws when one has gone or was altered by then, as the statement done
   * again would not find it, or with columns that are NOT NULL no more would be planned in another way.
   */
  stillSame(oids: number[]): () => void {
    const known = oids.map((oid) => this.#objects.get(oid));
    const before = known.map((object) => object && shapeOf(object));
    return () => {
      const changed = oids.findIndex((oid, i) => {
        const now = this.#objects.get(oid);
        return (now && shapeOf(now)) !== before[i];
      });
      if (changed < 0) return;
      throw new SqlError('40001', 'a relation was dropped or altered while it was read', {
        detail: `It was the ${KIND_NAMES[(known[changed] as CatalogObject).kind]} with OID ${oids[changed]}.`,
        hint: 'Run the statement again.',
      });
    };
  }

  /** Gives an object another name in its schema; 42P07 when it is taken. */
  rename(object: CatalogObject, name: string): void {
    if (this.#byName.has(`${object.schema}.${name}`)) throw new SqlError('42P07', `relation "${name}" already exists`);
    this.#byName.delete(`${object.schema}.${object.name}`);
    this.#byName.set(`${object.schema}.${name}`, object.oid);
    object.name = name;
    if ('relation' in object) object.relation.name = name;
    this.version++;
  }

  /** Puts an object into another schema, where its name is free. */
  move(object: CatalogObject, schema: string): void {
    this.#byName.delete(`${object.schema}.${object.name}`);
    this.#byName.set(`${schema}.${object.name}`, object.oid);
    object.schema = schema;
    if ('relation' in object) object.relation.schema = schema;
    this.version++;
  }

  remove(oid: number): void {
    const object = this.#objects.get(oid);
    if (object === undefined) return;
    this.#objects.delete(oid);
    this.#byName.delete(`${object.schema}.${object.name}`);
    this.version++;
  }

  /** Everything that reads these objects, directly or not, dependents first; indexes belong to their relation and are included. */
  dependents(oids: number[]): CatalogObject[] {
    const found = new Set<number>(oids);
    const out: CatalogObject[] = [];
    const visit = (oid: number): void => {
      for (const object of [...this.#objects.values()].reverse()) {
        if (found.has(object.oid) || !object.dependencies.includes(oid)) continue;
        found.add(object.oid);
        visit(object.oid);
        out.push(object);
      }
    };
    for (const oid of oids) visit(oid);
    return out;
  }

  /** By schema, or by the search path: users' relations and the server's own. */
  relation(schema: string | undefined, name: string, searchPath: string[] = ['public']): Relation | null {
    for (const s of schemasOf(schema, searchPath)) {
      const object = this.find(s, name, searchPath);
      const found = object !== undefined && 'relation' in object ? object.relation : this.#system.relation(s, name);
      if (found !== null) return found;
    }
    return null;
  }

  /** What the planner sees under a search path. */
  reader(searchPath: string[]): CatalogReader {
    return {
      relation: (schema, name) => this.relation(schema, name, searchPath),
      relationByOid: (oid) => this.relationByOid(oid),
      uniqueKeys: (relation) => this.uniqueKeys(relation),
      tableFunction: (schema, name, args) => this.tableFunction(schema, name, args),
    };
  }

  relationByOid(oid: number): Relation | null {
    const object = this.#objects.get(oid);
    if (object !== undefined && 'relation' in object) return object.relation;
    return this.#system.relationByOid(oid);
  }

  uniqueKeys(relation: Relation): UniqueKey[] {
    const keys = primaryKeyOf(relation);
    for (const { columns, name, constraint } of this.#ofTables().uniques.get(relation.oid) ?? [])
      keys.push({ columns, name, isConstraint: constraint });
    return keys;
  }

  /** The foreign keys that reference a table, and the tables that have them. */
  referencing(oid: number): Reference[] {
    return this.#ofTables().references.get(oid) ?? [];
  }

  /** What tables have elsewhere in the catalog: asked by every statement that writes, so it is not looked for among all objects each time. */
  #ofTables() {
    if (this.#tables.version === this.version) return this.#tables;
    const references = new Map<number, Reference[]>();
    const uniques = new Map<number, IndexObject[]>();
    for (const object of this.#objects.values()) {
      if (object.kind === 'index' && object.unique) addTo(uniques, object.on, object);
      if (object.kind !== 'table') continue;
      for (const key of object.foreignKeys) addTo(references, key.references, { table: object, key });
    }
    this.#tables = { version: this.version, references, uniques };
    return this.#tables;
  }

  tableFunction(schema: string | undefined, name: string, args: (string | null)[]): Relation | null {
    return this.#system.tableFunction(schema, name, args);
  }

  /** The object for DROP: 42P01-like when missing, 42809 when it is of another kind. Null when missing and `ifExists`. */
  forDrop(
    kind: ObjectKind,
    schema: string | undefined,
    name: string,
    searchPath: string[],
    ifExists: boolean,
  ): CatalogObject | null {
    const object = this.find(schema, name, searchPath);
    if (object === undefined) {
      if (ifExists) return null;
      const code = kind === 'index' || kind === 'sink' || kind === 'subscription' ? '42704' : '42P01';
      throw new SqlError(code, `${KIND_NAMES[kind]} "${name}" does not exist`);
    }
    if (object.kind !== kind) {
      throw new SqlError('42809', `"${name}" is not a ${KIND_NAMES[kind]}`, {
        hint: `Use DROP ${KIND_NAMES[object.kind].toUpperCase()} to remove a ${KIND_NAMES[object.kind]}.`,
      });
    }
    return object;
  }
}

/** What ALTER may change of an object that a statement was bound with. */
function shapeOf(object: CatalogObject): string {
  return JSON.stringify([object.name, 'relation' in object ? object.relation.columns : []]);
}

function addTo<T>(lists: Map<number, T[]>, key: number, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
