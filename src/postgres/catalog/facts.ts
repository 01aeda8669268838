/**
 * What the catalog relations are made of: schemas, relations and indexes of the engine beside PostgreSQL's own, with the OIDs that
 * rows name them by. Made anew when the catalog has changed.
 *
 * | engine                           | relkind |                                                                        |
 * |----------------------------------|---------|------------------------------------------------------------------------|
 * | table, stream                    | r       | tools show and query both                                              |
 * | view, relations of tidemark      | v       |                                                                        |
 * | materialized view                | m       |                                                                        |
 * | index, index of a primary key    | i       | the latter is no object of the engine: <table>_pkey, OID by oids.ts    |
 * | sequence                         | S       |                                                                        |
 * | sink                             |         | has no rows: tidemark.sinks                                            |
 */
import { quoteIdent } from '../../../operators/expr/text/quote.ts';
import type { ColType } from '../../../operators/types.ts';
import type { Relation } from '../../../planner/catalog_reader.ts';
import { systemTable } from '../../../planner/types/catalog_table.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type {
  CatalogObject,
  CheckConstraint,
  ColumnDefault,
  ComputedIndexText,
  ForeignKey,
  GeneratedColumn,
  IndexObject,
  IndexWords,
  KeyWords,
} from '../../catalog/objects.ts';
import type { Acl } from '../../catalog/privileges.ts';
import { rightsOfSchema } from '../../catalog/rights_seen.ts';
import type { TidemarkEngine } from '../../runtime/engine.ts';
import { writtenExpression } from './check_text.ts';
import { type CommentFacts, commentsOf } from './comments.ts';
import { type ConstraintFacts, constraintsOf } from './constraints.ts';
import { OWNER, PG_CATALOG, PG_TOAST, primaryConstraintOid, primaryIndexOid, uniqueConstraintOid } from './oids.ts';
import { type SystemRelation, systemRelations } from './system_relations.ts';

export interface SchemaFacts {
  oid: number;
  name: string;
  /** Catalog.placeOfSchema. */
  place: string;
  owner: number;
  acl: Acl | null;
  comment: string | null;
}

/** A column of an index. */
export interface IndexKey {
  /** The relation's column; null: an expression. */
  column: number | null;
  name: string;
  type: ColType;
  /** As CREATE INDEX has it, without the words behind it; `pretty`: with as few brackets as will do. */
  text: string;
  pretty: string;
}

/** What CREATE INDEX says when it says nothing. */
const NO_WORDS: KeyWords = { collation: null, opclass: null, descending: false, nullsFirst: false };

export interface IndexFacts {
  oid: number;
  name: string;
  table: RelationFacts;
  /** Column positions; of one over expressions, or over a part of the rows, all that it reads. */
  columns: number[];
  keys: IndexKey[];
  /** For each key. */
  words: KeyWords[];
  /** The columns of INCLUDE. */
  include: IndexKey[];
  /** Name of the access method. */
  method: string;
  options: IndexWords['options'];
  computed: ComputedIndexText | null;
  unique: boolean;
  nullsEqual: boolean;
  /** OID of the constraint that it serves; null: none. */
  constraint: number | null;
  /** The constraint is the PRIMARY KEY. */
  primary: boolean;
}

export interface RelationFacts {
  oid: number;
  name: string;
  schema: SchemaFacts;
  relkind: 'r' | 'v' | 'm' | 'S';
  /** pg_authid.oid. */
  owner: number;
  relation: Relation;
  /** The engine's object; null for system relations. */
  object: CatalogObject | null;
  /** The relation as PostgreSQL lists it; null for relations that it has not. */
  system: SystemRelation | null;
  /** Identity columns have none to show. */
  defaults: (ColumnDefault | null)[];
  indexes: IndexFacts[];
  checks: CheckConstraint[];
  foreignKeys: ForeignKey[];
  generated: GeneratedColumn[];
}

export class CatalogFacts {
  readonly engine: TidemarkEngine;
  readonly version: number;
  /** The search path of those whose facts these are, or another with the same mark of a transaction. */
  readonly path: string[];
  /** What is seen by those whose facts these are. */
  readonly objects: CatalogObject[];
  readonly schemas: SchemaFacts[];
  /** Relations that a client can name in FROM: PostgreSQL's, the tidemark schema's, the users'. */
  readonly relations: RelationFacts[];
  /** Those that are not PostgreSQL's own. */
  readonly own: RelationFacts[];
  readonly indexes: IndexFacts[];
  #constraints: ConstraintFacts[] | null = null;
  #comments: CommentFacts[] | null = null;
  #commentsByPlace: Map<string, string> | null = null;
  readonly #byOid = new Map<number, RelationFacts>();
  readonly #indexByOid = new Map<number, IndexFacts>();
  readonly #byName = new Map<string, RelationFacts | IndexFacts>();

