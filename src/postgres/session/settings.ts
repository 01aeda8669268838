/**
 * The settings of one session, with PostgreSQL's transaction rules:
 *
 *   SET        takes effect at once, is undone when its transaction or savepoint is
 *   SET LOCAL  masks the session's value until the transaction ends
 *
 * A journal holds the state that each change replaced; undoing is playing it backwards to a mark. Only values that differ from the
 * defaults take memory. `generation` moves with every change: whoever derives something from settings compares it.
 */
import { budget } from '../../../operators/batch/budget.ts';
import { SqlError } from '../../../operators/errors.ts';
import { settingHint } from '../../../planner/parse/other_systems.ts';
import type { SettingInfo } from '../options.ts';
import { REPORTED, type SettingDefinition, settingDefinitions } from './setting_definitions.ts';
import { readSetting, showSetting } from './setting_value.ts';
import type { Participant } from './transaction_block.ts';

interface Value {
  /** The session's value; null: the reset value. */
  session: string | null;
  /** SET LOCAL's; null: none. */
  local: string | null;
}

interface JournalEntry {
  key: string;
  before: Value | undefined;
}

/** Settings made up by users, such as my.role: anything with a dot. */
const CUSTOM_NAME = /^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)+$/;

const CONTEXT_ERRORS: Record<string, string> = {
  internal: 'cannot be changed',
  postmaster: 'cannot be changed without restarting the server',
  sighup: 'cannot be changed now',
  backend: 'cannot be set after connection start',
  'superuser-backend': 'cannot be set after connection start',
};

/** SET SESSION AUTHORIZATION and SET ROLE are settings, but no part of RESET ALL. */
export const AUTHORIZATION = 'session_authorization';
export const ROLE = 'role';

/** What settings must know of who the session is. */
export interface SettingsOwner {
  readonly isSuperuser: boolean;
  /** Throws when the session may not become this role. */
  checkRole(setting: typeof AUTHORIZATION | typeof ROLE, name: string): void;
}

export class Settings implements Participant<number> {
  generation = 0;
  /** Null: a superuser, whose roles are not checked. */
  owner: SettingsOwner | null = null;
  readonly #values = new Map<string, Value>();
  /** What RESET goes back to, where that is not the boot value: configuration and startup packet. */
  readonly #resets = new Map<string, { value: string; source: SettingInfo['source'] }>();
  readonly #journal: JournalEntry[] = [];
  readonly #reported = new Map<string, string>();
  /** What raw() and get() found for a name in generation `#inForceOf`: each statement asks for the same few. */
  readonly #inForce = new Map<string, string | null>();
  readonly #shown = new Map<string, string | null>();
  #inForceOf = 0;

