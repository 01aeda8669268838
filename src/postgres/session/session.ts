/**
 * Everything that one client session holds, and the rules that tie it together; the protocol's messages act on it
 * (simple_query.ts, extended_query.ts), statements run in it (statement_runner.ts).
 */
import { SqlError } from '../../../operators/errors.ts';
import { withoutPasswords } from '../../auth/hidden_password.ts';
import type { PostgresServerOptions, SessionInfo, SessionView } from '../options.ts';
import type { ReplicationSession } from '../replication/replication_session.ts';
import type { Connection } from '../wire/connection.ts';
import type { NoticeFields } from '../wire/control_message.ts';
import { noticeResponse, notification, parameterStatus } from '../wire/control_message.ts';
import { Cancellation } from './cancellation.ts';
import { HeldClock } from './held_clock.ts';
import type { Identity } from './identity.ts';
import { LostClient } from './lost_client.ts';
import { type Listener, type Notification, SessionNotifications } from './notifications.ts';
import { Planner } from './plan.ts';
import { Portals } from './portals.ts';
import { PreparedStatements } from './prepared_statements.ts';
import type { SessionRegistry } from './registry.ts';
import { WireSessionContext } from './session_context.ts';
import type { Settings } from './settings.ts';
import { TransactionBlock } from './transaction_block.ts';

export interface SessionStart {
  pid: number;
  identity: Identity;
  database: string;
  settings: Settings;
  connection: Connection;
  registry: SessionRegistry;
  options: PostgresServerOptions;
  clock: () => bigint;
}

/** Messages below the level are not sent: client_min_messages. */
const LEVELS: Record<string, number> = { INFO: 9, NOTICE: 1, WARNING: 2 };
const THRESHOLDS: Record<string, number> = { notice: 1, warning: 2, error: 3 };

export class Session implements Listener {
  readonly pid: number;
  readonly identity: Identity;
  readonly database: string;
  readonly connection: Connection;
  readonly options: PostgresServerOptions;
  readonly clock: HeldClock;
  readonly settings: Settings;
  readonly block: TransactionBlock;
  readonly statements = new PreparedStatements();
  readonly portals = new Portals();
  readonly notifications: SessionNotifications;
  readonly context: WireSessionContext;
  readonly planner: Planner;
  readonly lostClient: LostClient;
  /** Of a connection that began for replication. */
  replication: ReplicationSession | null = null;
  readonly #registry: SessionRegistry;
  /** Why the session must end; set by terminate(). */
  terminating: SqlError | null = null;
  /** True while the session waits for the client's next command. */
  idle = false;
  /** What the running statement has asked pg_sleep for. */
  sleepMs = 0;
  /** Statements that have run since the implicit transaction began. */
  statementsInImplicit = 0;
  #cancellation: Cancellation | null = null;
  #isLate = false;
  #pendingNotifications: Notification[] = [];
  #query = '';
  #reportedGeneration = -1;
  readonly #backendStart: bigint;
  #queryStart: bigint | null = null;
  #stateChange: bigint;

  constructor(start: SessionStart) {
    this.pid = start.pid;
    this.identity = start.identity;
    this.database = start.database;
    this.connection = start.connection;
    this.#registry = start.registry;
    this.options = start.options;
    this.clock = new HeldClock(start.clock);
    this.settings = start.settings;
    this.notifications = new SessionNotifications(start.registry.notifications, this, start.pid);
    this.block = new TransactionBlock(
      start.options.engine,
      [this.settings, this.notifications, this.portals],
      this.clock.now,
    );
    this.context = new WireSessionContext(this.settings, this.block, {
      pid: this.pid,
      identity: this.identity,
      database: this.database,
      notice: (severity, sqlstate, message, fields) => this.notice(severity, sqlstate, message, fields),
      notify: (channel, payload) => this.notifications.notify(channel, payload),
      done: () => this.#cancellation?.tooLate(),
      cancelBackend: (pid) => this.#mayEnd(pid, 'cancel query') && start.registry.cancelBackend(pid),
      terminateBackend: (pid) => this.#mayEnd(pid, 'terminate process') && start.registry.terminateBackend(pid),
      sleep: (ms) => {
        this.sleepMs += Math.max(0, ms);
      },
      reload: () => start.options.reload?.(),
      catalog: start.options.catalog,
    });
    this.planner = new Planner(
      start.options.engine,
      this.context,
      this.settings,
      this.statements,
      this.portals,
      this.clock.now,
    );
    this.lostClient = new LostClient(this);
    this.#backendStart = this.clock.now();
    this.#stateChange = this.#backendStart;
  }

