/** Which sinks CREATE SINK ... WITH (connector = '...') can have. */
import { SqlError } from '../../operators/errors.ts';
import { refuseUnknown } from '../connector_options.ts';
import type { KafkaAccess } from '../kafka/access.ts';
import { type Sink, type SinkProgress, type SinkRows, SinkRuntime, type SinkWriter } from '../runtime/sink.ts';
import { BlackholeSink } from './blackhole.ts';

const CONNECTORS = ['blackhole', 'kafka'];

/** Opens a sink. `made`: by the statement that is running, which makes what is missing; its errors are for the user to read. */
export async function openSink(
  options: Record<string, string>,
  rows: SinkRows,
  log: (message: string) => void,
  kafka: KafkaAccess,
  progress: SinkProgress,
  identity: string,
  made: boolean,
): Promise<Sink> {
  switch (options.connector) {
    case 'blackhole':
      refuseUnknown('blackhole', options, {}, ['connector']);
      return new BlackholeSink();
    case 'kafka': {
      const writer = await kafka.openSink(options, rows, identity);
      if (made) await created(writer);
      return new SinkRuntime(writer, log, progress, made);
    }
    default: {
      const { connector } = options;
      const problem =
        connector === undefined ? 'a sink needs WITH (connector = ...)' : `unknown connector "${connector}"`;
      throw new SqlError('22023', problem, { hint: `Known connectors of sinks: ${CONNECTORS.join(', ')}.` });
    }
  }
}

async function created(writer: SinkWriter): Promise<void> {
  try {
    await writer.create();
  } catch (error) {
    await writer.close(false);
    throw error;
  }
}
