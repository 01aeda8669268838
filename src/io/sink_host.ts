/** Kafka's writers in the I/O thread: each tick's changes are encoded here, from the memory that both threads see, and sent. */
import { kafkaHere } from '../kafka/access.ts';
import type { SinkRows, SinkWriter, TickChanges } from '../runtime/sink.ts';

export class SinkHost {
  readonly #writers = new Map<number, SinkWriter>();
  #lastId = 0;

  /** What is asked of writers by call. The batches of writeSink stay until it has answered. */
  readonly methods = {
    openKafkaSink: async (options: Record<string, string>, rows: SinkRows, identity: string) => {
      const writer = await kafkaHere.openSink(options, rows, identity);
      const id = ++this.#lastId;
      this.#writers.set(id, writer);
      return { id, delivery: writer.delivery };
    },
    createSink: (id: number) => this.#get(id).create(),
    beginSink: (id: number, known: bigint) => this.#get(id).begin(known),
    writeSink: (id: number, ticks: TickChanges[]) => this.#get(id).write(ticks),
    closeSink: async (id: number, forget: boolean) => {
      const writer = this.#get(id);
      this.#writers.delete(id);
      await writer.close(forget);
    },
  };

  #get(id: number): SinkWriter {
    const writer = this.#writers.get(id);
    if (writer === undefined) throw new Error(`there is no sink ${id}`);
    return writer;
  }
}
