/**
 * How far each sink has written: one record a transaction in the compacted topic PROGRESS_TOPIC, committed with what it tells of.
 *
 *   key  the sink's identity      value  {"tick": "7", "owner": the writer's name, "topic": ..., "topic_id": ...}
 *
 * Read back by the writer that has just become the only one, so that all transactions under its identity have ended. Those of other sinks may be open, and an
 * open one hides everything behind it from readers of committed records. Therefore everything is read, up to the high watermark, and what became of a record is
 * seen from its producer's marker: abort takes it away. (Compaction drops aborted records first and markers last, so a record without one is committed.)
 */
import { kafkaSqlError } from '../../kafka/errors.ts';
import type { ClusterOptions } from '../../kafka/options.ts';
import { batchesOf, endOfRecordSet } from '../../kafka/record_batch.ts';
import { readRecordSet } from '../../kafka/record_set.ts';
import { TopicConnection, TopicIdentity, type TopicOptions } from '../../sources/kafka/connection.ts';

export const PROGRESS_TOPIC = 'tidemark-sink-progress';

export interface Progress {
  tick: bigint;
  /** Which writer said it: every process has a name of its own. */
  owner: string;
  /** What the cluster calls the topic that is written; null where it was not known. */
  topicId: string | null;
}

export function progressValue({ tick, owner, topicId }: Progress, sink: { topic: string }): string {
  return JSON.stringify({ tick: String(tick), owner, topic: sink.topic, topic_id: topicId });
}

function parseProgress(text: string): Progress {
  const { tick, owner, topic_id: topicId } = JSON.parse(text) as { tick: string; owner: string; topic_id?: string };
  return { tick: BigInt(tick), owner, topicId: topicId ?? null };
}

const FETCH_BYTES = 8 << 20;

/** For a connection that asks about a topic, or reads a little of it. */
export function askingOnly(cluster: ClusterOptions, topic: string): TopicOptions {
  return { cluster, topic, committedOnly: false, fetchBytes: FETCH_BYTES };
}

/** The last committed record of a sink; null when there is none. */
export async function lastProgress(cluster: ClusterOptions, identity: string): Promise<Progress | null> {
  const connection = new TopicConnection(askingOnly(cluster, PROGRESS_TOPIC), () => undefined, new TopicIdentity());
  try {
    await connection.refresh();
    const at = async (which: 'earliest' | 'latest') => (await connection.offsets([0], which)).get(0) ?? 0n;
    const found = new Found(Buffer.from(identity, 'utf8'));
    const end = await at('latest');
    let empty = 0;
    // Compaction may leave nothing before the end, which is believed when it is said twice.
    for (let next = await at('earliest'); next < end && empty < 2; ) {
      const leader = connection.leaders().get(0) ?? -1;
      const [fetched] = await connection.fetch(leader, [{ partition: 0, offset: next, maxBytes: FETCH_BYTES }], 100);
      if (fetched === undefined || fetched.errorCode !== 0)
        throw new Error(`reading "${PROGRESS_TOPIC}" fails with error ${fetched?.errorCode}`);
      await found.take(fetched.records, next);
      const after = endOfRecordSet(fetched.records, next);
      if (after > next) empty = 0;
      else empty++;
      next = after;
    }
    return found.last;
  } catch (error) {
    throw kafkaSqlError(error, cluster.brokers, PROGRESS_TOPIC);
  } finally {
    await connection.reset();
  }
}

/** What the records of one sink say, as they are read. */
class Found {
  readonly #key: Buffer;
  #committed: Progress | null = null;
  /** By producer: not ended as far as has been read. */
  readonly #open = new Map<bigint, Progress | null>();

  constructor(key: Buffer) {
    this.#key = key;
  }

  async take(records: Buffer, from: bigint): Promise<void> {
    const batch = await readRecordSet(0, records, from, [], true);
    if (batch === null) return;
    let i = 0;
    for (const { nextOffset, producerId, transactional, marker } of batchesOf(records, from)) {
      if (marker !== null) this.#ended(producerId, marker);
      for (; i < batch.n && batch.offset[i] < nextOffset; i++) {
        const { keyStart, valueStart, bytes } = batch;
        if (keyStart[i] < 0 || !bytes.subarray(keyStart[i], batch.keyEnd[i]).equals(this.#key)) continue;
        const value =
          valueStart[i] < 0 ? null : parseProgress(bytes.toString('utf8', valueStart[i], batch.valueEnd[i]));
        if (transactional) this.#open.set(producerId, value);
        else this.#committed = value;
      }
    }
  }

  #ended(producerId: bigint, marker: 'commit' | 'abort'): void {
    const value = this.#open.get(producerId);
    if (value === undefined) return;
    this.#open.delete(producerId);
    if (marker === 'commit') this.#committed = value;
  }

  get last(): Progress | null {
    let last = this.#committed;
    for (const value of this.#open.values()) if (value !== null && value.tick >= (last?.tick ?? 0n)) last = value;
    return last;
  }
}
