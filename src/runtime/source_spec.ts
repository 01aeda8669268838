/** The source of CREATE STREAM and CREATE TABLE ... WITH (connector = ...). */
import type { Interval } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import { colType, OID } from '../../operators/types.ts';
import type { ConnectorSpec, RelationObject } from '../catalog/objects.ts';
import { checkAttributes } from '../formats/cloudevents/attributes.ts';
import type { SourceColumn } from '../formats/format.ts';
import { formatName } from '../formats/options.ts';
import { counterColumns } from '../sources/counter/columns.ts';
import { fileFormat } from '../sources/files/options.ts';

/** Their messages have keys that they say how to read, or they are rows of files. */
const KEYED_FORMATS: string[] = ['json', 'avro', 'protobuf', 'parquet'];

type RelationKind = RelationObject['kind'];

/** What a relation over a connector reads, and how. Throws for what its kind, its columns and the options cannot be together. */
export function sourceSpec(
  kind: RelationKind,
  connector: { connector: string; options: Record<string, string> },
  columns: SourceColumn[],
  key: number[] | null,
): ConnectorSpec {
  const envelope = envelopeOf(kind, connector, columns, key);
  const { idle_timeout: idle } = connector.options;
  if (idle !== undefined) connector.options.idle_timeout_ms = String(milliseconds('idle_timeout', idle));
  return {
    ...connector,
    envelope,
    decoder: {
      columns: connector.connector === 'counter' ? counterColumns(columns) : columns,
      needed: [],
      upsertKey: envelope === 'upsert' ? (key ?? undefined) : undefined,
    },
  };
}

/** Whether messages add rows or say what becomes of the row of a key. */
function envelopeOf(
  kind: RelationKind,
  { connector, options }: { connector: string; options: Record<string, string> },
  columns: SourceColumn[],
  key: number[] | null,
): ConnectorSpec['envelope'] {
  const isTable = kind === 'table';
  if (connector === 'postgres') {
    if (!isTable || key === null) {
      throw new SqlError('42P16', 'connector "postgres" needs a table with a PRIMARY KEY', {
        hint: 'The changes of a database change and delete rows by key.',
      });
    }
    return 'upsert';
  }
  const format = connector === 'kafka' ? formatName(options) : connector === 'files' ? fileFormat(options) : 'json';
  const said = options.envelope?.toLowerCase();
  if (format === 'debezium_json') {
    if (said !== undefined) throw new SqlError('22023', "format = 'debezium_json' takes no envelope: it is one");
    if (!isTable || key === null) {
      throw new SqlError('42P16', "format = 'debezium_json' needs a table with a PRIMARY KEY", {
        hint: 'Its messages change and delete rows by key.',
      });
    }
    return 'upsert';
  }
  const envelope = said === 'upsert' ? 'upsert' : 'append';
  if (!KEYED_FORMATS.includes(format) && envelope === 'upsert') {
    throw new SqlError(
      '22023',
      `envelope = 'upsert' reads format = 'json', 'avro', 'protobuf' and 'parquet', not '${format}'`,
    );
  }
  if (envelope === 'upsert' && key === null) throw new SqlError('42P16', "envelope = 'upsert' needs a PRIMARY KEY");
  if (isTable && envelope === 'append') {
    throw new SqlError('22023', "a table over a connector needs envelope = 'upsert' or format = 'debezium_json'", {
      hint: 'Use CREATE STREAM for rows that are only appended.',
    });
  }
  if (!isTable && envelope === 'upsert') {
    throw new SqlError('22023', "envelope = 'upsert' makes a table", { hint: 'Use CREATE TABLE with a PRIMARY KEY.' });
  }
  const fields = columns.filter(({ origin }) => origin.k === 'field').length;
  if (format === 'raw' && fields !== 1) {
    throw new SqlError('42P16', "format = 'raw' needs one column, which is the value of the message", {
      hint: 'INCLUDE adds its key, partition, offset, timestamp and headers.',
    });
  }
  if (format === 'cloudevents') checkAttributes(columns);
  return envelope;
}

/** An interval option in milliseconds. */
function milliseconds(name: string, text: string): number {
  const value = inputText(text, colType(OID.interval), defaultContext()) as Interval;
  const micros = BigInt(value.days) * 86400000000n + value.micros;
  if (value.months !== 0 || micros < 0n) throw new SqlError('22023', `invalid value for option "${name}": "${text}"`);
  return Number(micros / 1000n);
}
