/** Picks the decoder of a source's records. */
import type { ConnectorSpec } from '../catalog/objects.ts';
import { Schemas } from '../registry/schemas.ts';
import { counterDecoder } from '../sources/counter/columns.ts';
import { fileFormat } from '../sources/files/options.ts';
import { nexmarkColumns } from '../sources/nexmark/columns.ts';
import { parseNexmarkOptions } from '../sources/nexmark/options.ts';
import { postgresDecoder } from '../sources/postgres/decoder.ts';
import { avroDecoder, exactAvroDecoder } from './avro/index.ts';
import { parseAvroOptions } from './avro/options.ts';
import { cloudeventsDecoder } from './cloudevents/index.ts';
import { csvDecoder } from './csv/index.ts';
import { debeziumDecoder } from './debezium/index.ts';
import type { Decoder, DecoderSpec } from './format.ts';
import { JsonReader } from './json/exact_reader.ts';
import { jsonDecoder } from './json/index.ts';
import { csvOptions, formatName } from './options.ts';
import { exactProtobufDecoder, protobufDecoder } from './protobuf/index.ts';
import { parseProtobufOptions } from './protobuf/options.ts';
import { rawDecoder } from './raw/index.ts';
import { RowDecoder } from './row_decoder.ts';

/** `schemas`: those that the records' source knows. */
export function makeDecoder(
  spec: DecoderSpec,
  { connector, options }: ConnectorSpec,
  schemas: Schemas | undefined,
): Decoder {
  if (connector === 'counter') return counterDecoder(spec);
  if (connector === 'postgres') return postgresDecoder(spec);
  // Values of domains are looked at.
  const exact = spec.columns.some(({ type }) => type.domain !== undefined);
  if (connector === 'nexmark' && exact) return new RowDecoder(spec, new JsonReader(spec));
  if (connector === 'nexmark') {
    return nexmarkColumns(parseNexmarkOptions(options), spec) ?? jsonDecoder(spec);
  }
  switch (connector === 'files' ? fileFormat(options) : formatName(options)) {
    case 'json':
    // Its rows come as JSON.
    case 'parquet':
      return exact ? new RowDecoder(spec, new JsonReader(spec)) : jsonDecoder(spec);
    case 'avro':
      return (exact ? exactAvroDecoder : avroDecoder)(spec, parseAvroOptions(options), schemas ?? new Schemas());
    case 'protobuf': {
      const form = parseProtobufOptions(options);
      return (exact ? exactProtobufDecoder : protobufDecoder)(spec, form, schemas ?? new Schemas());
    }
    case 'cloudevents':
      return cloudeventsDecoder(spec);
    case 'debezium_json':
      return debeziumDecoder(spec);
    case 'csv':
      return csvDecoder(spec, csvOptions(options));
    case 'raw':
      return rawDecoder(spec);
  }
}
