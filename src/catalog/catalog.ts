/**
 * The catalog: named objects, their OIDs and dependencies. In memory; every change moves `version`, which makes cached plans stale.
 *
 * Relations of the server itself (pg_catalog, information_schema, tidemark) come from a SystemRelations and are not objects here.
 */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary, openMark, schemasOf } from '../../operators/expr/search_path.ts';
import { typeObjectOf, userTypeOid } from '../../operators/types.ts';
import { type CatalogReader, primaryKeyOf, type Relation, type UniqueKey } from '../../planner/catalog_reader.ts';
import { formatType } from '../../planner/types/type_name.ts';
import { keyOfIndex } from './index_key.ts';
import { shapeOf } from './object_shape.ts';
import {
  type CatalogObject,
  type ExtensionObject,
  type ForeignKey,
  type FunctionObject,
  type IndexObject,
  KIND_NAMES,
  type ObjectKind,
  type RelationObject,
  type TypeObject,
} from './objects.ts';
import { functionPlace, isOfServer, placeOf, type ServerKind, serverPlace, typePlace } from './places.ts';
import { Rights, type SavedRights } from './rights.ts';
import { BOOTSTRAP, Roles, type SavedRoles } from './roles.ts';
import { dropUserType, setUserType } from './user_types.ts';

