/** Which sources CREATE STREAM ... WITH (connector = '...') can have, and their options. */
import { SqlError } from '../../operators/errors.ts';
import type { Option } from '../../planner/parse/ast.ts';
import type { ConnectorSpec } from '../catalog/objects.ts';
import { parseAvroOptions } from '../formats/avro/options.ts';
import { formatName } from '../formats/options.ts';
import { parseProtobufOptions } from '../formats/protobuf/options.ts';
import type { KafkaAccess } from '../kafka/access.ts';
import { SchemaRegistry } from '../registry/client.ts';
import type { RegistryOptions } from '../registry/options.ts';
import { Schemas } from '../registry/schemas.ts';
import { checkCounterColumns } from './counter/columns.ts';
import { parseCounterOptions } from './counter/options.ts';
import { CounterSource } from './counter/source.ts';
import type { FileAccess } from './files/access.ts';
import { KnownFilesSource } from './files/known_files.ts';
import type { FileColumns } from './files/source.ts';
import { checkNexmarkColumns, nexmarkColumns } from './nexmark/columns.ts';
import { parseNexmarkOptions } from './nexmark/options.ts';
import { NexmarkSource } from './nexmark/source.ts';
import type { PostgresAccess } from './postgres/access.ts';
import { fieldColumns } from './postgres/decoder.ts';
import type { WantedColumns } from './postgres/upstream_table.ts';
import { SchemaSource } from './schema_source.ts';
import type { Source } from './source.ts';
import { startPosition } from './start.ts';

/** Longest wait for a schema registry. */
const CHECK_MS = 10_000;
const CONNECTORS = ['kafka', 'postgres', 'files', 'nexmark', 'counter'];

type Log = (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void;

/** The WITH options by name, or null when there is no connector. Duplicates and unknown connectors are errors. */
export function connectorOptions(options: Option[]): { connector: string; options: Record<string, string> } | null {
  if (options.length === 0) return null;
  const given: Record<string, string> = {};
  for (const { name, value } of options) {
    if (name in given) throw new SqlError('42601', `option "${name}" given more than once`);
    given[name] = value;
  }
  const { connector } = given;
  if (connector === undefined) {
    throw new SqlError('22023', 'WITH needs a connector', { hint: `Known connectors: ${CONNECTORS.join(', ')}.` });
  }
  if (!CONNECTORS.includes(connector)) {
    throw new SqlError('22023', `unknown connector "${connector}"`, {
      hint: `Known connectors: ${CONNECTORS.join(', ')}.`,
    });
  }
  return { connector, options: given };
}

/** How the engine gets at what is outside. */
export interface SourceAccess {
  kafka: KafkaAccess;
  files: FileAccess;
  postgres: PostgresAccess;
}

/** Fails with a clear error when the source cannot be read: unknown option, missing topic, unreachable broker, wrong password. */
export async function checkConnector(spec: ConnectorSpec, { kafka, files, postgres }: SourceAccess): Promise<void> {
  startPosition(spec.options.start);
  if (spec.connector === 'postgres') {
    await postgres.checkSource(spec.options, wantedColumns(spec));
    return;
  }
  if (spec.connector === 'files') {
    await files.checkSource(spec.options, fileColumns(spec));
    return;
  }
  if (spec.connector === 'nexmark') {
    checkNexmarkColumns(parseNexmarkOptions(spec.options), spec.decoder);
  } else if (spec.connector === 'counter') {
    parseCounterOptions(spec.options);
    checkCounterColumns(spec.decoder);
  } else {
    await kafka.checkSource(spec.options);
    if (!kafka.isLocal) await registryOf(spec)?.check(AbortSignal.timeout(CHECK_MS));
  }
}

/** The source, which knows the schemas that its records name, if they do. */
export function withSchemas(spec: ConnectorSpec, source: Source): Source {
  const named = source.form === undefined ? namedSchemas(spec) : null;
  const registry = named === null ? null : registryOf(spec);
  if (named === null || registry === null) return source;
  return new SchemaSource(source, new Schemas(), {
    ask: (id, signal) => registry.schema(id, signal),
    keys: spec.envelope === 'upsert' && named.key !== 'json',
  });
}

function registryOf(spec: ConnectorSpec): SchemaRegistry | null {
  const named = namedSchemas(spec);
  if (named === null || named.registry === null) return null;
  return new SchemaRegistry(named.registry, formatName(spec.options) === 'avro' ? 'AVRO' : 'PROTOBUF');
}

/** Where the schemas are that messages name; null: messages name none. */
function namedSchemas({ connector, options }: ConnectorSpec): { registry: RegistryOptions | null; key: string } | null {
  if (connector !== 'kafka') return null;
  switch (formatName(options)) {
    case 'avro':
      return parseAvroOptions(options);
    case 'protobuf':
      return parseProtobufOptions(options);
    default:
      return null;
  }
}

function fileColumns({ decoder, envelope }: ConnectorSpec): FileColumns {
  const fields = decoder.columns.filter(({ origin }) => origin.k === 'field');
  return {
    names: fields.map(({ name }) => name),
    oids: fields.map(({ type }) => type.oid),
    keyed: envelope === 'upsert',
  };
}

/** The columns that a database's table must have. */
function wantedColumns({ decoder: { columns, upsertKey = [] } }: ConnectorSpec): WantedColumns {
  const name = (column: number) => {
    const { origin } = columns[column];
    return origin.k === 'field' ? origin.name : columns[column].name;
  };
  return { names: fieldColumns(columns).map(name), key: upsertKey.map(name) };
}

export async function openConnector(
  spec: ConnectorSpec,
  log: Log,
  { kafka, files, postgres }: SourceAccess,
): Promise<Source> {
  if (spec.connector === 'postgres') return postgres.openSource(spec.options, wantedColumns(spec), log);
  if (spec.connector === 'files')
    return new KnownFilesSource(await files.openSource(spec.options, fileColumns(spec), log));
  if (spec.connector === 'nexmark') {
    const options = parseNexmarkOptions(spec.options);
    return new NexmarkSource(options, { form: nexmarkColumns(options, spec.decoder) === null ? 'json' : 'columns' });
  }
  if (spec.connector === 'counter') return new CounterSource(parseCounterOptions(spec.options));
  return kafka.openSource(spec.options, log);
}
