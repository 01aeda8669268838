/** Where bytes for a client in another thread go. What has not been taken there is counted: with UNTAKEN_BYTES of it the writer waits for 'drain'. */
import { EventEmitter } from 'node:events';
import type { ByteSink } from './output.ts';

const UNTAKEN_BYTES = 256 * 1024;

export abstract class CountedSink extends EventEmitter implements ByteSink {
  destroyed = false;
  #untaken = 0;
  #blocked = false;

  /** Copies them. */
  protected abstract send(bytes: Buffer): void;

  write(bytes: Buffer, done: () => void): boolean {
    this.send(bytes);
    done();
    this.#untaken += bytes.length;
    this.#blocked = this.#untaken >= UNTAKEN_BYTES;
    return !this.#blocked;
  }

  taken(bytes: number): void {
    this.#untaken -= bytes;
    if (!this.#blocked || this.#untaken >= UNTAKEN_BYTES) return;
    this.#blocked = false;
    this.emit('drain');
  }

  close(): void {
    this.destroyed = true;
    this.emit('close');
  }
}
