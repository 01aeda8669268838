/**
 * Owners and privileges of what is no object of the catalog: schemas, the database; and what new objects get (ALTER DEFAULT PRIVILEGES). Those of objects lie with
 * them (`ownedBy`, `acl`).
 */
import { type Acl, CREATE, defaultAcl, merged, privilegesOf, type SecuredKind, USAGE } from './privileges.ts';
import { BOOTSTRAP, PUBLIC, type Roles } from './roles.ts';

/** An owner, and who was given what; acl null: what the kind has by default. */
export interface Secured {
  owner: number;
  acl: Acl | null;
}

export interface DefaultAcl {
  role: number;
  /** Place of the schema (Catalog.placeOfSchema); null: any. */
  schema: string | null;
  kind: SecuredKind;
  acl: Acl;
}

export interface SavedRights {
  schemas: [name: string, rights: Secured][];
  database: Secured;
  defaults: DefaultAcl[];
}

const PG_DATABASE_OWNER = 6171;

function openTo(owner: number): Secured {
  const acl = [
    { grantee: owner, grantor: owner, privileges: USAGE | CREATE, grantable: 0 },
    { grantee: PUBLIC, grantor: owner, privileges: USAGE, grantable: 0 },
  ];
  return { owner, acl };
}

export class Rights {
  readonly #schemas = new Map<string, Secured>([
    ['public', openTo(PG_DATABASE_OWNER)],
    ['pg_catalog', openTo(BOOTSTRAP)],
    ['information_schema', openTo(BOOTSTRAP)],
    ['tidemark', openTo(BOOTSTRAP)],
  ]);
  database: Secured = { owner: BOOTSTRAP, acl: null };
  defaults: DefaultAcl[] = [];

  save(): SavedRights {
    return { schemas: [...this.#schemas], database: this.database, defaults: this.defaults };
  }

  load({ schemas, database, defaults }: SavedRights): void {
    this.#schemas.clear();
    for (const [name, rights] of schemas) this.#schemas.set(name, rights);
    this.database = database;
    this.defaults = defaults;
  }

  schema(name: string): Secured {
    return this.#schemas.get(name) ?? { owner: BOOTSTRAP, acl: null };
  }

  setSchema(name: string, rights: Secured): void {
    this.#schemas.set(name, rights);
  }

  dropSchema(name: string): void {
    this.#schemas.delete(name);
    this.defaults = this.defaults.filter(({ schema }) => schema !== name);
  }

  /** What was kept under one name is from now on kept under another. */
  moveSchema(from: string, to: string): void {
    this.#schemas.set(to, this.schema(from));
    this.#schemas.delete(from);
    this.defaults = this.defaults.map((one) => (one.schema === from ? { ...one, schema: to } : one));
  }

  /** The list that a new object of a role gets, in the schema with this place; null: none of its own. */
  aclOfNew(kind: SecuredKind, owner: number, schema: string | null): Acl | null {
    const of = (where: string | null) =>
      this.defaults.find((d) => d.role === owner && d.kind === kind && d.schema === where)?.acl;
    const everywhere = of(null);
    const here = schema === null ? undefined : of(schema);
    if (everywhere === undefined && here === undefined) return null;
    return merged([...(everywhere ?? defaultAcl(kind, owner)), ...(here ?? [])]);
  }
}

/** Members of these may do so with everything. */
const READ_ALL = 'pg_read_all_data';
const WRITE_ALL = 'pg_write_all_data';

/** What a role that is no superuser may do with something. `reads`, `writes`: what members of pg_read_all_data and pg_write_all_data may do besides. */
export function maskOf(
  roles: Roles,
  role: number,
  kind: SecuredKind,
  { owner, acl }: Secured,
  reads: number,
  writes: number,
): number {
  const mine = roles.rightsOf(role);
  let mask = privilegesOf(acl ?? defaultAcl(kind, owner), mine);
  if (reads !== 0 && mine.has(roles.named(READ_ALL).oid)) mask |= reads;
  if (writes !== 0 && mine.has(roles.named(WRITE_ALL).oid)) mask |= writes;
  return mask;
}