/** Relations that the server computes: pg_class, tidemark.sources, ... */
export interface SystemRelations {
  relation(schema: string | undefined, name: string): Relation | null;
  relationByOid(oid: number): Relation | null;
  tableFunction(
    schema: string | undefined,
    name: string,
    args: (string | null)[],
    searchPath?: string[],
  ): Relation | null;
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

/** Relations whose rows are a type with the relation's name. */
const WITH_ROW_TYPE: ReadonlySet<ObjectKind> = new Set(['table', 'stream', 'view', 'materialized_view', 'sequence']);

/** First OID given to users' objects, as in PostgreSQL. */
const FIRST_OID = 16384;

export interface SavedCatalog {
  nextOid: number;
  schemas: [name: string, oid: number][];
  schemaComments: [name: string, comment: string][];
  open: [oid: number, transaction: number][];
  objects: CatalogObject[];
  roles: SavedRoles;
  rights: SavedRights;
}

export class Catalog implements CatalogReader {
  readonly #objects = new Map<number, CatalogObject>();
  readonly #byName = new Map<string, number>();
  /** Schemas and their OIDs: PostgreSQL's where it has the schema. */
  readonly #schemas = new Map(BUILT_IN_SCHEMAS);
  /** What COMMENT ON SCHEMA said, by name. */
  readonly schemaComments = new Map<string, string>();
  /** Objects and schemas (OIDs) that a transaction has made which has not ended, and the transaction: nobody else finds them, and they go when it does not commit. */
  readonly open = new Map<number, number>();
  readonly roles = new Roles(() => {
    this.version++;
  });
  readonly rights = new Rights();
  readonly #system: SystemRelations;
  #nextOid = FIRST_OID;
  #tables = { version: 0, references: new Map<number, Reference[]>(), uniques: new Map<number, IndexObject[]>() };
  #functions = { version: 0, byName: new Map<string, FunctionObject[]>() };
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
  save(): SavedCatalog {
    return {
      nextOid: this.#nextOid,
      roles: this.roles.save(),
      rights: this.rights.save(),
      schemas: [...this.#schemas],
      schemaComments: [...this.schemaComments],
      open: [...this.open],
      objects: this.objects(),
    };
  }

  load({ nextOid, schemas, schemaComments, open, objects, roles, rights }: SavedCatalog): void {
    this.#nextOid = nextOid;
    this.roles.load(roles);
    this.rights.load(rights);
    this.#schemas.clear();
    for (const [name, oid] of schemas) this.#schemas.set(name, oid);
    for (const [name, comment] of schemaComments) this.schemaComments.set(name, comment);
    for (const [oid, transaction] of open) this.open.set(oid, transaction);
    // A table may have got a column of a type that is younger.
    for (const object of objects) this.#put(object);
    this.version++;
  }

  get schemas(): string[] {
    return [...this.#schemas.keys()];
  }

  /** False when it is there and that was allowed. */
  createSchema(name: string, ifNotExists: boolean, owner = BOOTSTRAP): boolean {
    if (this.#schemas.has(name)) {
      if (ifNotExists) return false;
      throw new SqlError('42P06', `schema "${name}" already exists`);
    }
    this.#schemas.set(name, this.newOid());
    this.rights.setSchema(name, { owner, acl: this.rights.aclOfNew('schema', owner, null) });
    this.version++;
    return true;
  }

  dropSchema(name: string): void {
    this.open.delete(this.schemaOid(name));
    this.#schemas.delete(name);
    this.schemaComments.delete(name);
    this.rights.dropSchema(name);
    this.version++;
  }

  hasSchema(name: string): boolean {
    return this.#schemas.has(name);
  }

  /** There is one, and who has this search path sees it. */
  seesSchema(name: string, searchPath: string[]): boolean {
    return this.hasSchema(name) && this.isSeen(this.schemaOid(name), searchPath);
  }

  /** False for what another transaction has made that has not ended. */
  isSeen(oid: number, searchPath: string[]): boolean {
    const transaction = this.open.get(oid);
    return transaction === undefined || searchPath.includes(openMark(transaction));
  }

  /** What the transaction has made and not dropped again, in the order in which it was made; `from`: with no smaller OIDs. */
  madeBy(transaction: number, from = 0): number[] {
    return [...this.open].flatMap(([oid, by]) => (by === transaction && oid >= from ? [oid] : []));
  }

  /** From now on everybody sees these. */
  show(oids: number[]): void {
    for (const oid of oids) this.open.delete(oid);
    this.version++;
  }

  /** pg_namespace.oid of a schema; 0 when there is none. */
  schemaOid(name: string): number {
    return this.#schemas.get(name) ?? 0;
  }

  /** OID of the role whose the object is. */
  ownerOf(object: CatalogObject): number {
    const table = object.kind === 'index' ? object.on : object.kind === 'sequence' ? object.owner?.table : undefined;
    const of = table === undefined ? object : (this.#objects.get(table) ?? object);
    return of.ownedBy ?? BOOTSTRAP;
  }

  /** Objects in creation order: what a view reads comes before it. */
  objects(): CatalogObject[] {
    return [...this.#objects.values()];
  }

  /** Those that who has this search path sees. */
  seen(searchPath: string[]): CatalogObject[] {
    return this.open.size === 0 ? this.objects() : this.objects().filter(({ oid }) => this.isSeen(oid, searchPath));
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
      if (object === undefined || !this.isSeen(object.oid, searchPath)) continue;
      if (isTemporary(s) && !searchPath.includes(s)) {
        throw new SqlError('0A000', 'cannot access temporary tables of other sessions');
      }
      return object;
    }
    return undefined;
  }

  /** Throws when add() would: a statement that waits for something may find the catalog changed. */
  check(object: CatalogObject): void {
    this.#checkFree(object, object.name);
    if (!this.#schemas.has(object.schema)) throw new SqlError('3F000', `schema "${object.schema}" does not exist`);
    if (object.dependencies.some((oid) => !this.#objects.has(oid) && this.relationByOid(oid) === null)) {
      throw new SqlError('42P01', `a relation that "${object.name}" reads was dropped meanwhile`);
    }
    const columns = 'relation' in object ? object.relation.columns : [];
    for (const { name, type, dropped } of columns) {
      const needed = dropped ? 0 : typeObjectOf(type);
      if (needed === 0 || this.#objects.has(needed)) continue;
      throw new SqlError('42704', `the type of column "${name}" of "${object.name}" was dropped meanwhile`);
    }
  }

  /** `transaction`: that which makes it, if it sees it alone until it ends. Indexes and sequences of a table are as open as that. */
  add(object: CatalogObject, transaction?: number): void {
    this.check(object);
    const isPart = object.kind === 'index' || object.kind === 'sequence';
    const whole = isPart ? object.dependencies.find((oid) => this.open.has(oid)) : undefined;
    const by = transaction ?? this.open.get(whole ?? 0);
    if (by !== undefined) this.open.set(object.oid, by);
    this.#put(object);
  }

  #put(object: CatalogObject): void {
    if (object.kind === 'type') setUserType(object.type, this);
    this.#objects.set(object.oid, object);
    this.#byName.set(placeOf(object), object.oid);
    this.version++;
  }

  #checkFree(object: CatalogObject, name: string, schema = object.schema): void {
    const { kind } = object;
    if (kind === 'function') {
      const { args } = object.proc;
      if (this.functionOf(schema, name, args) === undefined) return;
      const words = `${name}(${args.map((t) => formatType(t)).join(', ')})`;
      throw new SqlError('42723', `function ${words} already exists in schema "${schema}"`);
    }
    if (isOfServer(kind)) {
      if (!this.#byName.has(serverPlace(kind, name))) return;
      throw new SqlError('42710', `${KIND_NAMES[kind]} "${name}" already exists`);
    }
    const type = this.#byName.has(typePlace(schema, name));
    const other = this.in(schema, name);
    if (kind === 'type') {
      if (type || (other !== undefined && WITH_ROW_TYPE.has(other.kind)))
        throw new SqlError('42710', `type "${name}" already exists`);
      return;
    }
    if (other !== undefined) throw new SqlError('42P07', `relation "${name}" already exists`);
    if (!type || !WITH_ROW_TYPE.has(kind)) return;
    throw new SqlError('42710', `type "${name}" already exists`, {
      hint: "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.",
    });
  }

  /** A type as it is from now on. */
  setType<T extends TypeObject>(object: T, type: T['type']): void {
    setUserType(type, this);
    object.type = type;
    this.version++;
  }

  /** Statements have been done again: what labels were called before means nothing more. */
  forgetFormerLabels(): void {
    for (const object of this.#objects.values())
      if (object.kind === 'type' && 'labels' in object.type && object.type.former.length > 0)
        this.setType(object, { ...object.type, former: [] });
  }

  /** Its types may be those of another engine of the process now. */
  forgetTypes(): void {
    for (const object of this.#objects.values()) if (object.kind === 'type') dropUserType(object.type.oid, this);
  }

  /** Of what is in no schema. */
  ofServer<K extends ServerKind>(kind: K, name: string): Extract<CatalogObject, { kind: K }> | undefined {
    const object = this.#objects.get(this.#byName.get(serverPlace(kind, name)) ?? 0);
    return object?.kind === kind ? (object as Extract<CatalogObject, { kind: K }>) : undefined;
  }

  /** For who has this search path. */
  seenExtension(name: string, searchPath: string[]): ExtensionObject | undefined {
    const found = this.ofServer('extension', name);
    return found !== undefined && this.isSeen(found.oid, searchPath) ? found : undefined;
  }

  /** The type of this name in this very schema. */
  typeIn(schema: string, name: string): TypeObject | undefined {
    const object = this.#objects.get(this.#byName.get(typePlace(schema, name)) ?? 0);
    return object?.kind === 'type' ? object : undefined;
  }

  findType(schema: string | undefined, name: string, searchPath: string[]): TypeObject | undefined {
    for (const s of schema === undefined ? searchPath : schemasOf(schema, searchPath)) {
      const object = this.typeIn(s, name);
      if (object !== undefined && this.isSeen(object.oid, searchPath)) return object;
    }
    return undefined;
  }

  typeNamed(schema: string | undefined, name: string, searchPath: string[] = ['public']): number {
    for (const s of schema === undefined ? searchPath : schemasOf(schema, searchPath)) {
      const type = this.findType(s, name, searchPath);
      if (type !== undefined) return userTypeOid(type.oid);
      const element = name.startsWith('_') ? this.findType(s, name.slice(1), searchPath) : undefined;
      if (element !== undefined) return userTypeOid(element.oid) + 1;
    }
    return 0;
  }

  /** The function with these very arguments. */
  functionOf(schema: string, name: string, args: number[]): FunctionObject | undefined {
    const object = this.#objects.get(this.#byName.get(functionPlace(schema, name, args)) ?? 0);
    return object?.kind === 'function' ? object : undefined;
  }

  /** Functions by name, in the order of the search path where there is no schema. */
  findFunctions(schema: string | undefined, name: string, searchPath: string[]): FunctionObject[] {
    if (this.#functions.version !== this.version) {
      const byName = new Map<string, FunctionObject[]>();
      for (const object of this.#objects.values()) if (object.kind === 'function') addTo(byName, object.name, object);
      this.#functions = { version: this.version, byName };
    }
    const found = this.#functions.byName.get(name) ?? [];
    return (schema === undefined ? searchPath : [schema]).flatMap((s) =>
      found.filter((f) => f.schema === s && this.isSeen(f.oid, searchPath)),
    );
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
    this.#checkFree(object, name);
    this.#byName.delete(placeOf(object));
    object.name = name;
    if (object.kind === 'function') object.proc = { ...object.proc, name };
    this.#byName.set(placeOf(object), object.oid);
    if ('relation' in object) object.relation.name = name;
    this.version++;
  }

  /** Puts an object into another schema, where its name is free. */
  move(object: CatalogObject, schema: string): void {
    if (object.kind === 'function') this.#checkFree(object, object.name, schema);
    this.#byName.delete(placeOf(object));
    object.schema = schema;
    if (object.kind === 'function') {
      const { proc } = object;
      object.proc = { ...proc, namespace: this.schemaOid(schema), made: { ...proc.made!, schema } };
    }
    this.#byName.set(placeOf(object), object.oid);
    if ('relation' in object) object.relation.schema = schema;
    this.version++;
  }

  remove(oid: number): void {
    const object = this.#objects.get(oid);
    if (object === undefined) return;
    this.#objects.delete(oid);
    this.open.delete(oid);
    this.#byName.delete(placeOf(object));
    if (object.kind === 'type') dropUserType(object.type.oid, this);
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
      typeNamed: (schema, name) => this.typeNamed(schema, name, searchPath),
      functionsNamed: (schema, name) => this.findFunctions(schema, name, searchPath).map(({ proc }) => proc),
      extension: (name) => this.seenExtension(name, searchPath),
      tableFunction: (schema, name, args) => this.#system.tableFunction(schema, name, args, searchPath),
    };
  }

  relationByOid(oid: number): Relation | null {
    const object = this.#objects.get(oid);
    if (object !== undefined && 'relation' in object) return object.relation;
    return this.#system.relationByOid(oid);
  }

  uniqueKeys(relation: Relation): UniqueKey[] {
    const keys = primaryKeyOf(relation);
    for (const index of this.#ofTables().uniques.get(relation.oid) ?? []) keys.push(keyOfIndex(relation, index));
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
}

function addTo<K, T>(lists: Map<K, T[]>, key: K, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
