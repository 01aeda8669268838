/**
 * Named pipes of the server as COPY reads and writes them: as in PostgreSQL it waits for who has the other end, and can be cancelled all the while.
 *
 *   read    open, without waiting -> the event loop tells of bytes, and of the end when the last writer has closed
 *   write   open, without waiting -> ENXIO while nobody reads: again after PAUSE_MS, for no event tells of a reader that comes
 *
 * Nobody waits in open() or read() (open_at_once.ts): four copies that did, and no file would be read or written any more.
 */
import { close, constants, fstat, open } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AT_ONCE } from '../../open_at_once.ts';
import type { CopyWait } from './copy_wait.ts';

const { O_RDONLY, O_WRONLY } = constants;
const PAUSE_MS = 50;

const opened = promisify(open);
const statOf = promisify(fstat);
const closed = promisify(close);

export class NamedPipe {
  readonly #socket: Socket;

  private constructor(fd: number, does: 'read' | 'write') {
    this.#socket = new Socket({ fd, readable: does === 'read', writable: does === 'write' });
    // What waits for it is told.
    this.#socket.on('error', () => undefined);
  }

  static async toRead(path: string): Promise<NamedPipe> {
    return new NamedPipe(await openPipe(path, O_RDONLY), 'read');
  }

  static async toWrite(path: string, cancellation: CopyWait): Promise<NamedPipe> {
    for (;;) {
      try {
        return new NamedPipe(await openPipe(path, O_WRONLY), 'write');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      }
      await cancellation.wait(sleep(PAUSE_MS));
    }
  }

  async *chunks(cancellation: CopyWait): AsyncGenerator<Buffer> {
    const chunks = this.#socket[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await cancellation.wait(chunks.next());
      if (done) return;
      yield value;
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    this.#socket.destroy();
  }
}

async function openPipe(path: string, how: number): Promise<number> {
  const fd = await opened(path, how | AT_ONCE);
  if ((await statOf(fd)).isFIFO()) return fd;
  await closed(fd);
  throw new Error(`"${path}" was a pipe, and is none any more`);
}
