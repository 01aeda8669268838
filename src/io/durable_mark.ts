/**
 * How far the tick log is on the disk, where the I/O thread sees it: its thread says so there itself, so that what waits for it in the I/O thread need not
 * wait for the dataflow thread too, which is deep in ticks more often than not.
 *
 *   shared   tick that is on the disk, and those before it | the reader waits
 *   writer   stores the tick, then looks whether the reader waits, and wakes it if it does
 *   reader   says that it waits, then looks again: one of the two sees the other
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';

const WAITS = 2;
const BYTES = 16;

/** One side of it, as it goes to a thread; `port` is to be in the transfer list. */
export interface MarkLink {
  shared: SharedArrayBuffer;
  port: MessagePort;
}

/** The two sides; `tick` is on the disk already. */
export function newMark(tick: bigint): { writer: MarkLink; reader: MarkLink } {
  const shared = new SharedArrayBuffer(BYTES);
  new BigInt64Array(shared)[0] = tick;
  const { port1, port2 } = new MessageChannel();
  return { writer: { shared, port: port1 }, reader: { shared, port: port2 } };
}

export class MarkWriter {
  readonly #ticks: BigInt64Array;
  readonly #words: Int32Array;
  readonly #port: MessagePort;

  constructor({ shared, port }: MarkLink) {
    this.#ticks = new BigInt64Array(shared);
    this.#words = new Int32Array(shared);
    this.#port = port;
    port.unref();
  }

  /** This tick and those before it are on the disk. */
  set(tick: bigint): void {
    Atomics.store(this.#ticks, 0, tick);
    if (Atomics.compareExchange(this.#words, WAITS, 1, 0) === 1) this.#port.postMessage(0);
  }
}

export class MarkReader {
  readonly #ticks: BigInt64Array;
  readonly #words: Int32Array;

  /** `moved` is called after wait(), once or more often, when there is something to look at. */
  constructor({ shared, port }: MarkLink, moved: () => void) {
    this.#ticks = new BigInt64Array(shared);
    this.#words = new Int32Array(shared);
    port.on('message', moved);
    port.unref();
  }

  reached(tick: bigint): boolean {
    return Atomics.load(this.#ticks, 0) >= tick;
  }

  /** Asks to be told when a tick that was not reached may be. False: it is reached now. */
  wait(tick: bigint): boolean {
    Atomics.store(this.#words, WAITS, 1);
    return !this.reached(tick);
  }
}
