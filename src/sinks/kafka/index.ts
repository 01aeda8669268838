/** connector = 'kafka', for writing. */
import type { SinkRows, SinkWriter } from '../../runtime/sink.ts';
import { AtLeastOnce } from './at_least_once.ts';
import { ExactlyOnce } from './exactly_once.ts';
import { parseKafkaSinkOptions } from './options.ts';

/** Throws SqlError when options are wrong; the cluster is asked by the writer's create() and begin(). */
export async function openKafkaSink(
  given: Record<string, string>,
  rows: SinkRows,
  identity: string,
): Promise<SinkWriter> {
  const options = parseKafkaSinkOptions(given, rows);
  return options.delivery === 'exactly_once'
    ? new ExactlyOnce(options, rows.columns, identity)
    : new AtLeastOnce(options, rows.columns);
}