  #definition(name: string): SettingDefinition {
    const definition = this.#find(name);
    if (definition === null) {
      const hint = settingHint(name);
      throw new SqlError('42704', `unrecognized configuration parameter "${name}"`, { hint });
    }
    return definition;
  }

  #find(name: string): SettingDefinition | null {
    const key = name.toLowerCase();
    const known = settingDefinitions().get(key);
    if (known !== undefined) return known;
    if (!CUSTOM_NAME.test(name)) return null;
    if (!this.#values.has(key) && !this.#resets.has(key)) return null;
    return customDefinition(name);
  }

  /** The value in force in its kept form (setting_value.ts); null when there is no such setting. */
  raw(name: string): string | null {
    this.#forgetOld();
    let value = this.#inForce.get(name);
    if (value === undefined) {
      const definition = this.#find(name);
      value = definition === null ? null : this.#current(definition);
      this.#inForce.set(name, value);
    }
    return value;
  }

  #forgetOld(): void {
    if (this.#inForceOf === this.generation) return;
    this.#inForce.clear();
    this.#shown.clear();
    this.#inForceOf = this.generation;
  }

  #current(definition: SettingDefinition): string {
    const key = definition.name.toLowerCase();
    if (key === 'is_superuser' && this.owner !== null) return this.owner.isSuperuser ? 'on' : 'off';
    const value = this.#values.get(key);
    return value?.local ?? value?.session ?? this.#resets.get(key)?.value ?? definition.boot;
  }

  /** What SHOW gives; null when there is no such setting. */
  get(name: string): string | null {
    this.#forgetOld();
    let value = this.#shown.get(name);
    if (value === undefined) {
      const definition = this.#find(name);
      value = definition === null ? null : showSetting(definition, this.#current(definition));
      this.#shown.set(name, value);
    }
    return value;
  }

  /** What SHOW gives; 42704 when there is no such setting. */
  show(name: string): { name: string; value: string } {
    const definition = this.#definition(name);
    return { name: definition.name, value: showSetting(definition, this.#current(definition)) };
  }

  isOn(name: string): boolean {
    return this.raw(name) === 'on';
  }

  number(name: string): number {
    return Number(this.raw(name));
  }

  /** SET and SET LOCAL. Throws 42704, 22023, 55P02. */
  set(name: string, text: string, local: boolean): void {
    const definition = this.#find(name) ?? (CUSTOM_NAME.test(name) ? customDefinition(name) : this.#definition(name));
    const forbidden = CONTEXT_ERRORS[definition.context];
    if (forbidden !== undefined) throw new SqlError('55P02', `parameter "${definition.name}" ${forbidden}`);
    this.#checkAllowed(definition, text);
    this.#change(definition, readSetting(definition, text, this.#current(definition)), local);
    if (definition.name === AUTHORIZATION) this.#change(this.#definition(ROLE), 'none', local);
  }

  /** Throws when SET would, but for who says it. */
  check(name: string, text: string): void {
    const definition = this.#find(name) ?? (CUSTOM_NAME.test(name) ? customDefinition(name) : this.#definition(name));
    const forbidden = CONTEXT_ERRORS[definition.context];
    if (forbidden !== undefined) throw new SqlError('55P02', `parameter "${definition.name}" ${forbidden}`);
    readSetting(definition, text, this.#current(definition));
  }

  #checkAllowed({ name, context }: SettingDefinition, text: string): void {
    if (this.owner === null) return;
    if (name === AUTHORIZATION || name === ROLE) this.owner.checkRole(name, text);
    if (context === 'superuser' && !this.owner.isSuperuser)
      throw new SqlError('42501', `permission denied to set parameter "${name}"`);
  }

  /** RESET, SET ... TO DEFAULT. */
  reset(name: string, local = false): void {
    const definition = this.#definition(name);
    const forbidden = CONTEXT_ERRORS[definition.context];
    if (forbidden !== undefined) throw new SqlError('55P02', `parameter "${definition.name}" ${forbidden}`);
    const key = definition.name.toLowerCase();
    if (local) this.#change(definition, this.#resets.get(key)?.value ?? definition.boot, true);
    else this.#store(key, null, null);
    if (key === AUTHORIZATION) this.reset(ROLE, local);
  }

  resetAll(): void {
    for (const key of [...this.#values.keys()]) if (key !== AUTHORIZATION && key !== ROLE) this.#store(key, null, null);
  }

  /** A value that RESET goes back to: from the configuration or the startup packet. */
  setInitial(name: string, text: string, source: Exclude<SettingInfo['source'], 'default' | 'session'>): void {
    const definition = this.#find(name) ?? (CUSTOM_NAME.test(name) ? customDefinition(name) : this.#definition(name));
    // What roles say they may have said themselves.
    const isSaid = source === 'client' || source === 'user' || source === 'global';
    const forbidden = isSaid ? CONTEXT_ERRORS[definition.context] : undefined;
    if (forbidden !== undefined && !definition.context.endsWith('backend')) {
      throw new SqlError('55P02', `parameter "${definition.name}" ${forbidden}`);
    }
    if (isSaid) this.#checkAllowed(definition, text);
    const value = source === 'override' ? text : readSetting(definition, text, this.#current(definition));
    this.#resets.set(definition.name.toLowerCase(), { value, source });
    this.generation++;
  }

  /** True when a client may name it at startup. */
  knows(name: string): boolean {
    return this.#find(name) !== null || CUSTOM_NAME.test(name);
  }

  /** What the server says of itself and of the session's user. */
  identify(version: string, user: string, maxConnections: number, listen: { host: string; port: number }): void {
    const postgres = this.raw('server_version') ?? '';
    this.setInitial('server_version', `${postgres} (Tidemark ${version})`, 'override');
    this.setInitial('session_authorization', user, 'override');
    this.setInitial('max_connections', String(maxConnections), 'override');
    this.setInitial('listen_addresses', listen.host, 'override');
    this.setInitial('port', String(listen.port), 'override');
    if (Number.isFinite(budget.limit))
      this.setInitial('memory_limit', String(Math.floor(budget.limit / 1024)), 'override');
  }

  #change(definition: SettingDefinition, value: string, local: boolean): void {
    const key = definition.name.toLowerCase();
    const before = this.#values.get(key);
    this.#store(key, local ? (before?.session ?? null) : value, local ? value : null);
  }

  #store(key: string, session: string | null, local: string | null): void {
    const before = this.#values.get(key);
    this.#journal.push({ key, before });
    if (session === null && local === null) this.#values.delete(key);
    else this.#values.set(key, { session, local });
    this.generation++;
  }

  /** A place in the journal to go back to: for savepoints. */
  mark(): number {
    return this.#journal.length;
  }

  rollbackTo(mark: number): void {
    if (this.#journal.length > mark) this.generation++;
    for (let i = this.#journal.length - 1; i >= mark; i--) {
      const { key, before } = this.#journal[i];
      if (before === undefined) this.#values.delete(key);
      else this.#values.set(key, before);
    }
    this.#journal.length = Math.min(this.#journal.length, mark);
  }

  commit(): void {
    for (const { key } of this.#journal) {
      const value = this.#values.get(key);
      if (value === undefined || value.local === null) continue;
      if (value.session === null) this.#values.delete(key);
      else this.#values.set(key, { session: value.session, local: null });
      this.generation++;
    }
    if (this.#journal.length > 0) this.#journal.length = 0;
  }

  rollback(): void {
    this.rollbackTo(0);
  }

  /** Settings to report whose value the client has not been told yet. */
  takeReports(): [name: string, value: string][] {
    const reports: [string, string][] = [];
    for (const name of REPORTED) {
      const value = this.get(name);
      if (value === null || this.#reported.get(name) === value) continue;
      this.#reported.set(name, value);
      reports.push([name, value]);
    }
    return reports;
  }

  /** All settings by name, for SHOW ALL and pg_settings. */
  list(): SettingInfo[] {
    const definitions = [...settingDefinitions().values()];
    for (const key of new Set([...this.#values.keys(), ...this.#resets.keys()])) {
      if (!settingDefinitions().has(key)) definitions.push(customDefinition(key));
    }
    definitions.sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
    return definitions.map((definition) => this.#info(definition));
  }

  #info(definition: SettingDefinition): SettingInfo {
    const key = definition.name.toLowerCase();
    const reset = this.#resets.get(key);
    return {
      name: definition.name,
      setting: this.#current(definition),
      unit: definition.unit,
      category: definition.category,
      description: definition.description,
      context: definition.context,
      type: definition.type,
      source: this.#values.has(key) ? 'session' : (reset?.source ?? 'default'),
      min: definition.min === null ? null : String(definition.min),
      max: definition.max === null ? null : String(definition.max),
      enumValues: definition.enumValues,
      bootValue: definition.boot,
      resetValue: reset?.value ?? definition.boot,
    };
  }
}

function customDefinition(name: string): SettingDefinition {
  return {
    name: name.toLowerCase(),
    type: 'string',
    unit: null,
    min: null,
    max: null,
    enumValues: null,
    context: 'user',
    category: 'Customized Options',
    description: '',
    boot: '',
  };
}
