/**
 * From a real broker on this machine: 200-byte JSON bids in lz4, 4 partitions, q1 to a view; beside kafkajs eachBatch + JSON.parse into
 * objects on the same topic in the same run. CPU of the whole process a message is what counts: broker and reader share the cores. All read the topic in turn,
 * once to warm up and then RUNS times, of which the median counts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Kafka } from 'kafkajs';
import lz4 from 'lz4-napi';
import '../operators/expr/functions/index.ts';
import { initParser } from '../planner/parse/parse.ts';
import { IoThread } from '../src/io/io_thread.ts';
import { type KafkaAccess, kafkaHere } from '../src/kafka/access.ts';
import { TidemarkEngine } from '../src/runtime/engine.ts';
import { runScript } from '../src/runtime/script.ts';
import { kafkaUnavailable, startBroker } from '../test/kafka/broker.ts';
import { streamsSql, views } from '../test/nexmark/suite.ts';
import { measure, median, Table } from './table.ts';

const { CompressionCodecs, CompressionTypes, logLevel, Partitioners } = kafkajs;

const PARTITIONS = 4;
const TOPIC = 'bench-bid';
const SEND = 4000;
const RUNS = 5;

CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder: { buffer: Buffer }) => lz4.compressFrameSync(encoder.buffer),
  decompress: async (buffer: Buffer) => lz4.decompressFrameSync(buffer),
});

export async function kafkaBench(options: { messages: number; json: boolean }): Promise<void> {
  const why = kafkaUnavailable();
  if (why !== null) throw new Error(why);
  const broker = await startBroker();
  const kafka = new kafkajs.Kafka({ brokers: broker.brokers.split(','), logLevel: logLevel.NOTHING });
  try {
    await fill(kafka, options.messages);
    const io = new IoThread({ log: () => undefined, onFailure: fail });
    const readers = [
      () => eachBatch(kafka, options.messages),
      () => tidemark(broker.brokers, options.messages, kafkaHere),
      () => tidemark(broker.brokers, options.messages, io.kafka),
    ];
    const [peer, ours, threads] = await measureInTurn(readers);
    await io.close();
    const table = new Table(options.json);
    const row = (reader: string, m: Measured) => ({
      reader,
      messages: options.messages,
      messagesPerSecond: Math.round(options.messages / m.wall),
      cpuMicrosPerMessage: (m.cpu * 1e6) / options.messages,
      ratioToPeer: m.cpu / peer.cpu,
    });
    table.add(row('kafkajs eachBatch + JSON.parse', peer));
    table.add(row('tidemark q1 to a view, one thread', ours));
    table.add(row('tidemark q1 to a view, Kafka in the I/O thread', threads));
  } finally {
    await broker.stop();
  }
}

interface Measured {
  cpu: number;
  wall: number;
}

/** Medians of RUNS rounds, one for each reader; the round before them compiles, which counts nowhere. */
async function measureInTurn(readers: (() => Promise<void>)[]): Promise<Measured[]> {
  const runs: Measured[][] = readers.map(() => []);
  for (let round = 0; round <= RUNS; round++)
    for (const [i, reader] of readers.entries()) {
      const measured = await measure(reader);
      if (round > 0) runs[i].push(measured);
    }
  return runs.map((all) => ({ cpu: median(all.map(({ cpu }) => cpu)), wall: median(all.map(({ wall }) => wall)) }));
}

async function fill(kafka: Kafka, messages: number): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let from = 0; from < messages; from += SEND) {
    const n = Math.min(SEND, messages - from);
    await producer.send({
      topic: TOPIC,
      compression: CompressionTypes.LZ4,
      messages: Array.from({ length: n }, (_, i) => ({
        value: bid(from + i),
        partition: Math.floor(from / SEND) % PARTITIONS,
      })),
    });
  }
  await producer.disconnect();
}

/** A bid of about 200 bytes. */
function bid(i: number): string {
  const time = new Date(1767225600000 + i).toISOString().replace('T', ' ').replace('Z', '');
  const fields = {
    auction: 1000 + (i % 5000),
    bidder: 2000 + (i % 977),
    price: 100 + (i % 99991),
    channel: 'Google',
    url: 'https://www.nexmark.com/googl/item.htm?query=1',
    date_time: time,
    extra: 'x'.repeat(20),
  };
  return JSON.stringify(fields);
}

async function eachBatch(kafka: Kafka, messages: number): Promise<void> {
  const consumer = kafka.consumer({ groupId: `bench-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  let seen = 0;
  let sum = 0;
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) {
        const value = JSON.parse((message.value as Buffer).toString());
        sum += value.price;
        seen++;
      }
    },
  });
  while (seen < messages) await sleep(5);
  await consumer.disconnect();
  if (sum <= 0) throw new Error('no prices');
}

function fail(error: Error): never {
  throw error;
}

async function tidemark(brokers: string, messages: number, kafka: KafkaAccess): Promise<void> {
  await initParser();
  const engine = new TidemarkEngine({ kafka });
  await runScript(
    engine,
    streamsSql(
      (table) =>
        `connector = 'kafka', brokers = '${brokers}', topic = '${table === 'bid' ? TOPIC : `bench-${table}`}', format = 'json'`,
    ).replace(/CREATE STREAM (person|auction)[\s\S]*?\);/g, ''),
  );
  await runScript(engine, views.get('q1') ?? '');
  const [stream] = engine.streams.values();
  while (Number(stream.statistics.rows) < messages) await sleep(5);
  await engine.close();
}
