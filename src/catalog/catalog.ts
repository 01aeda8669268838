/**
 * The catalog: named objects, their OIDs and dependencies. In memory; every change moves `version`, which makes cached plans stale.
 *
 * Relations of the server itself (pg_catalog, information_schema, tidemark) come from a SystemRelations and are not objects here.
 */
import { SqlError } from '../../operators/errors.ts';
import { isTemporary, openMark, schemasOf } from '../../operators/expr/search_path.ts';
import { FIRST_USER_OID, userTypeOid } from '../../operators/types.ts';
import { type CatalogReader, primaryKeyOf, type Relation, type UniqueKey } from '../../planner/catalog_reader.ts';
import { checkFree } from './free_name.ts';
import { keyOfIndex } from './index_key.ts';
import { NamedObjects } from './named_objects.ts';
import type { CatalogObject, ExtensionObject, FunctionObject, TypeObject } from './objects.ts';
import { addTo, PartsOfTables, type Reference } from './parts_of_tables.ts';
import { Pending, type PendingChange } from './pending.ts';
import { functionPlace, relationPlace, type ServerKind, serverPlace, typePlace } from './places.ts';
import { Rights, type SavedRights } from './rights.ts';
import { BOOTSTRAP, Roles, type SavedRoles } from './roles.ts';
import { Schemas } from './schemas.ts';
import { checkStaying, checkThere } from './staying.ts';
import type { SystemRelations } from './system_relations.ts';
import { readRelation } from './table_change.ts';
import { dropUserType, setUserType } from './user_types.ts';

export interface SavedCatalog {
  nextOid: number;
  schemas: [name: string, oid: number][];
  schemaComments: [name: string, comment: string][];
  open: [oid: number, transaction: number][];
  going: [oid: number, transaction: number][];
  pending: PendingChange[];
  objects: CatalogObject[];
  roles: SavedRoles;
  rights: SavedRights;
}

