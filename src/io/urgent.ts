/**
 * What the I/O thread hears that may end a statement, told a second time where the dataflow thread can look in the middle of a turn (operators/turn.ts):
 *
 *   cancel request, client gone, end of the process ─┬─> channel            heard between turns, in order, by all
 *                                                    └─> port of its own    taken out by receiveMessageOnPort() while a statement runs: it hears what is for it, the rest waits for its own statement's turn or for the channel
 *
 * Nothing wakes anybody by it. What has come from the channel is taken out, so that nothing piles up: but for the end of the process, which all have to hear who take turns before the main thread does.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

export type Urgent =
  | { k: 'cancel'; serial: number; pid: number; secret: Uint8Array }
  /** The client sends no more, or its socket is gone. */
  | { k: 'left'; connection: number; closed: boolean }
  /** The process was asked to end. */
  | { k: 'ending' };

export function* takeUrgent(port: MessagePort): Iterable<Urgent> {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
    yield next.message as Urgent;
}
