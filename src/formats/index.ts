/** Picks the decoder of a source's records. */
import type { ConnectorSpec } from '../catalog/objects.ts';
import { nexmarkColumns } from '../sources/nexmark/columns.ts';
import { parseNexmarkOptions } from '../sources/nexmark/options.ts';
import type { Decoder, DecoderSpec } from './format.ts';
import { jsonDecoder } from './json/index.ts';

export function makeDecoder(spec: DecoderSpec, connector: ConnectorSpec): Decoder {
  if (connector.connector === 'nexmark') {
    const direct = nexmarkColumns(parseNexmarkOptions(new Map(Object.entries(connector.options))), spec);
    if (direct !== null) return direct;
  }
  return jsonDecoder(spec);
}
