/** Kafka without brokers: topics are of this process, and what sinks write goes nowhere. Options are looked at as those of real topics are. */
import type { KafkaAccess } from '../kafka/access.ts';
import type { SinkWriter } from '../runtime/sink.ts';
import { parseKafkaSinkOptions } from '../sinks/kafka/options.ts';
import { parseKafkaSourceOptions } from '../sources/kafka/options.ts';
import { LocalTopic } from './local_topic.ts';

export const localKafka: KafkaAccess = {
  isLocal: true,
  async checkSource(options) {
    parseKafkaSourceOptions(options);
  },
  async openSource() {
    return new LocalTopic();
  },
  async openSink(options, rows) {
    return new NoTopic(parseKafkaSinkOptions(options, rows).delivery);
  },
};

class NoTopic implements SinkWriter {
  readonly delivery: SinkWriter['delivery'];

  constructor(delivery: SinkWriter['delivery']) {
    this.delivery = delivery;
  }

  async create(): Promise<void> {
    // There is nothing to make.
  }

  async begin(): Promise<null> {
    return null;
  }

  async write(): Promise<void> {
    // Nobody reads it: tests look at the view that the sink is of.
  }

  async close(): Promise<void> {
    // It holds nothing.
  }
}
