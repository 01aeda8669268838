/**
 * Reads an offset range again, for replay and backfill, on connections of its own (a fetch that waits for new data would hold up those behind it).
 * Gives exactly the records of the range; a broker that is away is tried again for PATIENCE_MS.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SqlError } from '../../../operators/errors.ts';
import type { Log } from '../../kafka/client.ts';
import { KAFKA, kafkaSqlError, protocolError } from '../../kafka/errors.ts';
import type { FetchedPartition } from '../../kafka/fetch.ts';
import { CorruptBatch } from '../../kafka/record_batch.ts';
import { readRecordSet } from '../../kafka/record_set.ts';
import type { RawBatch } from '../source.ts';
import { TopicConnection, type TopicIdentity } from './connection.ts';
import type { KafkaSourceOptions } from './options.ts';

const PATIENCE_MS = 60_000;
const PAUSE_MS = 200;

export class RangeReader {
  readonly #options: KafkaSourceOptions;
  readonly #connection: TopicConnection;
  #fresh = false;
  #closed = false;

  constructor(options: KafkaSourceOptions, log: Log, identity: TopicIdentity) {
    this.#options = options;
    this.#connection = new TopicConnection(options, log, identity);
  }

  async *read(partition: number, from: bigint, to: bigint): AsyncGenerator<RawBatch> {
    for (let next = from; next < to; ) {
      const fetched = await this.#fetch(partition, next);
      const batch = await this.#records(fetched, next);
      if (batch === null) {
        throw this.#gone(partition, next, to, `the partition ends at ${fetched.lastStableOffset}`);
      }
      yield batch.nextOffset > to ? cut(batch, to) : batch;
      next = batch.nextOffset;
    }
  }

  async #records(fetched: FetchedPartition, next: bigint): Promise<RawBatch | null> {
    const aborted = this.#options.committedOnly ? fetched.aborted : [];
    try {
      return await readRecordSet(fetched.partition, fetched.records, next, aborted, this.#options.checkCrc);
    } catch (error) {
      if (!(error instanceof CorruptBatch)) throw error;
      const where = `partition ${fetched.partition}, offset ${error.offset}`;
      throw new SqlError('58030', `could not read Kafka topic "${this.#options.topic}", ${where}: ${error.message}`);
    }
  }

  #gone(partition: number, from: bigint, to: bigint, why: string): SqlError {
    const what = `offsets ${from} to ${to} of partition ${partition}`;
    return new SqlError('58P01', `Kafka topic "${this.#options.topic}" no longer has ${what}: ${why}`);
  }

  async #fetch(partition: number, offset: bigint): Promise<FetchedPartition> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      let failure: unknown;
      try {
        if (!this.#fresh) await this.#connection.refresh();
        this.#fresh = true;
        const leader = this.#connection.leaders().get(partition);
        if (leader === undefined) throw this.#gone(partition, offset, offset, 'there is no such partition');
        const { fetchPartitionBytes: maxBytes, fetchWaitMs } = this.#options;
        const [fetched] = await this.#connection.fetch(leader, [{ partition, offset, maxBytes }], fetchWaitMs);
        if (fetched?.errorCode === KAFKA.none) return fetched;
        if (fetched?.errorCode === KAFKA.offsetOutOfRange) {
          const earliest = (await this.#connection.offsets([partition], 'earliest')).get(partition);
          throw this.#gone(partition, offset, offset, `it starts at ${earliest}`);
        }
        failure =
          fetched === undefined ? new Error('an answer without the partition') : protocolError(fetched.errorCode);
      } catch (error) {
        if (error instanceof SqlError) throw error;
        failure = error;
      }
      this.#fresh = false;
      if (this.#closed || performance.now() > until) {
        throw kafkaSqlError(failure, this.#options.cluster.brokers, this.#options.topic);
      }
      await sleep(PAUSE_MS);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection.reset();
  }
}

/** The records below `to`, as a batch that ends there. */
function cut(batch: RawBatch, to: bigint): RawBatch {
  const end = Number(to);
  let n = batch.n;
  while (n > 0 && batch.offset[n - 1] >= end) n--;
  return { ...batch, n, nextOffset: to };
}
