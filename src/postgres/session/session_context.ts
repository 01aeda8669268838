/** What the engine and its functions see of a session: SessionContext and EvalContext, rebuilt when settings or the transaction move. */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError, unsupported } from '../../../operators/errors.ts';
import { copyContext } from '../../../operators/expr/context.ts';
import type { EvalContext, SessionFunctions } from '../../../operators/expr/ir.ts';
import { pathWith } from '../../../operators/expr/search_path.ts';
import type { SessionContext, Transaction } from '../../engine.ts';
import type { Identity } from './identity.ts';
import type { Settings } from './settings.ts';
import type { TransactionBlock } from './transaction_block.ts';

/** What functions may do to the session and to other sessions. */
export interface SessionActions {
  pid: number;
  identity: Identity;
  database: string;
  notice: SessionContext['notice'];
  notify(channel: string, payload: string): void;
  /** The running statement cannot be cancelled any more. */
  done(): void;
  /** False when there is no such backend. */
  cancelBackend(pid: number): boolean;
  terminateBackend(pid: number): boolean;
  /** Holds the running statement's result back by this much. */
  sleep(ms: number): void;
  reload(): void;
  catalog?(name: string, args: Datum[], context: EvalContext): Datum;
}

/** Schemas of the server's own: the superuser has the name of one, and makes nothing there. */
const OF_SERVER = new Set(['tidemark', 'pg_catalog', 'information_schema']);

/** The schemas of a search_path setting; "$user" is the user's name, unless the server's own schema has it. */
export function searchPathOf(text: string, user: string): string[] {
  const path: string[] = [];
  for (const match of text.matchAll(/"((?:[^"]|"")*)"|([^",\s]+)/g)) {
    const name = match[1] === undefined ? match[2].toLowerCase() : match[1].replaceAll('""', '"');
    if (name === '' || (name === '$user' && OF_SERVER.has(user))) continue;
    path.push(name === '$user' ? user : name);
  }
  return path;
}

/** Seconds, an interval, or the moment to wait for, counted from the transaction's start. */
function sleepMillis(until: Datum, now: bigint): number {
  if (typeof until === 'number') return until * 1000;
  if (typeof until === 'bigint') return Number(until - now) / 1000;
  if (until === null || typeof until !== 'object' || !('micros' in until)) return 0;
  return (until.months * 30 + until.days) * 86_400_000 + Number(until.micros) / 1000;
}

export class WireSessionContext implements SessionContext {
  readonly notice: SessionContext['notice'];
  readonly #settings: Settings;
  readonly #block: TransactionBlock;
  readonly #actions: SessionActions;
  readonly #functions: SessionFunctions;
  #context: EvalContext | null = null;
  #generation = -1;
  #rolesVersion = -1;
  /** Null: it has ended. */
  #atEnd: (() => void)[] | null = [];
  #now = -1n;
  #temporary: string | null = null;
  #open: number | null = null;

  constructor(settings: Settings, block: TransactionBlock, actions: SessionActions) {
    this.notice = actions.notice;
    this.#settings = settings;
    this.#block = block;
    this.#actions = actions;
    this.#functions = {
      getSetting: (name) => settings.get(name),
      setSetting: (name, value, local) => {
        settings.set(name, value, local);
        return settings.show(name).value;
      },
      backendPid: () => actions.pid,
      catalog: (name, args) => this.#catalog(name, args),
    };
  }

  get evalContext(): EvalContext {
    const settings = this.#settings;
    const now = this.#block.startedAt ?? 0n;
    const { identity } = this.#actions;
    if (this.#context !== null && this.#generation === settings.generation && this.#rolesVersion === identity.version) {
      if (this.#now !== now) {
        this.#context = copyContext(this.#context);
        this.#context.now = now;
      }
      this.#now = now;
      return this.#context;
    }
    this.#generation = settings.generation;
    this.#rolesVersion = identity.version;
    this.#now = now;
    const { role, user } = identity.current;
    const value = (name: string): string => settings.raw(name) ?? '';
    this.#context = {
      now,
      timeZone: value('timezone'),
      dateStyle: value('datestyle'),
      intervalStyle: value('intervalstyle'),
      extraFloatDigits: Number(value('extra_float_digits')),
      byteaOutput: value('bytea_output') === 'escape' ? 'escape' : 'hex',
      user,
      role,
      sessionUser: identity.session.user,
      restricted: !identity.isSuperuser,
      database: this.#actions.database,
      searchPath: pathWith(searchPathOf(value('search_path'), user), this.#temporary, this.#open),
      tick: 0n,
      session: this.#functions,
    };
    return this.#context;
  }

  done(): void {
    this.#actions.done();
  }

  useTemporary(schema: string | null): void {
    this.#temporary = schema;
    this.#context = null;
  }

  seeOpen(transaction: number | null): void {
    this.#open = transaction;
    this.#context = null;
  }

  onEnd(work: () => void): void {
    // A statement that was cancelled may still be under way.
    if (this.#atEnd === null) work();
    else this.#atEnd.push(work);
  }

  ended(): void {
    const works = this.#atEnd ?? [];
    this.#atEnd = null;
    for (const work of works) work();
  }

  get searchPath(): string[] {
    return this.evalContext.searchPath;
  }

  get transaction(): Transaction {
    return this.#block.transaction;
  }

  mark(): () => void {
    return this.#block.mark();
  }

  getSetting(name: string): string | null {
    return this.#settings.get(name);
  }

  checkSetting(name: string, text: string): void {
    this.#settings.check(name, text);
  }

  #catalog(name: string, args: Datum[]): Datum {
    this.#actions.identity.checkCall(name);
    switch (name) {
      case 'pg_notify':
        this.#actions.notify(String(args[0] ?? ''), String(args[1] ?? ''));
        return '';
      case 'pg_cancel_backend':
        return this.#signal(args[0], (pid) => this.#actions.cancelBackend(pid));
      case 'pg_terminate_backend':
        return this.#signal(args[0], (pid) => this.#actions.terminateBackend(pid));
      case 'pg_reload_conf':
        this.#actions.reload();
        return true;
      case 'pg_rotate_logfile':
        // It goes to the standard error, and nobody collects it.
        this.notice('WARNING', '01000', 'rotation not possible because log collection not active');
        return false;
      case 'pg_sleep':
      case 'pg_sleep_for':
      case 'pg_sleep_until':
        this.#actions.sleep(sleepMillis(args[0], this.evalContext.now));
        return '';
      default:
        if (this.#actions.catalog === undefined) throw unsupported(`function ${name}`);
        return this.#actions.catalog(name, args, this.evalContext);
    }
  }

  #signal(pid: Datum, send: (pid: number) => boolean): boolean {
    if (typeof pid !== 'number') throw new SqlError('22023', 'a backend pid is an integer');
    const found = send(pid);
    if (!found) this.notice('WARNING', '01000', `PID ${pid} is not a PostgreSQL backend process`);
    return found;
  }
}
