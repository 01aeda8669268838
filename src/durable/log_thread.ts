/**
 * The tick log's writer in a thread of its own, as the dataflow thread sees it.
 *
 *   append(frame)      ->  ring  ->  log_worker.ts: GroupWriter on a disk that it waits for
 *   durable(sequence)  <-  ring  <-  written  ->  mark: for the I/O thread
 *
 * In the dataflow thread each group waits for two turns of an event loop that is busy with ticks, and its file operations for those of checkpoints:
 * most of what a commit waits for is not the disk (docs/decisions/0286).
 */
import { Worker } from 'node:worker_threads';
import { Channel, newLinks } from '../io/channel.ts';
import { type MarkLink, newMark } from '../io/durable_mark.ts';
import type { LogWriter, WriterEvents, WriterSettings, WriterStart } from './group_writer.ts';
import { type FromLog, type ToLog, WRITTEN } from './log_messages.ts';

export class LogThread implements LogWriter {
  readonly mark: MarkLink;
  readonly #worker: Worker;
  readonly #channel: Channel<ToLog, FromLog>;
  readonly #events: WriterEvents;
  readonly #calls = new Map<number, { resolve(): void; reject(error: Error): void }>();
  #lastCall = 0;
  #ended = false;

  constructor(folder: string, start: WriterStart, settings: WriterSettings, events: WriterEvents) {
    this.#events = events;
    const [link, theirs] = newLinks();
    const { writer, reader } = newMark(start.tick);
    this.mark = reader;
    this.#worker = new Worker(workerFile(), {
      name: 'tidemark-log',
      execArgv: [],
      workerData: { link: theirs, mark: writer, folder, start, settings },
      transferList: [theirs.objects, writer.port],
    });
    this.#worker.on('error', (error) => this.#failed(error.message));
    this.#worker.on('exit', (code) => this.#failed(`its thread has ended with code ${code}`));
    this.#channel = new Channel<ToLog, FromLog>(this.#worker, link);
    this.#channel.receive({
      frame: (_kind, _id, bytes) => {
        const last = { sequence: bytes.readBigUInt64LE(WRITTEN.sequence), tick: bytes.readBigUInt64LE(WRITTEN.tick) };
        events.written(last, bytes.readDoubleLE(WRITTEN.bytes));
      },
      message: (message) => this.#message(message),
    });
  }

  append(frame: Buffer): void {
    this.#channel.frame(1, 0, frame);
  }

  truncateBefore(sequence: bigint): Promise<void> {
    return this.#call({ k: 'truncate', call: ++this.#lastCall, sequence });
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    await this.#call({ k: 'close', call: ++this.#lastCall });
    this.#ended = true;
    await this.#worker.terminate();
  }

  #call(message: ToLog): Promise<void> {
    if (this.#ended) return Promise.reject(new Error('the thread of the tick log has ended'));
    return new Promise((resolve, reject) => {
      this.#calls.set(message.call, { resolve, reject });
      this.#channel.post(message);
    });
  }

  #message(message: FromLog): void {
    if (message.k === 'segments') this.#events.segments(message.list);
    else if (message.k === 'state') this.#events.state(message.state, message.reason);
    else {
      const call = this.#calls.get(message.call);
      this.#calls.delete(message.call);
      if (message.error === null) call?.resolve();
      else call?.reject(message.error);
    }
  }

  #failed(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { reject } of this.#calls.values()) reject(new Error(reason));
    this.#calls.clear();
    this.#events.state('failed', reason);
  }
}

/** The worker's file: built, or under the loader that runs the sources as they are. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './testing/log_worker.mjs' : './log_worker.js', import.meta.url);
}
