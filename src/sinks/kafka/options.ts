/** The options of CREATE SINK ... WITH (connector = 'kafka', ...), apart from those of the cluster. */
import { SqlError, unsupported } from '../../../operators/errors.ts';
import {
  badOption,
  type ClusterOptions,
  choice,
  integer,
  parseClusterOptions,
  refuseUnknown,
  required,
} from '../../kafka/options.ts';

export type Envelope = 'append' | 'upsert' | 'debezium';

export interface KafkaSinkOptions {
  cluster: ClusterOptions;
  topic: string;
  envelope: Envelope;
  /** Column positions of the message key; null for messages without one. */
  key: number[] | null;
  compression: 'none' | 'gzip';
  /** For a topic that is created. */
  partitions: number;
  replicationFactor: number;
}

export const KAFKA_SINK_OPTIONS: Record<string, string> = {
  topic: 'name of the topic; created when missing',
  format: "'json'",
  envelope: "'append', 'upsert' or 'debezium' (default: upsert when there is a key)",
  key: "'column,...' (default: the key of the view)",
  delivery: "'at_least_once'",
  compression: "'none' (default) or 'gzip'",
  partitions: 'partitions of a topic that is created (default 1)',
  replication_factor: 'replicas of a topic that is created (default 1)',
};

/** `proved` is the key that the planner knows the rows to have. Throws SqlError for unknown options, bad values, a key that is none. */
export function parseKafkaSinkOptions(
  given: Record<string, string>,
  columns: { name: string }[],
  proved: number[] | null,
): KafkaSinkOptions {
  refuseUnknown(given, KAFKA_SINK_OPTIONS, ['connector']);
  const format = given.format ?? 'json';
  if (format !== 'json') throw new SqlError('22023', `unknown format "${format}"`, { hint: 'Known formats: json.' });
  if (choice(given, 'delivery', 'at_least_once', ['at_least_once', 'exactly_once']) === 'exactly_once') {
    throw unsupported("delivery = 'exactly_once' of a Kafka sink");
  }
  const named = given.key === undefined ? null : keyColumns(given.key, columns);
  const key = named ?? proved;
  const envelope = choice<Envelope>(given, 'envelope', key === null ? 'append' : 'upsert', [
    'append',
    'upsert',
    'debezium',
  ]);
  if (envelope === 'upsert') checkKey(named, proved, columns);
  return {
    cluster: parseClusterOptions(given),
    topic: required(given, 'topic', KAFKA_SINK_OPTIONS.topic),
    envelope,
    key: envelope === 'append' ? named : key,
    compression: choice(given, 'compression', 'none', ['none', 'gzip']),
    partitions: integer(given, 'partitions', 1, 1, 100_000),
    replicationFactor: integer(given, 'replication_factor', 1, 1, 100),
  };
}

function keyColumns(text: string, columns: { name: string }[]): number[] {
  return text.split(',').map((part) => {
    const name = part.trim();
    const position = columns.findIndex((column) => column.name === name);
    if (position < 0) throw new SqlError('42703', `column "${name}" named in option "key" does not exist`);
    return position;
  });
}

function checkKey(named: number[] | null, proved: number[] | null, columns: { name: string }[]): void {
  if (named === null && proved === null) {
    throw badOption(
      'envelope',
      'upsert',
      "used with the option key = 'column,...', since the rows have no key of their own",
    );
  }
  if (named === null || proved === null || proved.every((column) => named.includes(column))) return;
  const names = proved.map((column) => columns[column].name).join(', ');
  throw badOption(
    'key',
    named.map((column) => columns[column].name).join(','),
    `unique; the key of the rows is (${names})`,
  );
}
