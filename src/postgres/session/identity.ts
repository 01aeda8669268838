/**
 * Who a session is:
 *
 *   login                      as it came in
 *   SET SESSION AUTHORIZATION  session_user; only of a superuser's login
 *   SET ROLE                   current_user: whose rights count
 *
 * The names are settings, so that they come and go with transactions. A login under a name that is no role is the bootstrap superuser, who has that name then.
 */
import { SqlError } from '../../../operators/errors.ts';
import { isRestrictedFunction, mayCall } from '../../catalog/restricted_functions.ts';
import { BOOTSTRAP, type Roles } from '../../catalog/roles.ts';
import type { Login } from './login.ts';
import { AUTHORIZATION, ROLE, type Settings, type SettingsOwner } from './settings.ts';

/** A role that has gone while it was somebody's: it has no rights. */
const GONE = -1;

export class Identity implements SettingsOwner {
  readonly login: Login;
  readonly #roles: Roles | undefined;
  readonly #settings: Settings;

  constructor(login: Login, roles: Roles | undefined, settings: Settings) {
    this.login = login;
    this.#roles = roles;
    this.#settings = settings;
  }

  /** Moves when what names mean may have changed. */
  get version(): number {
    return this.#roles?.version ?? 0;
  }

  get session(): Login {
    const name = this.#settings.raw(AUTHORIZATION) ?? '';
    if (name === '' || name === this.login.user) return this.#called(this.login.role);
    return this.#called(this.#named(name) ?? GONE, name);
  }

  get current(): Login {
    const name = this.#settings.raw(ROLE) ?? 'none';
    return name === 'none' ? this.session : this.#called(this.#named(name) ?? GONE, name);
  }

  get isSuperuser(): boolean {
    return this.#isSuperuser(this.current.role);
  }

  #isSuperuser(role: number): boolean {
    return this.#roles === undefined ? role === BOOTSTRAP : this.#roles.isSuperuser(role);
  }

  /** A role under the name that it has by now. */
  #called(role: number, said = this.login.user): Login {
    const isLogin = role === BOOTSTRAP && this.login.role === BOOTSTRAP;
    return { role, user: isLogin ? this.login.user : (this.#roles?.get(role)?.name ?? said) };
  }

  #named(name: string): number | undefined {
    const found = this.#roles?.find(name)?.oid;
    return found ?? (name === this.login.user ? this.login.role : undefined);
  }

  /** Whether it has the rights of a role of the server's own. */
  #isIn(group: string): boolean {
    const roles = this.#roles;
    return roles?.hasRightsOf(this.current.role, roles.named(group).oid) === true;
  }

  /** Throws when the session may not end what a session of this role does. */
  checkSignal(role: number, does: string): void {
    if (this.isSuperuser) return;
    if (this.#isSuperuser(role))
      throw new SqlError('42501', `permission denied to ${does}`, {
        detail: 'Only superusers may do so with what superusers run.',
      });
    if (this.#roles?.hasRightsOf(this.current.role, role) || this.#isIn('pg_signal_backend')) return;
    throw new SqlError('42501', `permission denied to ${does}`, {
      detail: 'Only roles that have the rights of the role that runs it, or of "pg_signal_backend", may do so.',
    });
  }

  /** Throws when the session may not call a function of the catalog. */
  checkCall(name: string): void {
    if (!isRestrictedFunction(name) || this.isSuperuser) return;
    if (this.#roles !== undefined && mayCall(this.#roles, this.current.role, name)) return;
    throw new SqlError('42501', `permission denied for function ${name}`);
  }

  checkRole(setting: typeof AUTHORIZATION | typeof ROLE, name: string): void {
    if (setting === ROLE && name === 'none') return;
    const role = this.#named(name);
    if (role === undefined) throw new SqlError('22023', `role "${name}" does not exist`);
    if (setting === AUTHORIZATION) {
      if (role !== this.login.role && !this.#isSuperuser(this.login.role))
        throw new SqlError('42501', 'permission denied to set session authorization');
      return;
    }
    const session = this.session.role;
    if (session !== role && this.#roles?.isMember(session, role) !== true && !this.#isSuperuser(session))
      throw new SqlError('42501', `permission denied to set role "${name}"`);
  }
}
