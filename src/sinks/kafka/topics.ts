/** The topics that a sink writes: made when they are missing. */
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, type ITopicConfig, type Kafka } from 'kafkajs';
import { SqlError } from '../../../operators/errors.ts';
import { isDenied, isNotReady, isUnknownTopic } from '../../kafka/errors.ts';
import type { KafkaSinkOptions } from './options.ts';
import { PROGRESS_TOPIC } from './progress.ts';

/** Small segments: what is compacted is never the newest one, and all of it is read at a start. */
const PROGRESS_SEGMENT_BYTES = 16 << 20;
const READY_MS = 30_000;
const READY_STEP_MS = 50;

export async function makeTopics(kafka: Kafka, options: KafkaSinkOptions): Promise<void> {
  const { topic, envelope, partitions, replicationFactor, delivery } = options;
  const admin = kafka.admin();
  try {
    await admin.connect();
    await make(admin, {
      topic,
      numPartitions: partitions,
      replicationFactor,
      configEntries: [{ name: 'cleanup.policy', value: envelope === 'upsert' ? 'compact' : 'delete' }],
    });
    if (delivery === 'exactly_once') await makeProgress(admin, replicationFactor);
  } finally {
    await admin.disconnect();
  }
}

async function makeProgress(admin: Admin, replicationFactor: number): Promise<void> {
  await make(admin, {
    topic: PROGRESS_TOPIC,
    numPartitions: 1,
    replicationFactor,
    configEntries: [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'segment.bytes', value: String(PROGRESS_SEGMENT_BYTES) },
    ],
  });
  const policy = await cleanupPolicy(admin);
  if (policy === null || policy === 'compact') return;
  throw new SqlError('55000', `Kafka topic "${PROGRESS_TOPIC}" has cleanup.policy ${policy}, and must have compact`, {
    detail: 'It holds how far each sink has written; what is deleted there would be written twice.',
  });
}

/** Null when it may not be seen. */
async function cleanupPolicy(admin: Admin): Promise<string | null> {
  const wanted = { type: kafkajs.ConfigResourceTypes.TOPIC, name: PROGRESS_TOPIC, configNames: ['cleanup.policy'] };
  try {
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [wanted] });
    return resources[0]?.configEntries[0]?.configValue ?? null;
  } catch (error) {
    if (isDenied(error)) return null;
    throw error;
  }
}

async function make(admin: Admin, config: ITopicConfig): Promise<void> {
  try {
    await admin.fetchTopicMetadata({ topics: [config.topic] });
    return;
  } catch (error) {
    if (!isUnknownTopic(error)) throw error;
  }
  // False when another has made it meanwhile.
  await admin.createTopics({ topics: [config], waitForLeaders: false });
  await untilReady(admin, config.topic);
}

/** Brokers hear of a new topic some time after the controller has made it; on a busy machine later than the client's own retries last. */
async function untilReady(admin: Admin, topic: string): Promise<void> {
  for (const until = Date.now() + READY_MS; ; await sleep(READY_STEP_MS)) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      if (topics[0].partitions.every(({ leader }) => leader >= 0)) return;
    } catch (error) {
      if (!isNotReady(error) || Date.now() > until) throw error;
    }
    if (Date.now() > until) throw new SqlError('58000', `Kafka topic "${topic}" was made, and has no leaders yet`);
  }
}
