/**
 * connector = 'kafka', for writing: every tick's changes become messages, sent in order with kafkajs's idempotent producer and the partitioner that
 * Java clients use (murmur2 of the key), acknowledged by all in-sync replicas before write() resolves.
 *
 * At least once: after a failure the tick is sent again as a whole, by a new producer, so a reader may see a key's messages of a tick twice, in
 * order. New because the broker may have taken messages whose answer was lost: the old producer would number the first ones of the tick like those,
 * and be refused for ever, or believed to have repeated itself.
 * Exactly-once output (a transaction for each tick with a progress record) needs ticks that survive a restart; see docs/decisions.
 */
import { type Admin, CompressionTypes, type Kafka, Partitioners, type Producer } from 'kafkajs';
import type { Batch } from '../../../operators/batch/batch.ts';
import { kafkaClient } from '../../kafka/client.ts';
import { isUnknownTopic, kafkaSqlError } from '../../kafka/errors.ts';
import type { SinkRows, SinkWriter } from '../../runtime/sink.ts';
import { type OutMessage, RowEncoder } from './encode.ts';
import { type KafkaSinkOptions, parseKafkaSinkOptions } from './options.ts';

/** Messages of one produce request, in number and in characters. */
const SEND_MESSAGES = 5000;
const SEND_CHARACTERS = 512 * 1024;
const RETRIES = 5;

/** Opens the topic, creating it when missing. Throws SqlError when options are wrong or the cluster can't be used. */
export async function openKafkaSink(options: Record<string, string>, rows: SinkRows): Promise<SinkWriter> {
  const sink = new KafkaSink(parseKafkaSinkOptions(options, rows), rows.columns);
  await sink.open();
  return sink;
}

class KafkaSink implements SinkWriter {
  readonly #options: KafkaSinkOptions;
  readonly #encoder: RowEncoder;
  readonly #kafka: Kafka;
  #producer: Producer;
  #connected = false;

  constructor(options: KafkaSinkOptions, columns: { name: string }[]) {
    this.#options = options;
    this.#encoder = new RowEncoder(columns, options.envelope, options.key);
    this.#kafka = kafkaClient(options.cluster, () => undefined, options.cluster.brokers.length);
    this.#producer = this.#newProducer();
  }

  #newProducer(): Producer {
    return this.#kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { retries: RETRIES },
    });
  }

  async open(): Promise<void> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      await this.#ensureTopic(admin);
      await this.#connect();
    } catch (error) {
      throw kafkaSqlError(error, this.#options.cluster.brokers, this.#options.topic);
    } finally {
      await admin.disconnect();
    }
  }

  async #connect(): Promise<void> {
    if (this.#connected) return;
    await this.#producer.connect();
    this.#connected = true;
  }

  async #ensureTopic(admin: Admin): Promise<void> {
    const { topic, envelope, partitions, replicationFactor } = this.#options;
    try {
      await admin.fetchTopicMetadata({ topics: [topic] });
      return;
    } catch (error) {
      if (!isUnknownTopic(error)) throw error;
    }
    const policy = envelope === 'upsert' ? 'compact' : 'delete';
    const configEntries = [{ name: 'cleanup.policy', value: policy }];
    const topics = [{ topic, numPartitions: partitions, replicationFactor, configEntries }];
    await admin.createTopics({ topics, waitForLeaders: true });
  }

  async write(tick: bigint, delta: Batch): Promise<void> {
    const messages = this.#encoder.encode(tick, delta);
    try {
      await this.#connect();
      await this.#send(messages);
    } catch (error) {
      await this.#renewProducer();
      throw kafkaSqlError(error, this.#options.cluster.brokers, this.#options.topic);
    }
  }

  async #send(messages: OutMessage[]): Promise<void> {
    for (let from = 0; from < messages.length; ) {
      const to = sendEnd(messages, from);
      await this.#producer.send({
        topic: this.#options.topic,
        acks: -1,
        compression: this.#options.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None,
        messages: messages.slice(from, to),
      });
      from = to;
    }
  }

  async #renewProducer(): Promise<void> {
    const old = this.#producer;
    this.#producer = this.#newProducer();
    this.#connected = false;
    await old.disconnect();
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}

/** Where the request that starts at message `from` ends. */
function sendEnd(messages: OutMessage[], from: number): number {
  let characters = 0;
  let to = from;
  while (to < messages.length && to - from < SEND_MESSAGES && (to === from || characters < SEND_CHARACTERS)) {
    characters += (messages[to].value?.length ?? 0) + (messages[to].key?.length ?? 0);
    to++;
  }
  return to;
}
