/** Picks the decoder of a source's records. */
import type { ConnectorSpec } from '../catalog/objects.ts';
import { nexmarkColumns } from '../sources/nexmark/columns.ts';
import { parseNexmarkOptions } from '../sources/nexmark/options.ts';
import { csvDecoder } from './csv/index.ts';
import { debeziumDecoder } from './debezium/index.ts';
import type { Decoder, DecoderSpec } from './format.ts';
import { jsonDecoder } from './json/index.ts';
import { csvOptions, formatName } from './options.ts';
import { rawDecoder } from './raw/index.ts';

export function makeDecoder(spec: DecoderSpec, { connector, options }: ConnectorSpec): Decoder {
  if (connector === 'nexmark') {
    return nexmarkColumns(parseNexmarkOptions(new Map(Object.entries(options))), spec) ?? jsonDecoder(spec);
  }
  switch (formatName(options)) {
    case 'json':
      return jsonDecoder(spec);
    case 'debezium_json':
      return debeziumDecoder(spec);
    case 'csv':
      return csvDecoder(spec, csvOptions(options));
    case 'raw':
      return rawDecoder(spec);
  }
}
