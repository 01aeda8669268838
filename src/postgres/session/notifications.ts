/**
 * LISTEN, NOTIFY and UNLISTEN between the sessions of one server.
 *
 *   hub:      channel -> listening sessions
 *   session:  what its transaction has asked for so far; commit applies it, rollback forgets it
 *
 * A notification that is equal to another of the same transaction is sent once. Delivery waits while the receiving session is in a
 * transaction (Session decides when), so a client sees its own notifications after CommandComplete and before ReadyForQuery.
 */
import { SqlError } from '../../../operators/errors.ts';

export interface Notification {
  /** Sender's backend pid; 0: the server. */
  pid: number;
  channel: string;
  payload: string;
}

export interface Listener {
  notified(notification: Notification): void;
}

const MAX_CHANNEL_BYTES = 63;
const MAX_PAYLOAD_BYTES = 7999;

export class NotificationHub {
  readonly #channels = new Map<string, Set<Listener>>();

  listen(channel: string, listener: Listener): void {
    let set = this.#channels.get(channel);
    if (set === undefined) {
      set = new Set();
      this.#channels.set(channel, set);
    }
    set.add(listener);
  }

  unlisten(channel: string, listener: Listener): void {
    const set = this.#channels.get(channel);
    set?.delete(listener);
    if (set?.size === 0) this.#channels.delete(channel);
  }

  send(notification: Notification): void {
    for (const listener of this.#channels.get(notification.channel) ?? []) listener.notified(notification);
  }
}

type Change = { kind: 'listen' | 'unlisten'; channel: string } | { kind: 'unlisten_all' };

/** One session's side. */
export class SessionNotifications {
  readonly #hub: NotificationHub;
  readonly #listener: Listener;
  readonly #pid: number;
  readonly #listening = new Set<string>();
  #changes: Change[] = [];
  #outgoing: Notification[] = [];

  constructor(hub: NotificationHub, listener: Listener, pid: number) {
    this.#hub = hub;
    this.#listener = listener;
    this.#pid = pid;
  }

  channels(): string[] {
    return [...this.#listening];
  }

  listen(channel: string): void {
    this.#changes.push({ kind: 'listen', channel });
  }

  /** null: all channels. */
  unlisten(channel: string | null): void {
    this.#changes.push(channel === null ? { kind: 'unlisten_all' } : { kind: 'unlisten', channel });
  }

  /** Throws 22023 for names and payloads that are too long. */
  notify(channel: string, payload: string): void {
    if (channel === '') throw new SqlError('22023', 'channel name cannot be empty');
    if (Buffer.byteLength(channel) > MAX_CHANNEL_BYTES) throw new SqlError('22023', 'channel name too long');
    if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) throw new SqlError('22023', 'payload string too long');
    const same = this.#outgoing.some((n) => n.channel === channel && n.payload === payload);
    if (!same) this.#outgoing.push({ pid: this.#pid, channel, payload });
  }

  /** True when the transaction's end has something to tell others. */
  get pending(): boolean {
    return this.#outgoing.length > 0;
  }

  /** Where the transaction stands now, for rollbackTo. */
  mark(): { changes: number; outgoing: number } {
    return { changes: this.#changes.length, outgoing: this.#outgoing.length };
  }

  rollbackTo(mark: { changes: number; outgoing: number }): void {
    this.#changes.length = mark.changes;
    this.#outgoing.length = mark.outgoing;
  }

  commit(): void {
    if (this.#changes.length > 0) {
      for (const change of this.#changes) this.#apply(change);
      this.#changes = [];
    }
    if (this.#outgoing.length > 0) {
      const outgoing = this.#outgoing;
      this.#outgoing = [];
      for (const notification of outgoing) this.#hub.send(notification);
    }
  }

  rollback(): void {
    this.#changes.length = 0;
    this.#outgoing.length = 0;
  }

  #apply(change: Change): void {
    if (change.kind === 'unlisten_all') {
      for (const channel of this.#listening) this.#hub.unlisten(channel, this.#listener);
      this.#listening.clear();
    } else if (change.kind === 'listen') {
      this.#listening.add(change.channel);
      this.#hub.listen(change.channel, this.#listener);
    } else if (this.#listening.delete(change.channel)) this.#hub.unlisten(change.channel, this.#listener);
  }

  /** The session ends. */
  close(): void {
    this.rollback();
    this.#apply({ kind: 'unlisten_all' });
  }
}
