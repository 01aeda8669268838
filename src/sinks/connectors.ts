/** Which sinks CREATE SINK ... WITH (connector = '...') can have. */
import { SqlError } from '../../operators/errors.ts';
import type { KafkaAccess } from '../kafka/access.ts';
import { type Sink, type SinkProgress, type SinkRows, SinkRuntime } from '../runtime/sink.ts';
import { BlackholeSink } from './blackhole.ts';

const CONNECTORS = ['blackhole', 'kafka'];

export async function openSink(
  options: Record<string, string>,
  rows: SinkRows,
  log: (message: string) => void,
  kafka: KafkaAccess,
  progress: SinkProgress,
): Promise<Sink> {
  switch (options.connector) {
    case 'blackhole':
      for (const option of Object.keys(options)) {
        if (option === 'connector') continue;
        throw new SqlError('22023', `unrecognized option "${option}" for connector "blackhole"`, {
          hint: 'It has no options.',
        });
      }
      return new BlackholeSink();
    case 'kafka':
      return new SinkRuntime(await kafka.openSink(options, rows), log, progress);
    default:
      throw new SqlError('22023', `unknown sink connector "${options.connector ?? ''}"`, {
        hint: `Known connectors: ${CONNECTORS.join(', ')}.`,
      });
  }
}
