/** connector = 'kafka', for reading. */
import type { Log } from '../../kafka/client.ts';
import type { Source } from '../source.ts';
import { startPosition } from '../start.ts';
import { checkTopic } from './check.ts';
import { parseKafkaSourceOptions } from './options.ts';
import { KafkaSource } from './source.ts';

const silent: Log = () => undefined;

/** Fails when the topic can't be read with these options: wrong option, broker away, login refused, topic missing. Takes up to 10 s. */
export async function checkKafka(options: Record<string, string>): Promise<void> {
  await checkTopic(parseKafkaSourceOptions(options), startPosition(options.start), silent);
}

export async function openKafkaSource(options: Record<string, string>, log: Log): Promise<Source> {
  return new KafkaSource(parseKafkaSourceOptions(options), log);
}
