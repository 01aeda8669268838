/** How the engine gets at Kafka: with connections of this thread, or through the thread that has them. */
import type { SinkRows, SinkWriter } from '../runtime/sink.ts';
import type { Source } from '../sources/source.ts';
import type { Log } from './client.ts';

export interface KafkaAccess {
  /** There are no brokers and no schema registry to ask: topics are of this process. */
  readonly isLocal?: boolean;
  /** Throws SqlError when the topic cannot be read with these options. */
  checkSource(options: Record<string, string>): Promise<void>;
  openSource(options: Record<string, string>, log: Log): Promise<Source>;
  /** Throws SqlError for wrong options; nobody is asked yet. `identity`: under which a later server goes on with the same sink. */
  openSink(options: Record<string, string>, rows: SinkRows, identity: string): Promise<SinkWriter>;
}

/** The modules are loaded when a topic is first named. */
export const kafkaHere: KafkaAccess = {
  async checkSource(options) {
    await (await import('../sources/kafka/index.ts')).checkKafka(options);
  },
  async openSource(options, log) {
    return (await import('../sources/kafka/index.ts')).openKafkaSource(options, log);
  },
  async openSink(options, rows, identity) {
    return (await import('../sinks/kafka/index.ts')).openKafkaSink(options, rows, identity);
  },
};
