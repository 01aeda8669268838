/** The I/O thread: what runs in the worker that io_thread.ts starts. */
import { writeSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { PageAllocator, pages } from '../../operators/batch/pages.ts';
import { setEnumType } from '../../operators/expr/enum_types.ts';
import { kafkaHere } from '../kafka/access.ts';
import { buffers } from '../kafka/buffers.ts';
import type { ListenOptions } from '../postgres/wire/listener.ts';
import type { TlsPair } from '../postgres/wire/tls.ts';
import { filesHere } from '../sources/files/access.ts';
import { parseFileSourceOptions } from '../sources/files/options.ts';
import type { FileColumns } from '../sources/files/source.ts';
import { parseKafkaSourceOptions } from '../sources/kafka/options.ts';
import { Channel } from './channel.ts';
import { ClientHost } from './client_host.ts';
import { EndSignals } from './end_signals.ts';
import { type FromIo, type LogLevel, sentError, type ToIo, Transferred } from './messages.ts';
import { SinkHost } from './sink_host.ts';
import { SourceHost } from './source_host.ts';
import type { WorkerLink } from './start_worker.ts';
import { goFirst } from './thread_priority.ts';
import type { Urgent } from './urgent.ts';

if (parentPort === null) throw new Error('this file runs in a worker thread');

goFirst();

const { link, urgent, messages } = workerData as WorkerLink;
const messagePages = new PageAllocator(...messages);
buffers.usePages(messagePages);

const channel = new Channel<FromIo, ToIo>(parentPort, link);
const clients = new ClientHost(channel, (what) => urgent.postMessage(what));
const sources = new SourceHost(channel);
const signals = new EndSignals(
  () => urgent.postMessage({ k: 'ending' } satisfies Urgent),
  // The main thread, which writes what others log, has no time.
  (what) => writeSync(2, `${new Date().toISOString()} ERROR ${what}\n`),
);

/** What the dataflow thread may ask for, by name. */
const methods: Record<string, (...args: never[]) => unknown> = {
  listen: (options: ListenOptions) => clients.listen(options),
  useTls: (pair: TlsPair) => clients.useTls(pair),
  watchSignals: () => signals.watch(),
  closeListener(graceMs: number) {
    signals.closing();
    return clients.closeListener(graceMs);
  },
  checkKafkaSource: (options: Record<string, string>) => kafkaHere.checkSource(options),
  async openKafkaSource(options: Record<string, string>) {
    const { bufferBytes } = parseKafkaSourceOptions(options);
    return sources.add(await kafkaHere.openSource(options, log), bufferBytes);
  },
  checkFiles: (options: Record<string, string>, columns: FileColumns) => filesHere.checkSource(options, columns),
  async openFiles(options: Record<string, string>, columns: FileColumns) {
    const { bufferBytes } = parseFileSourceOptions(options);
    return sources.add(await filesHere.openSource(options, columns, log), bufferBytes);
  },
  ...sources.methods,
  ...new SinkHost().methods,
  /** Pages of the shared memory that this thread has in use. */
  usedPages: () => pages.usedPages + messagePages.usedPages,
};

function log(level: LogLevel, message: string, fields?: Record<string, unknown>): void {
  channel.post({ k: 'log', level, message, fields });
}

/** What it needs is loaded only then. */
async function admitFrom(port: MessagePort): Promise<void> {
  const { StreamPort } = await import('../http/stream_port.ts');
  new StreamPort(port, (stream, peer) => clients.admit(stream, peer));
}

async function answer(call: number, method: string, args: unknown[]): Promise<void> {
  try {
    const value = await methods[method](...(args as never[]));
    if (value instanceof Transferred) channel.post({ k: 'answer', call, value: value.value }, value.transfer);
    else channel.post({ k: 'answer', call, value });
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
      case 'mark':
        clients.follow(message.mark);
        return;
      case 'http':
        void admitFrom(message.port);
        return;
      case 'enum':
        setEnumType(message.type, channel);
        return;
      case 'source':
        sources.order(message.source, message.order);
        return;
      default:
        throw new Error(`unknown message from the dataflow thread: ${JSON.stringify(message)}`);
    }
  },
});
