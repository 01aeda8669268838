/**
 * Which topic of its name a sink writes. One that was deleted and made again is another: the rows that were written before are not in it, and what comes from here on
 * could never add up to the view. check() is asked before anything is written: two requests a group of ticks. A topic that is made again right after a check gets that
 * group, and the next check finds it. Brokers before 2.8 do not tell.
 */
import { SqlError } from '../../../operators/errors.ts';
import { askLeaders } from '../../kafka/leaders.ts';
import { TopicConnection, TopicIdentity, TopicReplaced } from '../../sources/kafka/connection.ts';
import type { KafkaSinkOptions } from './options.ts';
import { askingOnly } from './progress.ts';

export class WrittenTopic {
  readonly #topic: string;
  readonly #identity = new TopicIdentity();
  readonly #connection: TopicConnection;

  constructor({ cluster, topic }: KafkaSinkOptions) {
    this.#topic = topic;
    this.#connection = new TopicConnection(askingOnly(cluster, topic), () => undefined, this.#identity);
  }

  /** Null when no broker has told yet. */
  get id(): string | null {
    return this.#identity.id;
  }

  /** The topic that was written before a restart. */
  expect(id: string): void {
    this.#identity.expect(id);
  }

  /** Throws what kafkajs throws, and 55000 for another topic. */
  async check(): Promise<void> {
    try {
      await this.#connection.refresh();
    } catch (error) {
      await this.close();
      throw error instanceof TopicReplaced ? madeAgain(this.#topic) : error;
    }
  }

  /** The first check: not every broker knows a topic that was just made. */
  made(): Promise<void> {
    return askLeaders(
      () => Promise.resolve(),
      () => this.check(),
    );
  }

  async close(): Promise<void> {
    await this.#connection.reset().catch(() => undefined);
  }
}

function madeAgain(topic: string): SqlError {
  return new SqlError(
    '55000',
    `Kafka topic "${topic}" was deleted and made again: what the sink wrote before is not in it`,
    {
      hint: 'DROP SINK and CREATE SINK begin again with the rows of now.',
    },
  );
}
