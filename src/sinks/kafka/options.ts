/** The options of CREATE SINK ... WITH (connector = 'kafka', ...), apart from those of the cluster. */
import { SqlError } from '../../../operators/errors.ts';
import { badOption, choice, integer, missingOption, refuseUnknown } from '../../connector_options.ts';
import { CLUSTER_OPTIONS, type ClusterOptions, parseClusterOptions, required } from '../../kafka/options.ts';
import { type Registrar, SchemaRegistry } from '../../registry/client.ts';
import { parseRegistryOptions, REGISTRY_OPTIONS } from '../../registry/options.ts';
import type { Delivery, SinkRows } from '../../runtime/sink.ts';

/** That of the keys is the same, or JSON. */
export type SinkFormat = 'json' | 'avro' | 'protobuf';

export type Envelope = 'append' | 'upsert' | 'debezium';

export interface KafkaSinkOptions {
  cluster: ClusterOptions;
  topic: string;
  envelope: Envelope;
  format: SinkFormat;
  keyFormat: SinkFormat;
  /** Of the schemas of both; null: there are none. */
  registry: Registrar | null;
  /** Column positions of the message key; null for messages without one. */
  key: number[] | null;
  compression: 'none' | 'gzip';
  /** For a topic that is created; -1: as the broker is configured. */
  partitions: number;
  replicationFactor: number;
  delivery: Delivery;
  /** After so many milliseconds the broker aborts the transaction of a writer that is gone. */
  transactionTimeoutMs: number;
}

const KAFKA_SINK_OPTIONS: Record<string, string> = {
  topic: 'the name of a topic, which is created when missing',
  format: "'json', 'avro' or 'protobuf'",
  ...REGISTRY_OPTIONS,
  key_format: "that of `format` (default) or 'json'",
  envelope: "'append', 'upsert' or 'debezium' (default: append when no row goes away and no key is named, else upsert)",
  key: "'column,...' (default: the key of the view)",
  delivery: "'exactly_once' (default) or 'at_least_once'",
  transaction_timeout: 'milliseconds after which the broker ends what a writer that is gone has begun (default 60000)',
  compression: "'none' (default) or 'gzip'",
  partitions: "partitions of a topic that is created (default: the broker's num.partitions)",
  replication_factor: "replicas of a topic that is created (default: the broker's default.replication.factor)",
};

/** Throws SqlError for unknown options, bad values, and an envelope or key that could not tell what happens to the rows. */
export function parseKafkaSinkOptions(given: Record<string, string>, rows: SinkRows): KafkaSinkOptions {
  refuseUnknown('kafka', given, { ...CLUSTER_OPTIONS, ...KAFKA_SINK_OPTIONS }, ['connector']);
  const named = given.key === undefined ? null : keyColumns(given.key, rows.columns);
  const key = named ?? rows.key;
  const unique = rows.key !== null && (named === null || rows.key.every((column) => named.includes(column)));
  const usual = unique || (named !== null && !rows.appendOnly) ? 'upsert' : 'append';
  const envelope = choice<Envelope>(given, 'envelope', usual, ['append', 'upsert', 'debezium']);
  if (envelope === 'append' && !rows.appendOnly) throw notAppendOnly(rows);
  if (!unique && (envelope === 'upsert' || (envelope === 'debezium' && named !== null))) {
    throw notUnique(envelope, named, rows);
  }
  return {
    cluster: parseClusterOptions(given),
    topic: required(given, 'topic', KAFKA_SINK_OPTIONS.topic),
    ...formatsOf(given),
    envelope,
    key: envelope === 'append' ? named : key,
    compression: choice(given, 'compression', 'none', ['none', 'gzip']),
    partitions: integer(given, 'partitions', -1, 1, 100_000),
    replicationFactor: integer(given, 'replication_factor', -1, 1, 100),
    delivery: choice<Delivery>(given, 'delivery', 'exactly_once', ['exactly_once', 'at_least_once']),
    transactionTimeoutMs: integer(given, 'transaction_timeout', 60_000, 1000, 900_000),
  };
}

function formatsOf(given: Record<string, string>): Pick<KafkaSinkOptions, 'format' | 'keyFormat' | 'registry'> {
  const options = parseRegistryOptions(given);
  const format = choice<SinkFormat>(given, 'format', 'json', ['json', 'avro', 'protobuf']);
  const keyFormat = choice<SinkFormat>(given, 'key_format', format, ['json', 'avro', 'protobuf']);
  if (format === 'json') {
    if (options !== null || keyFormat !== 'json') {
      throw badOption('format', format, "'avro' or 'protobuf' when a schema registry or a key in these is named");
    }
    return { format, keyFormat, registry: null };
  }
  if (keyFormat !== format && keyFormat !== 'json') {
    throw badOption('key_format', keyFormat, `'${format}' or 'json' with format = '${format}'`);
  }
  if (options === null) throw missingOption('kafka', 'schema_registry', REGISTRY_OPTIONS.schema_registry);
  return { format, keyFormat, registry: new SchemaRegistry(options, format === 'avro' ? 'AVRO' : 'PROTOBUF') };
}

function notAppendOnly(rows: SinkRows): SqlError {
  const use = rows.key === null ? "'debezium', or 'upsert' over rows with a key" : "'upsert' or 'debezium'";
  return new SqlError(
    '22023',
    "envelope = 'append' cannot tell that a row changed or went away, and rows of this query can",
    {
      hint: `Use envelope = ${use}. A query over a stream that ends in EMIT ON WINDOW CLOSE only adds rows.`,
    },
  );
}

function notUnique(envelope: Envelope, named: number[] | null, rows: SinkRows): SqlError {
  const names = (columns: number[]) => columns.map((column) => rows.columns[column].name).join(', ');
  const message =
    named === null
      ? `envelope = '${envelope}' needs a key, and nothing makes one of the columns of this query unique`
      : `nothing makes the key (${names(named)}) of this query unique, so a message could not stand for one row`;
  const key = rows.key === null ? '' : `The key of the rows is (${names(rows.key)}). `;
  return new SqlError('22023', message, {
    hint: `${key}GROUP BY, DISTINCT ON (...), or the PRIMARY KEY of a table gives rows a key.`,
  });
}

function keyColumns(text: string, columns: { name: string }[]): number[] {
  return text.split(',').map((part) => {
    const name = part.trim();
    const position = columns.findIndex((column) => column.name === name);
    if (position < 0) throw new SqlError('42703', `column "${name}" named in option "key" does not exist`);
    return position;
  });
}
