/** All sessions of a server: backend pids, cancel keys, notifications between them. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { SqlError } from '../../../operators/errors.ts';
import { CANCELLED } from './cancellation.ts';
import { NotificationHub } from './notifications.ts';
import type { Session } from './session.ts';

interface Entry {
  session: Session | null;
  secret: Buffer;
}

export class SessionRegistry {
  readonly notifications = new NotificationHub();
  readonly #entries = new Map<number, Entry>();
  #lastPid = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Takes a pid and a cancel key: 4 bytes in protocol 3.0, 32 from 3.2 on. */
  reserve(secretBytes: number): { pid: number; secret: Buffer } {
    do this.#lastPid = this.#lastPid >= 0x7ffffffe ? 1 : this.#lastPid + 1;
    while (this.#entries.has(this.#lastPid));
    const secret = randomBytes(secretBytes);
    this.#entries.set(this.#lastPid, { session: null, secret });
    return { pid: this.#lastPid, secret };
  }

  attach(session: Session): void {
    const entry = this.#entries.get(session.pid);
    if (entry !== undefined) entry.session = session;
  }

  release(pid: number): void {
    this.#entries.delete(pid);
  }

  /** A CancelRequest; keys that do not fit are ignored, as nobody may learn which pids exist. */
  cancel(pid: number, secret: Buffer): void {
    if (this.isKeyOf(pid, pid, secret)) this.#entries.get(pid)?.session?.cancel(new SqlError('57014', CANCELLED.user));
  }

  /** Whether a cancel request is for this session, and may be. */
  isKeyOf(session: number, pid: number, secret: Buffer): boolean {
    const entry = this.#entries.get(session);
    if (pid !== session || entry === undefined) return false;
    return entry.secret.length === secret.length && timingSafeEqual(entry.secret, secret);
  }

  /** The role that a backend was begun as; null when there is none. */
  roleOf(pid: number): number | null {
    return this.#entries.get(pid)?.session?.identity.login.role ?? null;
  }

  cancelBackend(pid: number): boolean {
    const session = this.#entries.get(pid)?.session;
    session?.cancel(new SqlError('57014', CANCELLED.user));
    return session !== undefined && session !== null;
  }

  terminateBackend(pid: number): boolean {
    const session = this.#entries.get(pid)?.session;
    session?.terminate(
      new SqlError('57P01', 'terminating connection due to administrator command', { severity: 'FATAL' }),
    );
    return session !== undefined && session !== null;
  }

  find(pid: number): Session | null {
    return this.#entries.get(pid)?.session ?? null;
  }

  sessions(): Session[] {
    const sessions: Session[] = [];
    for (const { session } of this.#entries.values()) if (session !== null) sessions.push(session);
    return sessions;
  }
}
