/** What has an owner and privileges, whichever it is: relations, types, schemas, the database. */
import { quoteIdent } from '../../operators/expr/text/quote.ts';
import { formatType } from '../../planner/types/type_name.ts';
import { type CatalogObject, type FunctionObject, KIND_NAMES } from '../catalog/objects.ts';
import { setRights } from '../catalog/pending.ts';
import { isOfServer } from '../catalog/places.ts';
import type { SecuredKind } from '../catalog/privileges.ts';
import type { Secured } from '../catalog/rights.ts';
import { rightsOf, rightsOfDatabase, rightsOfSchema } from '../catalog/rights_seen.ts';
import type { TidemarkEngine } from './engine.ts';

export interface Securable extends Secured {
  kind: SecuredKind;
  /** 0: the database. */
  oid: number;
  name: string;
  /** As messages call it: table t. */
  words: string;
  /** As GRANT calls it: TABLE s.t. */
  sql: string;
  set(rights: Secured): void;
}

export function isSecured(object: CatalogObject): boolean {
  return object.kind !== 'index' && !isOfServer(object.kind);
}

export function securedKind({ kind }: CatalogObject): SecuredKind {
  return kind === 'sequence' || kind === 'type' || kind === 'function' ? kind : 'table';
}

/** As GRANT and DROP name a function by them. */
export function argumentsText({ proc }: FunctionObject): string {
  return `(${proc.args.map((type) => formatType(type)).join(',')})`;
}

/** `path`: its transaction may have given it another name, by which the log will know it, another owner and other privileges. */
export function objectSecurable({ catalog }: TidemarkEngine, object: CatalogObject, path: string[] = []): Securable {
  const name = catalog.nameOf(object, path);
  const kind = securedKind(object);
  const args = object.kind === 'function' ? argumentsText(object) : '';
  return {
    kind,
    oid: object.oid,
    name,
    words: `${KIND_NAMES[object.kind]} ${name}${args}`,
    sql: `${kind.toUpperCase()} ${quoteIdent(object.schema)}.${quoteIdent(name)}${args}`,
    ...rightsOf(catalog, object, path),
    set(rights) {
      setRights(object, rights);
      catalog.version++;
    },
  };
}

/** `path`: what its transaction has dropped is none, and a schema may have been made anew. */
export function schemaSecurable(engine: TidemarkEngine, name: string, path: string[] = []): Securable {
  return securableAt(engine, engine.catalog.schemaOid(name, path), name, path);
}

function securableAt({ catalog }: TidemarkEngine, oid: number, name: string, path: string[] = []): Securable {
  const place = catalog.placeOfSchemaAt(oid) || name;
  return {
    kind: 'schema',
    oid,
    name,
    words: `schema ${name}`,
    sql: `SCHEMA ${quoteIdent(name)}`,
    ...rightsOfSchema(catalog, oid, place, path),
    set(rights) {
      catalog.rights.setSchema(place, rights);
      catalog.version++;
    },
  };
}

/** The one database, under the session's name of it. */
export function databaseSecurable({ catalog }: TidemarkEngine, name: string, path: string[] = []): Securable {
  return {
    kind: 'database',
    oid: 0,
    name,
    words: `database ${name}`,
    sql: `DATABASE ${quoteIdent(name)}`,
    ...rightsOfDatabase(catalog, path),
    set(rights) {
      catalog.rights.database = rights;
      catalog.version++;
    },
  };
}

/** All that there is, in the order in which it was made. `path`: as its transaction has changed it, and without what that has dropped. */
export function allSecurables(engine: TidemarkEngine, path: string[] = []): Securable[] {
  const { catalog } = engine;
  return [
    ...catalog
      .there(path)
      .filter(isSecured)
      .map((object) => objectSecurable(engine, object, path)),
    ...catalog.schemaOids
      .filter((oid) => !catalog.isGone(oid, path))
      .map((oid) => securableAt(engine, oid, catalog.schemaNamed(oid) as string, path)),
    databaseSecurable(engine, 'tidemark', path),
  ];
}
