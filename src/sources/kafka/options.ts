/** The options of CREATE STREAM ... WITH (connector = 'kafka', ...), apart from those of the cluster. */

import { choice, integer, refuseUnknown } from '../../connector_options.ts';
import { parseAvroOptions } from '../../formats/avro/options.ts';
import { csvOptions, FORMAT_OPTIONS, FORMATS, formatName } from '../../formats/options.ts';
import { parseProtobufOptions } from '../../formats/protobuf/options.ts';
import { CLUSTER_OPTIONS, type ClusterOptions, parseClusterOptions, required } from '../../kafka/options.ts';

export interface KafkaSourceOptions {
  cluster: ClusterOptions;
  topic: string;
  committedOnly: boolean;
  checkCrc: boolean;
  /** Longest wait of a fetch without data, milliseconds. */
  fetchWaitMs: number;
  fetchBytes: number;
  fetchPartitionBytes: number;
  /** Bytes fetched ahead of the engine. */
  bufferBytes: number;
  /** How often new partitions are looked for, milliseconds. */
  metadataAgeMs: number;
}

const KAFKA_SOURCE_OPTIONS: Record<string, string> = {
  topic: 'the name of a topic',
  format: FORMATS.map((name) => `'${name}'`).join(', '),
  ...FORMAT_OPTIONS,
  envelope: "'append' or 'upsert'",
  start: "'earliest', 'latest', a timestamp or 'partition:offset,...'",
  idle_timeout: 'how long a partition at its end holds the watermark back',
  isolation_level: "'read_committed' (default) or 'read_uncommitted'",
  check_crcs: "'true' (default) or 'false'",
  fetch_max_wait: 'milliseconds a fetch waits for data (default 100)',
  fetch_max_bytes: 'bytes of one fetch (default 8388608)',
  max_partition_fetch_bytes: 'bytes of one fetch from one partition (default 2097152)',
  buffer_bytes: 'bytes fetched ahead (default 33554432)',
  metadata_max_age: 'milliseconds after which new partitions are looked for (default 30000)',
};

/** Set by the catalog beside the user's options. */
const OURS = ['connector', 'idle_timeout_ms'];

/** Throws SqlError 22023 for an unknown option or a bad value. */
export function parseKafkaSourceOptions(given: Record<string, string>): KafkaSourceOptions {
  refuseUnknown('kafka', given, { ...CLUSTER_OPTIONS, ...KAFKA_SOURCE_OPTIONS }, OURS);
  choice(given, 'envelope', 'append', ['append', 'upsert']);
  const format = formatName(given);
  if (format === 'csv') csvOptions(given);
  else if (format === 'avro') parseAvroOptions(given);
  else if (format === 'protobuf') parseProtobufOptions(given);
  return {
    cluster: parseClusterOptions(given),
    topic: required(given, 'topic', KAFKA_SOURCE_OPTIONS.topic),
    committedOnly:
      choice(given, 'isolation_level', 'read_committed', ['read_committed', 'read_uncommitted']) === 'read_committed',
    checkCrc: choice(given, 'check_crcs', 'true', ['true', 'false']) === 'true',
    fetchWaitMs: integer(given, 'fetch_max_wait', 100, 1, 60_000),
    fetchBytes: integer(given, 'fetch_max_bytes', 8 << 20, 1024, 1 << 30),
    fetchPartitionBytes: integer(given, 'max_partition_fetch_bytes', 2 << 20, 1024, 1 << 30),
    bufferBytes: integer(given, 'buffer_bytes', 32 << 20, 1024, 2 ** 32),
    metadataAgeMs: integer(given, 'metadata_max_age', 30_000, 10, 86_400_000),
  };
}
