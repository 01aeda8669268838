/** What CREATE STREAM finds out before it makes a stream: can the topic be read? Bounded in time. */
import { SqlError } from '../../../operators/errors.ts';
import type { Log } from '../../kafka/client.ts';
import { kafkaSqlError } from '../../kafka/errors.ts';
import { TopicConnection } from './connection.ts';
import type { KafkaSourceOptions } from './options.ts';

const CHECK_MS = 10_000;

/** Throws SqlError: 22023 option, 08001 no broker, 28P01 login, 42P01 no such topic, 42501 not allowed. */
export async function checkTopic(options: KafkaSourceOptions, log: Log): Promise<void> {
  const connection = new TopicConnection(options, log);
  const { brokers } = options.cluster;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new SqlError(
      '08001',
      `could not connect to Kafka at ${brokers.join(', ')}: no answer in ${CHECK_MS / 1000} s`,
    );
    timer = setTimeout(() => reject(error), CHECK_MS);
  });
  const looked = connection.refresh().then(async () => {
    await connection.offsets([...connection.leaders().keys()], 'earliest');
  });
  try {
    await Promise.race([looked, late]);
  } catch (error) {
    throw kafkaSqlError(error, brokers, options.topic);
  } finally {
    clearTimeout(timer);
    await Promise.race([connection.reset(), looked.catch(() => undefined)]);
  }
}
