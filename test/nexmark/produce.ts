/** The Nexmark generator's messages in three topics. */
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { parseNexmarkOptions } from '../../src/sources/nexmark/options.ts';
import { NexmarkSource } from '../../src/sources/nexmark/source.ts';

const TABLES = ['person', 'auction', 'bid'];
/** Of one request. */
const SEND_MESSAGES = 1000;

export interface Produced {
  brokers: string;
  /** Before the names of the topics. */
  prefix: string;
  events: number;
  seed: number;
  /** Of bid; the others have one. */
  partitions: number;
  /** Called before each request with the number of messages that will have been sent after it. */
  pace?: (sent: number) => Promise<void>;
}

/** Makes the topics `prefix`person and so on. */
export async function makeNexmarkTopics({ brokers, prefix, partitions }: Produced): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  for (const table of TABLES) {
    const topic = { topic: `${prefix}${table}`, numPartitions: table === 'bid' ? partitions : 1 };
    await admin.createTopics({ topics: [topic], waitForLeaders: true });
  }
  await admin.disconnect();
}

/** Sends all messages, table after table; gives the number of each. */
export async function produceNexmark(options: Produced): Promise<Map<string, number>> {
  const { brokers, prefix, events, seed, partitions, pace } = options;
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const counts = new Map<string, number>();
  let sent = 0;
  for (const table of TABLES) {
    const source = new NexmarkSource(parseNexmarkOptions({ table, events: String(events), seed: String(seed) }), {
      form: 'json',
    });
    source.open(new Map([[0, 0n]]));
    let count = 0;
    for (let batch = source.poll(); batch !== null; batch = source.poll()) {
      const { bytes, valueStart, valueEnd, n } = batch;
      // Neighbours go to different partitions: their order in time is lost between partitions, as in life.
      const messages = Array.from({ length: n }, (_, i) => ({
        value: Buffer.from(bytes.subarray(valueStart[i], valueEnd[i])),
        partition: table === 'bid' ? (count + i) % partitions : 0,
      }));
      for (let from = 0; from < n; from += SEND_MESSAGES) {
        const some = messages.slice(from, from + SEND_MESSAGES);
        sent += some.length;
        await pace?.(sent);
        await producer.send({ topic: `${prefix}${table}`, messages: some });
      }
      count += n;
    }
    counts.set(table, count);
  }
  await producer.disconnect();
  return counts;
}
