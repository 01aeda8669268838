/** Which writers CREATE SINK ... WITH (connector = '...') can have. */
import { SqlError } from '../../operators/errors.ts';
import type { ColType } from '../../operators/types.ts';
import type { SinkWriter } from '../runtime/sink.ts';

const CONNECTORS = ['blackhole', 'kafka'];

/** Opens a writer; `key` are the columns that identify a row of the view, when the planner proved some. */
export async function openSink(
  options: Record<string, string>,
  columns: { name: string; type: ColType }[],
  key: number[] | null,
  name: string,
): Promise<SinkWriter> {
  switch (options.connector) {
    case 'blackhole':
      return { write: async () => undefined, close: async () => undefined };
    case 'kafka': {
      const { openKafkaSink } = await import('./kafka/index.ts');
      return openKafkaSink(options, columns, key, name);
    }
    default:
      throw new SqlError('22023', `unknown sink connector "${options.connector ?? ''}"`, {
        hint: `Known connectors: ${CONNECTORS.join(', ')}.`,
      });
  }
}
