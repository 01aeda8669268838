/**
 * delivery = 'at_least_once': ticks are sent in order with kafkajs's idempotent producer, acknowledged by all in-sync replicas before write() resolves.
 *
 * After a failure they are sent again as a whole, by a new producer, so a reader may see a key's messages of a tick twice, in order. New because the
 * broker may have taken messages whose answer was lost: the old producer would number the first ones of the tick like those, and be
 * refused for ever, or believed to have repeated itself.
 *
 * Which topic it wrote is known as long as the server lives: after a restart it writes the one that is there, unless it had stopped.
 */
import { type Kafka, Partitioners, type Producer } from 'kafkajs';
import { kafkaClient } from '../../kafka/client.ts';
import { kafkaSqlError } from '../../kafka/errors.ts';
import type { SinkWriter, TickChanges } from '../../runtime/sink.ts';
import { type RowEncoder, rowEncoder } from './encode.ts';
import type { OutColumn } from './forms.ts';
import type { KafkaSinkOptions } from './options.ts';
import { ChangeSender } from './send.ts';
import { makeTopics } from './topics.ts';
import { WrittenTopic } from './written_topic.ts';

const RETRIES = 5;

export class AtLeastOnce implements SinkWriter {
  readonly delivery = 'at_least_once';
  readonly #options: KafkaSinkOptions;
  readonly #encoder: RowEncoder;
  readonly #sender: ChangeSender;
  readonly #topic: WrittenTopic;
  readonly #kafka: Kafka;
  #producer: Producer | null = null;

  constructor(options: KafkaSinkOptions, columns: OutColumn[]) {
    this.#options = options;
    this.#encoder = rowEncoder(options, columns);
    this.#sender = new ChangeSender(this.#encoder, options);
    this.#topic = new WrittenTopic(options);
    this.#kafka = kafkaClient(options.cluster, () => undefined, options.cluster.brokers.length);
  }

  async create(): Promise<void> {
    await this.#asking(async () => {
      await this.#encoder.prepare();
      await makeTopics(this.#kafka, this.#options);
      await this.#topic.made();
      await this.#newProducer();
    });
  }

  async begin(): Promise<null> {
    await this.#asking(async () => {
      await this.#encoder.prepare();
      await this.#topic.check();
      await this.#newProducer();
    });
    return null;
  }

  async #newProducer(): Promise<void> {
    const old = this.#producer;
    this.#producer = this.#kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { retries: RETRIES },
    });
    await old?.disconnect();
    await this.#producer.connect();
  }

  async write(ticks: TickChanges[]): Promise<void> {
    const producer = this.#producer;
    if (producer === null) throw new Error('begin() comes before write()');
    await this.#asking(async () => {
      await this.#topic.check();
      await this.#sender.send((record) => producer.send(record), ticks);
    });
  }

  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw kafkaSqlError(error, this.#options.cluster.brokers, this.#options.topic);
    }
  }

  async close(): Promise<void> {
    await this.#producer?.disconnect();
    await this.#topic.close();
  }
}
