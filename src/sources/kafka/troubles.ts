/**
 * What a source of a topic tells of its cluster, and how long it waits before it asks again.
 *
 *   cluster      asked for metadata: no answer, no such topic, no right     told at once
 *   partitions   fetches that fail though the metadata comes                told when a partition has failed TOLD_AFTER times in a row: a leader that moves fails once or twice
 *
 * Told is the first trouble, once, until it is another; all well is `recovered`.
 */
import { isDenied, isUnknownTopic, kafkaSqlError } from '../../kafka/errors.ts';
import type { Arrivals } from '../arrivals.ts';
import type { SourceEvent } from '../source.ts';
import { TopicReplaced } from './connection.ts';
import type { KafkaSourceOptions } from './options.ts';

export const FIRST_PAUSE_MS = 100;
const GREATEST_PAUSE_MS = 5000;
const TOLD_AFTER = 3;

type Trouble = Extract<SourceEvent, { kind: 'unreachable' | 'topic_missing' | 'denied' }>;

interface Failure {
  times: number;
  trouble: Trouble;
}

/** Before the next try after so many failures in a row. */
export function pauseAfter(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), GREATEST_PAUSE_MS);
}

export class Troubles {
  readonly #options: KafkaSourceOptions;
  readonly #arrivals: Arrivals;
  #cluster: Trouble | null = null;
  /** By partition: how often fetching it has failed in a row. */
  readonly #partitions = new Map<number, Failure>();
  /** What was told last: its kind or its message. */
  #told: string | null = null;

  constructor(options: KafkaSourceOptions, arrivals: Arrivals) {
    this.#options = options;
    this.#arrivals = arrivals;
  }

  clusterFailed(error: unknown): void {
    this.#cluster = this.#troubleOf(error);
    this.#tell();
  }

  clusterAnswers(): void {
    this.#cluster = null;
    this.#tell();
  }

  /** Gives how often it has failed now. */
  partitionFailed(partition: number, error: unknown): number {
    const times = (this.#partitions.get(partition)?.times ?? 0) + 1;
    const { kind, message } = this.#troubleOf(error);
    const trouble = { kind, message: `fetching partition ${partition} fails: ${message}` };
    this.#partitions.set(partition, { times, trouble });
    this.#tell();
    return times;
  }

  partitionAnswers(partition: number): void {
    if (this.#partitions.delete(partition)) this.#tell();
  }

  #troubleOf(error: unknown): Trouble {
    const { message } = kafkaSqlError(error, this.#options.cluster.brokers, this.#options.topic);
    if (isUnknownTopic(error) || error instanceof TopicReplaced) return { kind: 'topic_missing', message };
    return { kind: isDenied(error) ? 'denied' : 'unreachable', message };
  }

  #tell(): void {
    const failing = [...this.#partitions.values()].find(({ times }) => times >= TOLD_AFTER);
    const trouble = this.#cluster ?? failing?.trouble ?? null;
    // Why the cluster is not reached is said in many ways.
    const byKind = trouble !== null && trouble === this.#cluster && trouble.kind !== 'topic_missing';
    const what = byKind ? trouble.kind : (trouble?.message ?? null);
    if (what === this.#told) return;
    this.#told = what;
    this.#arrivals.tell(trouble ?? { kind: 'recovered' });
  }
}
