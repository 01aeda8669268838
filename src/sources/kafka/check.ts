/** What CREATE STREAM finds out before it makes a stream: can the topic be read? Bounded in time. */
import { SqlError } from '../../../operators/errors.ts';
import type { Log } from '../../kafka/client.ts';
import { kafkaSqlError } from '../../kafka/errors.ts';
import { askLeaders } from '../../kafka/leaders.ts';
import type { StartPosition } from '../source.ts';
import { TopicConnection, TopicIdentity } from './connection.ts';
import type { KafkaSourceOptions } from './options.ts';

const CHECK_MS = 10_000;

/** Throws SqlError: 22023 option or a start that names a partition that is not there, 08001 no broker, 28P01 login, 42P01 no such topic, 42501 not allowed. */
export async function checkTopic(options: KafkaSourceOptions, start: StartPosition, log: Log): Promise<void> {
  const connection = new TopicConnection(options, log, new TopicIdentity());
  const { brokers } = options.cluster;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new SqlError(
      '08001',
      `could not connect to Kafka at ${brokers.join(', ')}: no answer in ${CHECK_MS / 1000} s`,
    );
    timer = setTimeout(() => reject(error), CHECK_MS);
  });
  const looked = askLeaders(
    () => connection.refresh(),
    async () => {
      const partitions = [...connection.leaders().keys()];
      checkStart(start, partitions);
      await connection.offsets(partitions, 'earliest');
    },
  );
  try {
    await Promise.race([looked, late]);
  } catch (error) {
    throw kafkaSqlError(error, brokers, options.topic);
  } finally {
    clearTimeout(timer);
    // Nobody waits for connections that do not answer.
    void connection.reset().catch(() => undefined);
  }
}

/** A partition that is not there would be waited for without end. */
export function checkStart(start: StartPosition, partitions: number[]): void {
  if (start.k !== 'at') return;
  for (const partition of start.offsets.keys()) {
    if (partitions.includes(partition)) continue;
    throw new SqlError('22023', `option "start" names partition ${partition}, which the topic does not have`, {
      detail: `Its partitions are 0 to ${partitions.length - 1}.`,
    });
  }
}
