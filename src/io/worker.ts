/** The I/O thread: what runs in the worker that io_thread.ts starts. */
import { parentPort } from 'node:worker_threads';
import { pages } from '../../operators/batch/pages.ts';
import type { ListenOptions } from '../postgres/wire/listener.ts';
import { Channel } from './channel.ts';
import { ClientHost } from './client_host.ts';
import { type FromIo, sentError, type ToIo } from './messages.ts';

if (parentPort === null) throw new Error('this file runs in a worker thread');

const channel = new Channel<FromIo, ToIo>(parentPort, setImmediate);
const clients = new ClientHost(channel);

/** What the dataflow thread may ask for, by name. */
const methods: Record<string, (...args: never[]) => unknown> = {
  listen: (options: ListenOptions) => clients.listen(options),
  closeListener: (graceMs: number) => clients.closeListener(graceMs),
  /** Pages of the shared memory that this thread has in use. */
  usedPages: () => pages.usedPages,
};

async function answer(call: number, method: string, args: unknown[]): Promise<void> {
  try {
    channel.post({ k: 'answer', call, value: await methods[method](...(args as never[])) });
  } catch (error) {
    channel.post({ k: 'failed', call, error: sentError(error) });
  }
}

channel.receive({
  frame: (kind, id, bytes) => clients.frame(kind, id, bytes),
  message(message) {
    switch (message.k) {
      case 'call':
        void answer(message.call, message.method, message.args);
        return;
      case 'rows':
        clients.rows(message);
        return;
      default:
        throw new Error(`unknown message from the dataflow thread: ${JSON.stringify(message)}`);
    }
  },
});
