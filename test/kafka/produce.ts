/** Topics and messages for tests, through kafkajs's public client. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, CompressionTypes, Kafka, logLevel, type Message, Partitioners, type Producer } from 'kafkajs';

export interface TestCluster {
  kafka: Kafka;
  admin: Admin;
  producer: Producer;
  /** Creates a topic with a name of its own that starts with `name`. */
  topic(name: string, partitions?: number, config?: Record<string, string>): Promise<string>;
  send(topic: string, messages: Message[], compression?: CompressionTypes): Promise<void>;
  /** Deletes the records of a partition below `offset`. */
  deleteBefore(topic: string, partition: number, offset: number): Promise<void>;
  close(): Promise<void>;
}

let topics = 0;

export async function connectCluster(brokers: string): Promise<TestCluster> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await admin.connect();
  await producer.connect();
  return {
    kafka,
    admin,
    producer,
    async topic(name, numPartitions = 1, config = {}) {
      const topic = `${name}-${process.pid}-${topics++}`;
      const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
      await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true });
      return topic;
    },
    async send(topic, messages, compression = CompressionTypes.None) {
      await producer.send({ topic, messages, compression });
    },
    async deleteBefore(topic, partition, offset) {
      // A client that has never seen the topic does not find its leader in the first try, nor anybody that of a partition just made.
      for (const until = Date.now() + 10_000; ; await sleep(50)) {
        const failed = await admin.fetchTopicOffsetsByTimestamp(topic, 0).then(
          () => null,
          (error: unknown) => error,
        );
        if (failed === null) break;
        if (Date.now() > until) throw failed;
      }
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
    },
    async close() {
      await producer.disconnect();
      await admin.disconnect();
    },
  };
}
