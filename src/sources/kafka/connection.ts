/**
 * One topic seen through kafkajs's cluster object: leaders, offsets, raw fetches. No retries here; callers decide.
 *
 * A topic that was deleted and made again is another topic: offsets mean other records there. All connections of a source share a TopicIdentity, and
 * refresh() fails with TopicReplaced as soon as the cluster shows another id (brokers from 2.8 on do). Records are asked for by the id (brokers from 3.1 on), so none of
 * another topic come before that is seen.
 */
import { SqlError } from '../../../operators/errors.ts';
import { kafkaClient, type Log, type RawCluster, rawCluster } from '../../kafka/client.ts';
import { KAFKA, protocolError } from '../../kafka/errors.ts';
import {
  type FetchedPartition,
  type FetchPartition,
  type FetchSettings,
  fetchRequest,
  parseFetchResponse,
} from '../../kafka/fetch.ts';
import { fetchByIdRequest, fetchesById, parseFetchByIdResponse } from '../../kafka/fetch_by_id.ts';
import { parseTopicId, tellsTopicIds, topicIdRequest } from '../../kafka/topic_id.ts';
import type { KafkaSourceOptions } from './options.ts';

export class TopicReplaced extends SqlError {
  constructor(topic: string) {
    super(
      '58P01',
      `Kafka topic "${topic}" was deleted and made again: its records are not those that were read before`,
      {
        hint: 'Drop the stream and create it again to read the new topic.',
      },
    );
  }
}

/** Which topic of its name a source reads: the first that it saw, or the one that it is told to expect. */
export class TopicIdentity {
  #id: string | null = null;

  get id(): string | null {
    return this.#id;
  }

  expect(id: string): void {
    this.#id = id;
  }

  check(id: string | null, topic: string): void {
    if (id === null) return;
    this.#id ??= id;
    if (id !== this.#id) throw new TopicReplaced(topic);
  }
}

/** What a connection needs of the options of a source. */
export type TopicOptions = Pick<KafkaSourceOptions, 'cluster' | 'topic' | 'committedOnly' | 'fetchBytes'>;

export class TopicConnection {
  readonly #options: TopicOptions;
  readonly #log: Log;
  readonly #identity: TopicIdentity;
  #cluster: RawCluster | null = null;
  #targeted = false;

  constructor(options: TopicOptions, log: Log, identity: TopicIdentity) {
    this.#options = options;
    this.#log = log;
    this.#identity = identity;
  }

  /** Connects when needed and asks for fresh metadata. Throws kafkajs errors, UNKNOWN_TOPIC_OR_PARTITION for a missing topic; TopicReplaced. */
  async refresh(): Promise<void> {
    const cluster = this.#open();
    await cluster.connect();
    if (this.#targeted) await cluster.refreshMetadata();
    else await cluster.addTargetTopic(this.#options.topic);
    this.#targeted = true;
    this.#identity.check(await this.#topicId(), this.#options.topic);
  }

  /** Null when no broker can tell now. */
  async #topicId(): Promise<string | null> {
    const leader = [...this.leaders().values()].find((nodeId) => nodeId >= 0);
    if (leader === undefined) return null;
    const broker = await this.#open().findBroker({ nodeId: String(leader) });
    if (!tellsTopicIds(broker.versions)) return null;
    return await broker.connectionPool
      .send({
        request: topicIdRequest(this.#options.topic),
        response: {
          decode: (bytes: Buffer) => Promise.resolve({ id: parseTopicId(bytes), clientSideThrottleTime: 0 }),
          parse: ({ id }) => Promise.resolve({ id, clientSideThrottleTime: 0 }),
        },
        requestTimeout: this.#options.cluster.requestTimeoutMs,
        logResponseError: false,
      })
      .then(({ id }) => id);
  }

  #open(): RawCluster {
    if (this.#cluster === null) {
      const { cluster: where, committedOnly } = this.#options;
      const cluster = rawCluster(kafkaClient(where, this.#log, where.brokers.length), committedOnly);
      if (cluster === null) throw new Error('the raw reader needs kafkajs 2.2.4');
      this.#cluster = cluster;
    }
    return this.#cluster;
  }

  /** Leader of each partition as of the last refresh, ascending by partition; -1 when there is none. */
  leaders(): Map<number, number> {
    const partitions = this.#open().findTopicPartitionMetadata(this.#options.topic);
    return new Map(partitions.map((p) => [p.partitionId, p.leader] as const).sort((a, b) => a[0] - b[0]));
  }

  /** Offsets of these partitions: the first, the one behind the last (stable) record, or the first at or after a time. */
  async offsets(partitions: number[], at: 'earliest' | 'latest' | number): Promise<Map<number, bigint>> {
    const { topic } = this.#options;
    const query = { topic, partitions: partitions.map((partition) => ({ partition })) };
    const which = typeof at === 'number' ? { fromTimestamp: at } : { fromBeginning: at === 'earliest' };
    const [found] = await this.#open().fetchTopicsOffset([{ ...query, ...which }]);
    const offsets = new Map(found.partitions.map((p) => [p.partition, BigInt(p.offset)] as const));
    if (typeof at === 'number' && [...offsets.values()].some((offset) => offset < 0n)) {
      const latest = await this.offsets(partitions, 'latest');
      for (const [partition, offset] of offsets)
        if (offset < 0n) offsets.set(partition, latest.get(partition) as bigint);
    }
    return offsets;
  }

  async fetch(nodeId: number, partitions: FetchPartition[], maxWaitMs: number): Promise<FetchedPartition[]> {
    const { topic, fetchBytes, committedOnly, cluster } = this.#options;
    const settings: FetchSettings = {
      topic,
      maxWaitMs,
      maxBytes: fetchBytes,
      committedOnly,
    };
    const { id } = this.#identity;
    const broker = await this.#open().findBroker({ nodeId: String(nodeId) });
    const byId = id !== null && fetchesById(broker.versions);
    const parse = byId ? parseFetchByIdResponse : parseFetchResponse;
    const { errorCode, partitions: fetched } = await broker.connectionPool.send({
      request: byId ? fetchByIdRequest(id, settings, partitions) : fetchRequest(settings, partitions),
      response: {
        decode: (bytes: Buffer) => {
          const response = parse(bytes);
          return Promise.resolve({ ...response, clientSideThrottleTime: response.throttleMs });
        },
        parse: (response) => Promise.resolve(response),
      },
      requestTimeout: maxWaitMs + cluster.requestTimeoutMs,
      logResponseError: false,
    });
    if (errorCode !== KAFKA.none) throw protocolError(errorCode);
    return fetched;
  }

  /** Drops all connections; the next refresh() starts anew from the configured brokers. */
  async reset(): Promise<void> {
    const cluster = this.#cluster;
    this.#cluster = null;
    this.#targeted = false;
    await cluster?.disconnect();
  }
}
