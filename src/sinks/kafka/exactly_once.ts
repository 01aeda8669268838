/**
 * delivery = 'exactly_once': each group of ticks is one Kafka transaction, with the record {sink, last tick} in PROGRESS_TOPIC inside it (progress.ts).
 *
 *   create   topics -> InitProducerId -> claim {0, me}
 *   begin    InitProducerId: fences whoever wrote before and ends what it left open -> last progress -> the topic is that one -> claim {tick, me}, once in a process's life
 *   write    the topic is the same -> progress record -> messages -> commit
 *
 * transactional.id is the sink's identity, so a server and its successor have the same. After any failure, an unknown outcome of a commit above all, the
 * producer is thrown away and begin() comes: the progress tells whether the transaction is there. What it says decides, not the tick log.
 *
 * Two servers with copies of one data directory: each InitProducerId fences the other. A writer that has claimed and then finds another's claim stops;
 * so the one that was started last goes on, and no transaction of the other can come after its claim. A copy that is older than what was written stops before it claims.
 *
 * A transaction that takes longer than transaction_timeout is aborted by the broker, which looks like fencing; with the claim still ours it is tried again with
 * twice the time. It is as long as its group takes to send: large first rows, that is.
 *
 * kafkajs (2.2.4): its own retries are off. A send that it tries again may go to other partitions when messages have no key, and its state machine stays in
 * COMMITTING after a commit that failed. AddPartitionsToTxn is refused (CONCURRENT_TRANSACTIONS) while the broker ends the transaction before; the progress
 * record goes first and alone, so that this is tried again before anything else is sent.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kafka, Partitioners, type Producer, type Transaction } from 'kafkajs';
import { SqlError } from '../../../operators/errors.ts';
import { kafkaClient } from '../../kafka/client.ts';
import { isUnknownTopic, kafkaSqlError, rootCause } from '../../kafka/errors.ts';
import type { SinkWriter, TickChanges } from '../../runtime/sink.ts';
import { type RowEncoder, rowEncoder } from './encode.ts';
import type { OutColumn } from './forms.ts';
import type { KafkaSinkOptions } from './options.ts';
import { lastProgress, PROGRESS_TOPIC, progressValue } from './progress.ts';
import { ChangeSender } from './send.ts';
import { makeTopics } from './topics.ts';
import { WrittenTopic } from './written_topic.ts';

/** The broker is still ending the transaction before. */
const CONCURRENT = ['CONCURRENT_TRANSACTIONS'];
const COORDINATOR_MOVES = [
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'KafkaJSGroupCoordinatorNotFound',
];
/** How long that may be the answer. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 5;
/** What brokers allow unless they are configured (transaction.max.timeout.ms). */
const LONGEST_TIMEOUT_MS = 900_000;

export class ExactlyOnce implements SinkWriter {
  readonly delivery = 'exactly_once';
  readonly #options: KafkaSinkOptions;
  readonly #identity: string;
  readonly #encoder: RowEncoder;
  readonly #sender: ChangeSender;
  readonly #topic: WrittenTopic;
  readonly #kafka: Kafka;
  readonly #me = randomUUID();
  #claimed = false;
  #timeoutMs: number;
  #producer: Producer | null = null;
  /** InitProducerId is done, nothing is sent. */
  #ready: Transaction | null = null;
  readonly #retiring = new Set<Promise<void>>();

  constructor(options: KafkaSinkOptions, columns: OutColumn[], identity: string) {
    this.#options = options;
    this.#identity = identity;
    this.#encoder = rowEncoder(options, columns);
    this.#sender = new ChangeSender(this.#encoder, options);
    this.#topic = new WrittenTopic(options);
    this.#kafka = kafkaClient(options.cluster, () => undefined, options.cluster.brokers.length);
    this.#timeoutMs = options.transactionTimeoutMs;
  }

