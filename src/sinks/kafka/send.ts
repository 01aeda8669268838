/**
 * Messages as produce requests of a bounded size. Brokers take what is sent for a partition at once as one batch, and refuse one that is larger than the topic's
 * max.message.bytes (1 MB by default): then less goes in one from the next try on.
 */
import { CompressionTypes, type Message, type ProducerRecord } from 'kafkajs';
import { SqlError } from '../../../operators/errors.ts';
import { rootCause } from '../../kafka/errors.ts';
import type { TickChanges } from '../../runtime/sink.ts';
import { type RowEncoder, shownKey } from './encode.ts';
import type { Bytes } from './forms.ts';
import type { KafkaSinkOptions } from './options.ts';

/** Messages of one produce request, in number and in bytes. */
const SEND_MESSAGES = 5000;
const SEND_BYTES = 512 * 1024;
/** Of a message beside its key and value, at most. */
const MESSAGE_BYTES = 32;

type Send = (record: ProducerRecord) => Promise<unknown>;

interface Sized {
  message: Message;
  bytes: number;
}

export class ChangeSender {
  readonly #encoder: RowEncoder;
  readonly #options: KafkaSinkOptions;
  #most = SEND_BYTES;

  constructor(encoder: RowEncoder, options: KafkaSinkOptions) {
    this.#encoder = encoder;
    this.#options = options;
  }

  /** Sends the changes of some ticks in order, one request after another. */
  async send(send: Send, ticks: TickChanges[]): Promise<void> {
    let waiting: Sized[] = [];
    let bytes = 0;
    const flush = async () => {
      if (waiting.length > 0) await this.#request(send, waiting, bytes);
      waiting = [];
      bytes = 0;
    };
    for (const { tick, batch } of ticks) {
      for (const message of this.#encoder.encode(tick, batch)) {
        const size = MESSAGE_BYTES + byteLength(message.key) + byteLength(message.value);
        if (waiting.length === SEND_MESSAGES || bytes + size > this.#most) await flush();
        waiting.push({ message, bytes: size });
        bytes += size;
      }
    }
    await flush();
  }

  async #request(send: Send, sized: Sized[], bytes: number): Promise<void> {
    const { topic, compression } = this.#options;
    const codec = compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
    const messages = sized.map(({ message }) => message);
    try {
      await send({ topic, acks: -1, compression: codec, messages });
    } catch (error) {
      if (rootCause(error).type !== 'MESSAGE_TOO_LARGE') throw error;
      if (sized.length === 1) throw tooLarge(topic, sized[0]);
      this.#most = Math.min(this.#most, bytes) >>> 1;
      throw error;
    }
  }
}

function byteLength(bytes: Bytes | null): number {
  return bytes === null ? 0 : Buffer.byteLength(bytes);
}

function tooLarge(topic: string, { message, bytes }: Sized): SqlError {
  const key = message.key ? ` for key ${shownKey(message.key).slice(0, 200)}` : '';
  return new SqlError(
    '53400',
    `a message of ${bytes} bytes${key} is larger than Kafka topic "${topic}" allows: raise its max.message.bytes`,
  );
}
