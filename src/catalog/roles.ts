/**
 * Roles and who is a member of whom. OIDs 10 and below 16384 are the server's own: the bootstrap superuser `tidemark`, and PostgreSQL's predefined groups, which
 * have no rights but those that PostgreSQL gives their members.
 *
 *   tidemark (10, superuser)   pg_read_all_data, pg_monitor, ...   roles that users made (16384 ...)
 *
 * A password is kept as a SCRAM verifier only.
 */
import { SqlError } from '../../operators/errors.ts';
import { FIRST_USER_OID } from '../../operators/types.ts';
import { systemTable } from '../../planner/types/catalog_table.ts';

/** The superuser that every server has. */
export const BOOTSTRAP = 10;
export const BOOTSTRAP_NAME = 'tidemark';
/** Whom GRANT ... TO PUBLIC means. */
export const PUBLIC = 0;

export interface Role {
  oid: number;
  name: string;
  superuser: boolean;
  inherit: boolean;
  createRole: boolean;
  createDb: boolean;
  login: boolean;
  replication: boolean;
  bypassRls: boolean;
  /** -1: no limit. */
  connectionLimit: number;
  /** SCRAM-SHA-256$iterations:salt$stored:server; null: none. */
  password: string | null;
  /** Microseconds since 2000-01-01; null: for ever. */
  validUntil: bigint | null;
  /** ALTER ROLE ... SET. */
  settings: [name: string, value: string][];
}

export interface Membership {
  role: number;
  member: number;
  grantor: number;
  admin: boolean;
}

export interface SavedRoles {
  roles: Role[];
  memberships: Membership[];
  /** ALTER ROLE ALL SET. */
  everyone: [name: string, value: string][];
}

export const NEW_ROLE: Omit<Role, 'oid' | 'name'> = {
  superuser: false,
  inherit: true,
  createRole: false,
  createDb: false,
  login: false,
  replication: false,
  bypassRls: false,
  connectionLimit: -1,
  password: null,
  validUntil: null,
  settings: [],
};

function ownRoles(): Role[] {
  const groups = systemTable('pg_authid');
  const all = { superuser: true, createRole: true, createDb: true, login: true, replication: true, bypassRls: true };
  return [
    { ...NEW_ROLE, ...all, oid: BOOTSTRAP, name: BOOTSTRAP_NAME },
    ...Array.from({ length: groups.rowCount }, (_, r) => ({
      ...NEW_ROLE,
      oid: groups.number(r, 'oid'),
      name: groups.text(r, 'rolname'),
    })),
  ];
}

export class Roles {
  readonly #byOid = new Map<number, Role>();
  readonly #byName = new Map<string, Role>();
  memberships: Membership[] = [];
  /** Moves with every change. */
  version = 0;
  everyone: SavedRoles['everyone'] = [];
  readonly #changed: () => void;
  /** By member: all that it is, itself and PUBLIC among them, and all whose rights it has without SET ROLE. */
  readonly #closures = new Map<number, { all: Set<number>; inherited: Set<number> }>();

  /** `changed` is called when anything of it has. */
  constructor(changed: () => void) {
    this.#changed = changed;
    for (const role of ownRoles()) this.#put(role);
  }

  save(): SavedRoles {
    const kept = this.all().filter((role) => role.oid === BOOTSTRAP || !this.isOwn(role.oid));
    return { roles: kept, memberships: this.memberships, everyone: this.everyone };
  }

  load({ roles, memberships, everyone }: SavedRoles): void {
    for (const role of roles) this.#put(role);
    this.memberships = memberships;
    this.everyone = everyone;
    this.touch();
  }

  #put(role: Role): void {
    this.#byOid.set(role.oid, role);
    this.#byName.set(role.name, role);
  }

  /** Something of a role has changed. */
  touch(): void {
    this.#closures.clear();
    this.version++;
    this.#changed();
  }

  /** In the order of their OIDs. */
  all(): Role[] {
    return [...this.#byOid.values()].sort((a, b) => a.oid - b.oid);
  }

  get(oid: number): Role | undefined {
    return this.#byOid.get(oid);
  }

  find(name: string): Role | undefined {
    return this.#byName.get(name);
  }

  /** 42704 when there is none. */
  named(name: string): Role {
    const role = this.#byName.get(name);
    if (role === undefined) throw new SqlError('42704', `role "${name}" does not exist`);
    return role;
  }

  /** Of a role that has gone, too. */
  nameOf(oid: number): string {
    return this.#byOid.get(oid)?.name ?? `unknown (OID=${oid})`;
  }

  /** One that no statement made. */
  isOwn(oid: number): boolean {
    return oid < FIRST_USER_OID;
  }

  add(role: Role): void {
    this.#put(role);
    this.touch();
  }

  rename(role: Role, name: string): void {
    this.#byName.delete(role.name);
    role.name = name;
    this.#byName.set(name, role);
    this.touch();
  }

  remove(role: Role): void {
    this.#byOid.delete(role.oid);
    this.#byName.delete(role.name);
    this.memberships = this.memberships.filter((m) => m.role !== role.oid && m.member !== role.oid);
    this.touch();
  }

  #closure(member: number): { all: Set<number>; inherited: Set<number> } {
    let closure = this.#closures.get(member);
    if (closure === undefined) {
      closure = { all: this.#reach(member, false), inherited: this.#reach(member, true) };
      this.#closures.set(member, closure);
    }
    return closure;
  }

  #reach(member: number, inherit: boolean): Set<number> {
    const reached = new Set([member]);
    for (const from of reached) {
      if (inherit && this.#byOid.get(from)?.inherit !== true) continue;
      for (const { role, member: of } of this.memberships) if (of === from) reached.add(role);
    }
    return reached;
  }

  isSuperuser(oid: number): boolean {
    return this.#byOid.get(oid)?.superuser === true;
  }

  /** Whether it is the role, or a member of it in any way; a superuser is one of all. */
  isMember(member: number, role: number): boolean {
    return this.isSuperuser(member) || this.#closure(member).all.has(role);
  }

  /** The same without superusers. */
  isMemberIndeed(member: number, role: number): boolean {
    return this.#closure(member).all.has(role);
  }

  /** Whether it has the role's rights without SET ROLE. */
  hasRightsOf(member: number, role: number): boolean {
    return this.isSuperuser(member) || this.#closure(member).inherited.has(role);
  }

  /** All roles whose rights it has without SET ROLE, itself first. */
  rightsOf(member: number): Set<number> {
    return this.#closure(member).inherited;
  }

  /** Whether it may make others members of the role. */
  isAdmin(member: number, role: number): boolean {
    if (this.isSuperuser(member)) return true;
    const { all } = this.#closure(member);
    return this.memberships.some((m) => m.role === role && m.admin && all.has(m.member));
  }
}