  /** Whether there is such a backend; 42501 when it is none that the session may end. */
  #mayEnd(pid: number, does: string): boolean {
    const role = this.#registry.roleOf(pid);
    if (role === null) return false;
    this.identity.checkSignal(role, does);
    return true;
  }

  notice(severity: 'NOTICE' | 'WARNING' | 'INFO', sqlstate: string, message: string, fields: NoticeFields = {}): void {
    const threshold = THRESHOLDS[this.settings.raw('client_min_messages') ?? 'notice'] ?? 0;
    if (LEVELS[severity] < threshold) return;
    this.connection.out.messages(noticeResponse(severity, sqlstate, message, fields));
  }

  /** The cancellation of the statement that starts now; `timeoutMs` 0: none. Ends with endStatement(). */
  startStatement(query: string | null): Cancellation {
    const cancellation = new Cancellation();
    this.#cancellation = cancellation;
    if (this.terminating !== null) cancellation.cancel(this.terminating);
    if (query !== null) this.noteStatement(query);
    return cancellation;
  }

  /** The signal of a statement that is run without one: it takes longer than most. endLateSignal() comes afterwards. */
  readonly lateSignal = (): AbortSignal => {
    this.#isLate = true;
    const cancellation = this.startStatement(null);
    const ms = this.settings.number('statement_timeout');
    if (ms > 0) cancellation.endAt(performance.now() + ms);
    return cancellation.signal;
  };

  endLateSignal(): void {
    if (!this.#isLate) return;
    this.#isLate = false;
    this.endStatement();
  }

  /** What pg_stat_activity shows as running. */
  noteStatement(query: string): void {
    this.#query = query;
    this.#queryStart = this.clock.now();
  }

  endStatement(): void {
    this.#cancellation = null;
    this.lostClient.idle();
  }

  /** Whether the signal is that of the statement that runs now. */
  runs(signal: AbortSignal): boolean {
    return this.#cancellation?.signal === signal;
  }

  /** In the midst of a turn, where no timer runs. */
  lookAtClock(): void {
    this.#cancellation?.lookAtClock();
    this.lostClient.lookAtClock();
  }

  /** Cancels what runs now; does nothing in an idle session. */
  cancel(reason: SqlError): void {
    this.#cancellation?.cancel(reason);
  }

  /** The client closed its sending side: what would never end is cut short, a read as soon as it is sure that nobody reads, the rest is still answered. */
  clientHungUp(): void {
    if (this.endless) this.cancel(new SqlError('08006', 'connection to client lost', { severity: 'FATAL' }));
    else this.lostClient.look();
  }

  /** True while a subscription streams. */
  endless = false;

  /** Ends the session with this FATAL error as soon as it can say so. */
  terminate(reason: SqlError): void {
    this.terminating ??= reason;
    this.cancel(reason);
    this.connection.wake();
  }

  /** An idle session hears at once; another before its next ReadyForQuery outside a transaction. */
  notified(received: Notification): void {
    this.#pendingNotifications.push(received);
    if (this.idle && this.block.status === 'I') {
      this.sendNotifications();
      this.connection.out.flush();
    }
  }

  sendNotifications(): void {
    if (this.#pendingNotifications.length === 0) return;
    const pending = this.#pendingNotifications;
    this.#pendingNotifications = [];
    for (const { pid, channel, payload } of pending) this.connection.out.messages(notification(pid, channel, payload));
  }

  /** commit() in this turn, where nothing has to be published or kept. False, and nothing done: commit(). */
  commitNow(): boolean {
    if (this.portals.mustHold || !this.block.commitNow()) return false;
    this.statementsInImplicit = 0;
    return true;
  }

  /** Publishes the open transaction; cursors WITH HOLD keep their rows. On failure it is rolled back and the error thrown. */
  async commit(): Promise<void> {
    this.statementsInImplicit = 0;
    if (!this.block.open) return;
    try {
      await this.portals.hold();
    } catch (cause) {
      this.block.rollback();
      throw cause;
    }
    await this.block.commit(this.settings.raw('synchronous_commit') !== 'off', this.#cancellation?.signal);
  }

  rollback(): void {
    this.statementsInImplicit = 0;
    this.block.rollback();
  }

  /** After an error: ends an implicit transaction, marks a block as failed. */
  fail(): void {
    if (!this.block.explicit) this.statementsInImplicit = 0;
    this.block.fail();
  }

  setIdle(idle: boolean): void {
    this.idle = idle;
    this.#stateChange = this.clock.now();
  }

  /** Tells the client the settings that it wants to know and does not yet. */
  reportSettings(): void {
    if (this.#reportedGeneration === this.settings.generation) return;
    this.#reportedGeneration = this.settings.generation;
    for (const [name, value] of this.settings.takeReports()) this.connection.out.messages(parameterStatus(name, value));
  }

  /** Gives back all that the session holds. */
  close(): void {
    this.block.rollback();
    this.portals.closeAll();
    this.context.ended();
    this.notifications.close();
    this.statements.dropNamed();
  }

  info(): SessionInfo {
    const status = this.block.status;
    const { session } = this.identity;
    return {
      pid: this.pid,
      user: session.user,
      role: session.role,
      database: this.database,
      applicationName: this.settings.raw('application_name') ?? '',
      clientAddress: this.connection.peer.address,
      clientPort: this.connection.peer.port,
      serverAddress: this.connection.peer.localAddress,
      serverPort: this.connection.peer.localPort,
      backendStart: this.#backendStart,
      transactionStart: this.block.startedAt,
      queryStart: this.#queryStart,
      stateChange: this.#stateChange,
      state: !this.idle
        ? 'active'
        : status === 'I'
          ? 'idle'
          : status === 'T'
            ? 'idle in transaction'
            : 'idle in transaction (aborted)',
      query: withoutPasswords(this.#query),
      tls: this.connection.peer.tls,
    };
  }

  view(): SessionView {
    return {
      info: () => this.info(),
      settings: () => this.settings.list(),
      preparedStatements: () => this.statements.list(),
      cursors: () => this.portals.list(),
      listeningChannels: () => this.notifications.channels(),
    };
  }
}