  constructor(engine: TidemarkEngine, searchPath: string[]) {
    this.engine = engine;
    this.version = engine.catalogVersion;
    this.path = searchPath;
    this.objects = engine.catalog.seen(searchPath);
    this.schemas = schemasOf(engine, searchPath);
    const schema = (name: string): SchemaFacts => {
      const found = this.schemas.find((s) => s.name === name);
      if (found === undefined) throw new Error(`relation in the unknown schema ${name}`);
      return found;
    };
    const system = systemRelations().map((r) => systemFacts(r, schema(r.schema)));
    const figures = engine.system.figures().map((r) => plainFacts(r, schema(r.schema), 'v', null));
    const { catalog } = engine;
    const users = this.objects.flatMap((object) => {
      const relkind = relkindOf(object);
      return relkind === null || !('relation' in object)
        ? []
        : [withoutGone(plainFacts(object.relation, schema(object.schema), relkind, object), catalog, searchPath)];
    });
    this.own = [...figures, ...users];
    this.relations = [...system, ...this.own];
    for (const r of this.relations) this.#byOid.set(r.oid, r);
    this.indexes = this.#indexes();
    for (const i of this.indexes) this.#indexByOid.set(i.oid, i);
    for (const i of this.indexes) this.#byName.set(`${i.table.schema.name}.${i.name}`, i);
    for (const r of this.relations) this.#byName.set(`${r.schema.name}.${r.name}`, r);
  }

  #indexes(): IndexFacts[] {
    const indexes: IndexFacts[] = this.own.flatMap((table) => {
      const key = primaryKeyOf(table);
      if (key === null) return [];
      return [
        {
          oid: primaryIndexOid(table.oid),
          name: `${table.name}_pkey`,
          table,
          columns: key,
          ...keysOf(table.relation, { columns: key }),
          computed: null,
          unique: true,
          nullsEqual: false,
          constraint: primaryConstraintOid(table.oid),
          primary: true,
        },
      ];
    });
    for (const object of this.objects) {
      const table = object.kind === 'index' ? this.#byOid.get(object.on) : undefined;
      if (object.kind !== 'index' || table === undefined) continue;
      const { oid, name, columns, unique, computed = null, nullsEqual = false } = object;
      const constraint = object.constraint ? uniqueConstraintOid(oid) : null;
      const keys = keysOf(table.relation, object);
      indexes.push({ oid, name, table, columns, ...keys, computed, unique, nullsEqual, constraint, primary: false });
    }
    for (const index of indexes) index.table.indexes.push(index);
    return indexes;
  }

  get constraints(): ConstraintFacts[] {
    this.#constraints ??= constraintsOf(this);
    return this.#constraints;
  }

  get comments(): CommentFacts[] {
    this.#comments ??= commentsOf(this);
    return this.#comments;
  }

  /** The comment on an object that the catalog `classoid` lists; `objsubid`: its column. */
  comment(classoid: number, objoid: number, objsubid: number): string | null {
    this.#commentsByPlace ??= new Map(
      this.comments.map((c) => [`${c.classoid}/${c.objoid}/${c.objsubid}`, c.description]),
    );
    return this.#commentsByPlace.get(`${classoid}/${objoid}/${objsubid}`) ?? null;
  }

  relation(oid: number): RelationFacts | undefined {
    return this.#byOid.get(oid);
  }

  index(oid: number): IndexFacts | undefined {
    return this.#indexByOid.get(oid);
  }

  /** A relation or an index. */
  named(schema: string, name: string): RelationFacts | IndexFacts | undefined {
    return this.#byName.get(`${schema}.${name}`);
  }

  schema(oid: number): SchemaFacts | undefined {
    return this.schemas.find((s) => s.oid === oid);
  }
}

