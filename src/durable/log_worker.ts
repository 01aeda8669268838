/** The thread of the tick log: what runs in the worker that log_thread.ts starts. While it waits for the disk, the next records gather in its ring. */
import { parentPort, workerData } from 'node:worker_threads';
import { Channel } from '../io/channel.ts';
import { MarkWriter } from '../io/durable_mark.ts';
import { goFirst } from '../io/thread_priority.ts';
import { blockingDisk } from './blocking_disk.ts';
import { GroupWriter } from './group_writer.ts';
import { type FromLog, type LogWorkerData, type ToLog, WRITTEN } from './log_messages.ts';

if (parentPort === null) throw new Error('this file runs in a worker thread');

goFirst();

const { link, mark: markLink, folder, start, settings } = workerData as LogWorkerData;
const mark = new MarkWriter(markLink);
const channel = new Channel<FromLog, ToLog>(parentPort, link);
const writer = new GroupWriter(blockingDisk, folder, start, settings, {
  written({ sequence, tick }, bytes) {
    mark.set(tick);
    const said = Buffer.alloc(WRITTEN.size);
    said.writeBigUInt64LE(sequence, WRITTEN.sequence);
    said.writeBigUInt64LE(tick, WRITTEN.tick);
    said.writeDoubleLE(bytes, WRITTEN.bytes);
    channel.frame(1, 0, said);
  },
  segments: (list) => channel.post({ k: 'segments', list }),
  state: (state, reason) => channel.post({ k: 'state', state, reason }),
});

async function answer(message: ToLog): Promise<void> {
  try {
    if (message.k === 'close') await writer.close();
    else await writer.truncateBefore(message.sequence);
    channel.post({ k: 'answer', call: message.call, error: null });
  } catch (error) {
    channel.post({ k: 'answer', call: message.call, error: error as Error });
  }
}

channel.receive({
  frame: (_kind, _id, bytes) => writer.append(bytes),
  message: (message) => void answer(message),
});