  create(): Promise<void> {
    return this.#asking(async () => {
      await this.#encoder.prepare();
      await makeTopics(this.#kafka, this.#options);
      await this.#topic.made();
      // A cluster looks for a coordinator in its first moments, and when a broker goes. Afterwards what has failed is begun again anyhow.
      await whileAnswers(COORDINATOR_MOVES, async () => {
        await this.#takeOver();
        await this.#claim(0n);
      });
    });
  }

  begin(known: bigint): Promise<bigint> {
    return this.#asking(async () => {
      await this.#encoder.prepare();
      await this.#takeOver();
      const last = await lastProgress(this.#options.cluster, this.#identity);
      if (last === null) throw progressGone();
      if (this.#claimed) {
        if (last.owner !== this.#me) throw takenOver();
      } else {
        if (last.tick > known) throw olderCopy(last.tick, known);
        if (last.topicId !== null) this.#topic.expect(last.topicId);
      }
      await this.#topic.check();
      if (!this.#claimed) await this.#claim(last.tick);
      return last.tick;
    });
  }

  /** A producer that nobody has used, under our identity: from here on no other can write or commit. */
  async #takeOver(): Promise<void> {
    this.#retire();
    const producer = this.#kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
      transactionalId: `tidemark-${this.#identity}`,
      transactionTimeout: this.#timeoutMs,
      maxInFlightRequests: 1,
      retry: { retries: 0 },
    });
    this.#producer = producer;
    await producer.connect();
    this.#ready = await whileAnswers(CONCURRENT, () => producer.transaction());
  }

  async #claim(tick: bigint): Promise<void> {
    await this.#transaction(tick, () => Promise.resolve());
    this.#claimed = true;
  }

  async write(ticks: TickChanges[]): Promise<void> {
    const started = Date.now();
    try {
      const tick = ticks[ticks.length - 1].tick;
      await this.#asking(async () => {
        await this.#topic.check();
        await this.#transaction(tick, (transaction) => this.#sender.send((record) => transaction.send(record), ticks));
      });
    } catch (error) {
      if (Date.now() - started >= this.#timeoutMs)
        this.#timeoutMs = Math.min(2 * this.#timeoutMs, Math.max(LONGEST_TIMEOUT_MS, this.#timeoutMs));
      throw error;
    }
  }

  async #transaction(tick: bigint, send: (transaction: Transaction) => Promise<void>): Promise<void> {
    const producer = this.#producer;
    if (producer === null) throw new Error('begin() comes before write()');
    const transaction = this.#ready ?? (await producer.transaction());
    this.#ready = null;
    const value = progressValue({ tick, owner: this.#me, topicId: this.#topic.id }, this.#options);
    const messages = [{ key: this.#identity, value, partition: 0 }];
    try {
      await whileAnswers(CONCURRENT, () => transaction.send({ topic: PROGRESS_TOPIC, acks: -1, messages }));
    } catch (error) {
      // Else it would pass for the topic of the sink.
      throw isUnknownTopic(error) ? kafkaSqlError(error, this.#options.cluster.brokers, PROGRESS_TOPIC) : error;
    }
    await send(transaction);
    await transaction.commit();
  }

  /** Runs something after whose failure only begin() may follow. */
  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      this.#retire();
      throw this.#explained(error);
    }
  }

  #explained(error: unknown): SqlError {
    const { brokers } = this.#options.cluster;
    const { type } = rootCause(error);
    if (type === 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' || type === 'CLUSTER_AUTHORIZATION_FAILED') {
      return new SqlError('42501', `permission denied for the Kafka transactional id "tidemark-${this.#identity}"`, {
        hint: "A sink needs WRITE and DESCRIBE on transactional ids with the prefix 'tidemark-', or delivery = 'at_least_once'.",
      });
    }
    if (type === 'INVALID_TRANSACTION_TIMEOUT') {
      this.#timeoutMs = Math.max(1000, this.#timeoutMs >> 1);
      return new SqlError('58000', 'the broker does not allow a transaction to take that long', {
        hint: 'Set transaction_timeout to at most its transaction.max.timeout.ms.',
      });
    }
    return kafkaSqlError(error, brokers, this.#options.topic);
  }

  /** Its connections end when what it has under way is answered or given up. */
  #retire(): void {
    const producer = this.#producer;
    this.#producer = null;
    this.#ready = null;
    if (producer === null) return;
    const ended = producer
      .disconnect()
      .catch(() => undefined)
      .then(() => {
        this.#retiring.delete(ended);
      });
    this.#retiring.add(ended);
  }

  async close(forget: boolean): Promise<void> {
    if (forget && this.#claimed) await this.#forget();
    this.#retire();
    await Promise.all([...this.#retiring, this.#topic.close()]);
  }

  /** Takes the sink's record out of the progress topic. When that fails it stays there, and does no harm. */
  async #forget(): Promise<void> {
    if (this.#producer === null) return;
    const transaction = this.#ready ?? (await this.#producer.transaction());
    this.#ready = null;
    try {
      const messages = [{ key: this.#identity, value: null, partition: 0 }];
      await whileAnswers(CONCURRENT, () => transaction.send({ topic: PROGRESS_TOPIC, acks: -1, messages }));
      await transaction.commit();
    } catch {
      // The broker is away, or another writes this sink.
    }
  }
}

/** Tries again as long as that is the answer. */
async function whileAnswers<T>(types: string[], ask: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(PAUSE_MS)) {
    try {
      return await ask();
    } catch (error) {
      const { type, name } = rootCause(error);
      const isAnswer = types.includes(type ?? '') || types.includes(name ?? '');
      if (!isAnswer || Date.now() > until) throw error;
    }
  }
}

function takenOver(): SqlError {
  return new SqlError('55006', 'another server has taken the sink over', {
    detail: 'It has a copy of this data directory. What comes from here on is written by that server only.',
    hint: 'Run one server with a data directory. DROP SINK and CREATE SINK make a sink of this server.',
  });
}

function olderCopy(written: bigint, known: bigint): SqlError {
  return new SqlError('55000', `the sink has written up to tick ${written}, and the data directory ends at ${known}`, {
    detail: 'The directory is an older copy: what it does from here on is not what was written.',
    hint: 'DROP SINK and CREATE SINK begin again with the rows of now.',
  });
}

function progressGone(): SqlError {
  return new SqlError('55000', `Kafka topic "${PROGRESS_TOPIC}" no longer has the progress of the sink`, {
    detail: 'Nobody can tell what it has written.',
    hint: 'DROP SINK and CREATE SINK begin again with the rows of now.',
  });
}
