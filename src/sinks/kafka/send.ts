/** Messages as produce requests of a bounded size. */
import { CompressionTypes, type Message, type ProducerRecord } from 'kafkajs';
import type { TickChanges } from '../../runtime/sink.ts';
import type { RowEncoder } from './encode.ts';
import type { KafkaSinkOptions } from './options.ts';

/** Messages of one produce request, in number and in characters. */
const SEND_MESSAGES = 5000;
const SEND_CHARACTERS = 512 * 1024;

type Send = (record: ProducerRecord) => Promise<unknown>;

/** Sends the changes of some ticks in order, one request after another. */
export async function sendChanges(
  send: Send,
  ticks: TickChanges[],
  encoder: RowEncoder,
  { topic, compression }: KafkaSinkOptions,
): Promise<void> {
  let messages: Message[] = [];
  let characters = 0;
  const flush = async () => {
    if (messages.length === 0) return;
    const codec = compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
    await send({ topic, acks: -1, compression: codec, messages });
    messages = [];
    characters = 0;
  };
  for (const { tick, batch } of ticks) {
    for (const message of encoder.encode(tick, batch)) {
      if (messages.length === SEND_MESSAGES || characters >= SEND_CHARACTERS) await flush();
      messages.push(message);
      characters += (message.value?.length ?? 0) + (message.key?.length ?? 0);
    }
  }
  await flush();
}