function keysOf(
  { columns: all }: Relation,
  { columns, computed, words }: Pick<IndexObject, 'columns' | 'computed' | 'words'>,
): Pick<IndexFacts, 'keys' | 'words' | 'include' | 'method' | 'options'> {
  const ofColumn = (column: number): IndexKey => {
    const { name, type } = all[column];
    return { column, name, type, text: quoteIdent(name), pretty: quoteIdent(name) };
  };
  const keys = (computed?.parts ?? columns).map((part, i): IndexKey => {
    if (typeof part === 'number') return ofColumn(part);
    const type = (computed as ComputedIndexText).shape.keys[i].t;
    const { name, call, text } = part;
    if (call) return { column: null, name, type, text, pretty: text };
    return { column: null, name, type, text: `(${writtenExpression(part)})`, pretty: `(${text})` };
  });
  return {
    keys,
    words: words?.keys ?? keys.map(() => NO_WORDS),
    include: (words?.include ?? []).map(ofColumn),
    method: words?.method ?? 'btree',
    options: words?.options ?? [],
  };
}

/** OID of the schema that the server's own figures are in. */
export function figuresSchema({ schemas }: CatalogFacts): number {
  return schemas.find(({ name }) => name === 'tidemark')?.oid ?? 0;
}

/** Columns of a declared primary key; the proved key of a view is none. */
function primaryKeyOf(relation: RelationFacts): number[] | null {
  return relation.relkind === 'r' && relation.object !== null ? relation.relation.key : null;
}

function relkindOf(object: CatalogObject): RelationFacts['relkind'] | null {
  switch (object.kind) {
    case 'table':
    case 'stream':
      return 'r';
    case 'view':
      return 'v';
    case 'materialized_view':
      return 'm';
    case 'sequence':
      return 'S';
    default:
      return null;
  }
}

/** With its owner, and without what has nothing to be of: the transaction whose path this is has dropped that. */
function withoutGone(facts: RelationFacts, catalog: Catalog, searchPath: string[]): RelationFacts {
  const isGone = (oid: number) => catalog.isGone(oid, searchPath);
  return {
    ...facts,
    owner: catalog.ownerOf(facts.object as CatalogObject, searchPath),
    defaults: facts.defaults.map((value) => (value?.sequences.some(isGone) ? null : value)),
    foreignKeys: facts.foreignKeys.filter(({ references }) => !isGone(references)),
  };
}

function systemFacts(system: SystemRelation, schema: SchemaFacts): RelationFacts {
  return { ...plainFacts(system, schema, system.relkind, null), system };
}

function plainFacts(
  relation: Relation,
  schema: SchemaFacts,
  relkind: RelationFacts['relkind'],
  object: CatalogObject | null,
): RelationFacts {
  const defaults = relation.columns.map(({ identity }, i) =>
    object !== null && 'defaults' in object && identity === undefined ? object.defaults[i] : null,
  );
  return {
    oid: relation.oid,
    name: relation.name,
    schema,
    relkind,
    owner: OWNER,
    relation,
    object,
    system: null,
    defaults,
    indexes: [],
    checks: object !== null && 'checks' in object ? object.checks : [],
    foreignKeys: object !== null && 'foreignKeys' in object ? object.foreignKeys : [],
    generated: object !== null && 'generated' in object ? object.generated : [],
  };
}

function schemasOf({ catalog }: TidemarkEngine, searchPath: string[]): SchemaFacts[] {
  const t = systemTable('pg_namespace');
  const builtIn = Array.from({ length: t.rowCount }, (_, r) => ({
    // DROP SCHEMA public; CREATE SCHEMA public: it has an OID of its own then.
    oid: catalog.schemaOid(t.text(r, 'nspname'), searchPath) || t.number(r, 'oid'),
    name: t.text(r, 'nspname'),
  }));
  const known = new Set(builtIn.map((s) => s.name));
  const exists = (s: Pick<SchemaFacts, 'oid' | 'name'>) =>
    s.oid === PG_CATALOG || s.oid === PG_TOAST || catalog.seesSchema(s.name, searchPath);
  const users = catalog.schemas
    .filter((name) => !known.has(name) && catalog.seesSchema(name, searchPath))
    .map((name) => ({ oid: catalog.schemaOid(name, searchPath), name }));
  return [...builtIn.filter(exists), ...users].map((s) => {
    const place = catalog.placeOfSchema(s.name, searchPath);
    const { owner, acl } = rightsOfSchema(catalog, s.oid, place, searchPath);
    const comment = catalog.pending.commentOf(s.oid, 'object', searchPath);
    return {
      ...s,
      place,
      owner,
      acl,
      comment: comment === undefined ? (catalog.schemaComments.get(place) ?? null) : comment,
    };
  });
}
