/** Kafka's writers in the I/O thread: each tick's changes are encoded here, from the memory that both threads see, and sent. */
import type { Batch } from '../../operators/batch/batch.ts';
import { kafkaHere } from '../kafka/access.ts';
import type { SinkRows, SinkWriter } from '../runtime/sink.ts';

export class SinkHost {
  readonly #writers = new Map<number, SinkWriter>();
  #lastId = 0;

  /** What is asked of writers by call. The batch of writeSink stays until it has answered. */
  readonly methods = {
    openKafkaSink: async (options: Record<string, string>, rows: SinkRows) => {
      const writer = await kafkaHere.openSink(options, rows);
      const id = ++this.#lastId;
      this.#writers.set(id, writer);
      return id;
    },
    writeSink: (id: number, tick: bigint, delta: Batch) => this.#get(id).write(tick, delta),
    closeSink: async (id: number) => {
      const writer = this.#get(id);
      this.#writers.delete(id);
      await writer.close();
    },
  };

  #get(id: number): SinkWriter {
    const writer = this.#writers.get(id);
    if (writer === undefined) throw new Error(`there is no sink ${id}`);
    return writer;
  }
}
