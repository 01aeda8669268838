/** Statements about roles, privileges and owners. */
import type { FunctionName } from './ast.ts';

export type RoleSpec = { k: 'name'; name: string; location: number } | { k: 'current' | 'session' | 'public' };

/** What CREATE ROLE and ALTER ROLE say; absent: nothing was said. */
export interface RoleOptions {
  superuser?: boolean;
  inherit?: boolean;
  createRole?: boolean;
  createDb?: boolean;
  login?: boolean;
  replication?: boolean;
  bypassRls?: boolean;
  connectionLimit?: number;
  /** As it was given: in the clear, or a verifier that the client has made. Null: PASSWORD NULL. */
  password?: string | null;
  validUntil?: string;
  /** IN ROLE. */
  memberOf?: RoleSpec[];
  /** ROLE, ADMIN. */
  members?: RoleSpec[];
  admins?: RoleSpec[];
}

export interface Privilege {
  /** In capitals. */
  name: string;
  columns: string[];
}

export interface GrantStatement {
  k: 'grant';
  isGrant: boolean;
  /** Null: ALL. */
  privileges: Privilege[] | null;
  on: GrantTarget;
  to: RoleSpec[];
  /** WITH GRANT OPTION, or GRANT OPTION FOR. */
  grantOption: boolean;
  grantor: RoleSpec | null;
  cascade: boolean;
}

export type GrantedKind = 'table' | 'sequence' | 'schema' | 'database' | 'type';

export type GrantTarget =
  | { k: 'objects'; kind: GrantedKind; names: { schema?: string; name: string }[] }
  | { k: 'all_in_schema'; kind: 'table' | 'sequence'; schemas: string[] };

/** Kinds of objects that ALTER DEFAULT PRIVILEGES names. */
export type DefaultKind = 'table' | 'sequence' | 'schema' | 'type' | 'function';

export type RoleStatement =
  | { k: 'create_role'; name: string; word: 'role' | 'user' | 'group'; options: RoleOptions }
  | { k: 'alter_role'; role: RoleSpec; options: RoleOptions }
  | { k: 'alter_group'; role: RoleSpec; add: boolean; members: RoleSpec[] }
  /** ALTER ROLE ... SET; role null: ALL. values null: RESET; name null: RESET ALL. */
  | { k: 'alter_role_set'; role: RoleSpec | null; name: string | null; values: (string | number)[] | null }
  | { k: 'rename_role'; name: string; to: string }
  | { k: 'drop_role'; roles: RoleSpec[]; ifExists: boolean }
  | {
      k: 'grant_role';
      isGrant: boolean;
      roles: string[];
      to: RoleSpec[];
      /** WITH ADMIN OPTION, or ADMIN OPTION FOR. */
      admin: boolean;
      grantor: RoleSpec | null;
      cascade: boolean;
    }
  | GrantStatement
  | {
      k: 'default_privileges';
      /** Null: of the current role. */
      roles: RoleSpec[] | null;
      /** Null: in every schema. */
      schemas: string[] | null;
      kind: DefaultKind;
      isGrant: boolean;
      privileges: Privilege[] | null;
      to: RoleSpec[];
      grantOption: boolean;
      cascade: boolean;
    }
  | { k: 'alter_owner'; kind: 'schema' | 'type' | 'database'; schema?: string; name: string; owner: RoleSpec }
  | ({ k: 'alter_owner'; kind: 'function'; owner: RoleSpec } & FunctionName)
  | { k: 'reassign_owned'; roles: RoleSpec[]; to: RoleSpec }
  | { k: 'drop_owned'; roles: RoleSpec[]; cascade: boolean };
