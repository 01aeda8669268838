/**
 * Starts the worker of the I/O thread. Apart from io_thread.ts, and without what that needs, so that the `tidemark` command can have the worker load
 * its modules while this thread still loads its own.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { memory, PAGE_BYTES, TOTAL_PAGES } from '../../operators/batch/memory.ts';
import { pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import { type Link, newLinks } from './channel.ts';

/**
 * Pages that the worker may allocate: 16 MiB for encoding, then 128 MiB for messages, which count as what sources hold. They cost nothing until they are touched, and the
 * greatest limit of memory leaves them.
 */
const ENCODING_PAGES = 256;
const MESSAGE_PAGES = 2048;
const WORKER_PAGES = ENCODING_PAGES + MESSAGE_PAGES;

export interface StartedWorker {
  worker: Worker;
  /** Address of its WORKER_PAGES pages. */
  pages: number;
  /** This thread's side. */
  link: Link;
  /** What is urgent comes here. */
  urgent: MessagePort;
}

/** What the worker finds in its workerData, with the memory and its pages. */
export interface WorkerLink {
  link: Link;
  urgent: MessagePort;
  /** First and end of the pages for messages. They are apart from those that it allocates otherwise, so that neither leaves the other holes too small for it. */
  messages: [number, number];
}

export function startWorker(): StartedWorker {
  const address = lastFreePages();
  const first = address / PAGE_BYTES;
  const messages = first + ENCODING_PAGES;
  const [link, theirs] = newLinks();
  const { port1: urgent, port2: theirUrgent } = new MessageChannel();
  const data: WorkerLink = { link: theirs, urgent: theirUrgent, messages: [messages, messages + MESSAGE_PAGES] };
  const worker = new Worker(workerFile(), {
    name: 'tidemark-io',
    execArgv: [],
    workerData: { memory, pageRange: [first, messages], ...data },
    transferList: [theirs.objects, theirUrgent],
  });
  return { worker, pages: address, link, urgent };
}

/** At the end of the memory, out of the way of what a checkpoint wants to have back in its old place. */
function lastFreePages(): number {
  for (let page = TOTAL_PAGES - 1 - WORKER_PAGES; page > 0; page -= WORKER_PAGES) {
    const address = page * PAGE_BYTES;
    if (!pages.lend(address, WORKER_PAGES)) continue;
    // Those count here.
    pages.takeBack(address, ENCODING_PAGES);
    pages.reserve(address, ENCODING_PAGES);
    return address;
  }
  throw new SqlError('53200', 'out of memory', { detail: `No run of ${WORKER_PAGES} pages of 64 KiB is free.` });
}

/** The worker has ended. */
export function takeBackPages({ pages: address }: StartedWorker): void {
  pages.release(address, ENCODING_PAGES);
  pages.takeBack(address + ENCODING_PAGES * PAGE_BYTES, MESSAGE_PAGES);
}

/** The worker's file: built, or under the loader that runs the sources as they are. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './testing/worker.mjs' : './start.js', import.meta.url);
}