export class Catalog implements CatalogReader {
  readonly #objects = new Map<number, CatalogObject>();
  readonly #places = new NamedObjects(this);
  readonly #schemas = new Schemas();
  /** What COMMENT ON SCHEMA said, by place (placeOfSchema). */
  readonly schemaComments = new Map<string, string>();
  /** Objects and schemas (OIDs) that a transaction has made which has not ended, and the transaction: nobody else finds them, and they go when it does not commit. */
  readonly open = new Map<number, number>();
  /** Objects and schemas (OIDs) that a transaction has dropped which has not ended, and the transaction: it finds them no more, all others do until it commits. */
  readonly going = new Map<number, number>();
  readonly pending = new Pending();
  readonly roles = new Roles(() => {
    this.version++;
  });
  readonly rights = new Rights();
  readonly #system: SystemRelations;
  #nextOid = FIRST_USER_OID;
  readonly #parts = new PartsOfTables(this);
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
      schemas: this.#schemas.save(),
      schemaComments: [...this.schemaComments],
      open: [...this.open],
      going: [...this.going],
      pending: this.pending.save(),
      objects: this.objects(),
    };
  }

  load({ nextOid, schemas, schemaComments, open, going, pending, objects, roles, rights }: SavedCatalog): void {
    this.#nextOid = nextOid;
    this.roles.load(roles);
    this.rights.load(rights);
    this.#schemas.load(schemas);
    for (const [name, comment] of schemaComments) this.schemaComments.set(name, comment);
    for (const [oid, transaction] of open) this.open.set(oid, transaction);
    for (const [oid, transaction] of going) this.going.set(oid, transaction);
    // A table may have got a column of a type that is younger.
    for (const object of objects) this.#put(object);
    for (const change of pending) this.pend(change);
    this.version++;
  }

  get schemas(): string[] {
    return this.#schemas.names;
  }

  /** The OID of the new schema; 0 when it is there and that was allowed. `path`: of who makes it. */
  createSchema(name: string, ifNotExists: boolean, owner = BOOTSTRAP, path: string[] = []): number {
    if (this.schemaOid(name, path) !== 0) {
      if (ifNotExists) return 0;
      throw new SqlError('42P06', `schema "${name}" already exists`);
    }
    const oid = this.newOid();
    this.#schemas.add(name, oid);
    this.rights.setSchema(this.#schemas.place(oid), { owner, acl: this.rights.aclOfNew('schema', owner, null) });
    this.version++;
    return oid;
  }

  dropSchema(oid: number): void {
    const name = this.#schemas.nameOf(oid) as string;
    this.#endOpen(oid);
    const place = this.#schemas.place(oid);
    this.rights.dropSchema(place);
    this.schemaComments.delete(place);
    const next = this.#schemas.remove(oid);
    if (next !== null) {
      this.rights.moveSchema(next, name);
      const comment = this.schemaComments.get(next);
      if (comment !== undefined) this.schemaComments.set(name, comment);
      this.schemaComments.delete(next);
    }
    this.version++;
  }

  hasSchema(name: string): boolean {
    return this.#schemas.oids(name).length > 0;
  }

  /** Undefined: no schema has the OID. */
  schemaNamed(oid: number): string | undefined {
    return this.#schemas.nameOf(oid);
  }

  /** All that there are, also two of one name. */
  get schemaOids(): number[] {
    return this.#schemas.names.flatMap((name) => this.#schemas.oids(name));
  }

  placeOfSchemaAt(oid: number): string {
    return this.#schemas.place(oid);
  }

  /** Under which name its rights and its comment are kept. */
  placeOfSchema(name: string, path: string[]): string {
    return this.#schemas.place(this.schemaOid(name, path)) || name;
  }

  /** There is one, and who has this search path sees it. */
  seesSchema(name: string, searchPath: string[]): boolean {
    return this.#schemas.oids(name).some((oid) => this.isSeen(oid, searchPath));
  }

  /** False for what another transaction has made that has not ended, and for what the own one has dropped. */
  isSeen(oid: number, searchPath: string[]): boolean {
    const transaction = this.open.get(oid);
    if (transaction !== undefined && !searchPath.includes(openMark(transaction))) return false;
    return this.going.size === 0 || !this.isGone(oid, searchPath);
  }

  /** A transaction that has not ended has made or dropped something. */
  get hasOpen(): boolean {
    return this.open.size > 0 || this.going.size > 0 || this.pending.size > 0;
  }

  /** The transaction whose path this is has dropped it. */
  isGone(oid: number, searchPath: string[]): boolean {
    const transaction = this.going.get(oid);
    return transaction !== undefined && searchPath.includes(openMark(transaction));
  }

  /** What is there but for what the transaction has dropped whose path this is. */
  there(searchPath: string[]): CatalogObject[] {
    return this.going.size === 0 ? this.objects() : this.objects().filter(({ oid }) => !this.isGone(oid, searchPath));
  }

  /** For the transaction these are gone. */
  leave(oids: number[], transaction: number): void {
    for (const oid of oids) this.going.set(oid, transaction);
    this.version++;
  }

  /** A transaction has dropped these in vain. */
  stay(oids: number[]): void {
    for (const oid of oids) this.going.delete(oid);
    this.version++;
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

  /** pg_namespace.oid of a schema; 0 when there is none. `path`: what its transaction has dropped is none. */
  schemaOid(name: string, path: string[] = []): number {
    return this.#schemas.oids(name).find((oid) => !this.isGone(oid, path)) ?? 0;
  }

  /** OID of the role whose the object is, for who has this search path. */
  ownerOf(object: CatalogObject, searchPath: string[] = []): number {
    const table = object.kind === 'index' ? object.on : object.kind === 'sequence' ? object.owner?.table : undefined;
    const of = table === undefined ? object : (this.#objects.get(table) ?? object);
    return this.pending.rightsOf(of.oid, searchPath)?.owner ?? of.ownedBy ?? BOOTSTRAP;
  }

  /** Objects in creation order: what a view reads comes before it. */
  objects(): CatalogObject[] {
    return [...this.#objects.values()];
  }

  /** Those that who has this search path sees. */
  seen(searchPath: string[]): CatalogObject[] {
    if (!this.hasOpen) return this.objects();
    const seen = this.objects().filter(({ oid }) => this.isSeen(oid, searchPath));
    return this.pending.size === 0 ? seen : seen.map((object) => this.pending.asSeen(object, searchPath));
  }

  get(oid: number): CatalogObject | undefined {
    return this.#objects.get(oid);
  }

  /** The object of this name in this very schema, be it another transaction's. */
  in(schema: string, name: string, searchPath: string[]): CatalogObject | undefined {
    return this.#places.at(relationPlace(schema, name), searchPath);
  }

  /** What an object is called for who has this search path. */
  nameOf({ oid, name }: CatalogObject, searchPath: string[]): string {
    return this.pending.nameOf(oid, searchPath) ?? name;
  }

  #named(oid: number, name: string): CatalogObject {
    return { ...(this.#objects.get(oid) as CatalogObject), name } as CatalogObject;
  }

  /** For its transaction an object is changed; a name that it has given it is taken for all. */
  pend(change: PendingChange): void {
    this.pending.add(change);
    if (change.k === 'name') this.#places.take(this.#named(change.oid, change.name));
    this.version++;
  }

  /** These are its transaction's no more. */
  unpend(gone: (change: PendingChange) => boolean): void {
    for (const change of this.pending.remove(gone))
      if (change.k === 'name') this.#places.free(this.#named(change.oid, change.name));
    this.version++;
  }

  /** What goes, or has gone, is no transaction's. */
  #endOpen(oid: number): void {
    if (this.pending.size > 0) this.unpend((change) => change.oid === oid);
    this.open.delete(oid);
    this.going.delete(oid);
  }

  /** By schema, or by the search path; another session's temporary objects are not found. */
  find(schema: string | undefined, name: string, searchPath: string[] = ['public']): CatalogObject | undefined {
    for (const s of schemasOf(schema, searchPath)) {
      const object = this.in(s, name, searchPath);
      if (object === undefined || !this.isSeen(object.oid, searchPath)) continue;
      if (this.pending.size > 0 && this.nameOf(object, searchPath) !== name) continue;
      if (isTemporary(s) && !searchPath.includes(s)) {
        throw new SqlError('0A000', 'cannot access temporary tables of other sessions');
      }
      return object;
    }
    return undefined;
  }

  /** Throws when add() would: a statement that waits for something may find the catalog changed. `path`: of who makes it. */
  check(object: CatalogObject, path: string[]): void {
    checkFree(this, object, object.name, path);
    checkStaying(this, object.dependencies, path);
    checkThere(this, object);
  }

  /** `transaction`: that which makes it, if it sees it alone until it ends. Indexes and sequences of a table are as open as that. */
  add(object: CatalogObject, transaction?: number): void {
    const isPart = object.kind === 'index' || object.kind === 'sequence';
    const whole = isPart ? object.dependencies.find((oid) => this.open.has(oid)) : undefined;
    const by = transaction ?? this.open.get(whole ?? 0);
    this.check(object, by === undefined ? [] : [openMark(by)]);
    if (by !== undefined) this.open.set(object.oid, by);
    this.#put(object);
  }

  #put(object: CatalogObject): void {
    if (object.kind === 'type') setUserType(object.type, this);
    this.#objects.set(object.oid, object);
    this.#places.take(object);
    this.version++;
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
  ofServer<K extends ServerKind>(
    kind: K,
    name: string,
    searchPath: string[] = [],
  ): Extract<CatalogObject, { kind: K }> | undefined {
    const object = this.#places.at(serverPlace(kind, name), searchPath);
    return object?.kind === kind ? (object as Extract<CatalogObject, { kind: K }>) : undefined;
  }

  /** For who has this search path. */
  seenExtension(name: string, searchPath: string[]): ExtensionObject | undefined {
    const found = this.ofServer('extension', name, searchPath);
    return found !== undefined && this.isSeen(found.oid, searchPath) ? found : undefined;
  }

  /** The type of this name in this very schema. */
  typeIn(schema: string, name: string, searchPath: string[]): TypeObject | undefined {
    const object = this.#places.at(typePlace(schema, name), searchPath);
    return object?.kind === 'type' ? object : undefined;
  }

  findType(schema: string | undefined, name: string, searchPath: string[]): TypeObject | undefined {
    for (const s of schema === undefined ? searchPath : schemasOf(schema, searchPath)) {
      const object = this.typeIn(s, name, searchPath);
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
  functionOf(schema: string, name: string, args: number[], searchPath: string[]): FunctionObject | undefined {
    const object = this.#places.at(functionPlace(schema, name, args), searchPath);
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

  /** Gives an object another name in its schema; 42P07 when it is taken. */
  rename(object: CatalogObject, name: string, path: string[] = []): void {
    checkFree(this, object, name, path);
    this.setName(object, name);
  }

  setName(object: CatalogObject, name: string): void {
    this.#places.free(object);
    object.name = name;
    if (object.kind === 'function') object.proc = { ...object.proc, name };
    this.#places.take(object);
    if ('relation' in object) object.relation.name = name;
    this.version++;
  }

  /** Puts an object into another schema, where its name is free. */
  move(object: CatalogObject, schema: string): void {
    if (object.kind === 'function') checkFree(this, object, object.name, [], schema);
    this.#places.free(object);
    object.schema = schema;
    if (object.kind === 'function') {
      const { proc } = object;
      object.proc = { ...proc, namespace: this.schemaOid(schema), made: { ...proc.made!, schema } };
    }
    this.#places.take(object);
    if ('relation' in object) object.relation.schema = schema;
    this.version++;
  }

  remove(oid: number): void {
    const object = this.#objects.get(oid);
    if (object === undefined) return;
    this.#endOpen(oid);
    this.#objects.delete(oid);
    this.#places.free(object);
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
      const own = object !== undefined && 'relation' in object ? this.relationByOid(object.oid, searchPath) : null;
      const found = own ?? this.#system.relation(s, name);
      if (found !== null) return found.name === name ? found : { ...found, name };
    }
    return null;
  }

  /** What the planner sees under a search path. */
  reader(searchPath: string[]): CatalogReader {
    return {
      relation: (schema, name) => this.relation(schema, name, searchPath),
      relationByOid: (oid) => this.relationByOid(oid, searchPath),
      uniqueKeys: (relation) => this.uniqueKeys(relation, searchPath),
      typeNamed: (schema, name) => this.typeNamed(schema, name, searchPath),
      functionsNamed: (schema, name) => this.findFunctions(schema, name, searchPath).map(({ proc }) => proc),
      extension: (name) => this.seenExtension(name, searchPath),
      tableFunction: (schema, name, args) => this.#system.tableFunction(schema, name, args, searchPath),
    };
  }

  relationByOid(oid: number, searchPath: string[] = []): Relation | null {
    const object = this.#objects.get(oid);
    if (object !== undefined && 'relation' in object)
      return readRelation(object.relation, this.pending.tableChanges(oid, searchPath));
    return this.#system.relationByOid(oid);
  }

  /** `searchPath`: for its transaction there are none of what it has dropped. */
  uniqueKeys(relation: Relation, searchPath: string[] = []): UniqueKey[] {
    const keys = primaryKeyOf(relation);
    for (const index of this.#parts.now().uniques.get(relation.oid) ?? [])
      if (!this.isGone(index.oid, searchPath)) keys.push(keyOfIndex(relation, index));
    return keys;
  }

  /** `searchPath`: as for uniqueKeys(). */
  referencing(oid: number, searchPath: string[] = []): Reference[] {
    return this.#parts.referencing(oid, searchPath);
  }

  tableFunction(schema: string | undefined, name: string, args: (string | null)[]): Relation | null {
    return this.#system.tableFunction(schema, name, args);
  }
}
