/** What a session sees of its client: messages in, an Output out. Where the socket is does not matter to it. */
import type { Batch } from '../../../operators/batch/batch.ts';
import type { RowForm } from '../encode/row_form.ts';
import type { FrontendMessage } from './frontend_decoder.ts';
import type { Output } from './output.ts';
import type { TlsState } from './tls.ts';

/** Both ends of a connection; null: it has none that have addresses. */
export interface Peer {
  readonly address: string | null;
  readonly port: number | null;
  /** The end of it that is the server's. */
  readonly localAddress: string | null;
  readonly localPort: number | null;
  /** How it is encrypted; null: it is not. */
  readonly tls: TlsState | null;
}

export interface Connection {
  readonly out: Output;
  readonly peer: Peer;
  /** The client sends no more. */
  readonly ended: boolean;
  /** The socket is gone. */
  readonly closed: boolean;
  /** Called when the client closes its sending side. */
  onEnd: (() => void) | null;
  /** Called when the socket is gone. */
  onClose: (() => void) | null;
  /** Encodes rows in the thread that has the socket; null: they are written through `out`. */
  readonly rowSender: RowSender | null;
  /** Keeps messages back until a tick is on the disk; null: it cannot. */
  readonly holder: Holder | null;
  /** Is told before ReadyForQuery which tick the client has seen or made; null: its statements had none. Absent: nobody asks. */
  ready?(tick: bigint | null): void;
  /** The next message if it is there. Throws FATAL 08P01. */
  next(): FrontendMessage | null;
  /** Longer messages are refused from now on; null: the listener's limit. */
  limit(bytes: number | null): void;
  /** The type of that message, as soon as its first byte is there; -1: nothing is. */
  readonly nextType: number;
  /** Resolves when there is something to look at: bytes, the end, or a call of wake(). */
  changed(): Promise<void>;
  /** The same for who waits for nothing else: called once, for bytes as soon as they are there. One waits at a time, here or there. */
  onChange(act: () => void): void;
  /** Who waits gets its turn behind what runs now. */
  wake(): void;
  /** Sends what is pending, then closes; a client that does not take it is cut off after `graceMs`. */
  finish(graceMs: number): void;
}

/** Rows that go as addresses: the batch must stay until the promise has an outcome. */
export interface RowSender {
  /**
   * Sends rows `from` to `to`, not including, after what `out` was given. Resolves when the client has been given them or is gone;
   * rejects with the error of a row that cannot be shown, or with that of `signal`.
   */
  send(form: RowForm, batch: Batch, from: number, to: number, signal: AbortSignal): Promise<void>;
}

/** Messages that a client may only have when a tick is on the disk. */
export interface Holder {
  /** What `out` sends from now on waits for this tick, and what follows for that; null: it does not wait. */
  hold(tick: bigint | null): void;
  /** What waits is not sent. */
  drop(): void;
}
