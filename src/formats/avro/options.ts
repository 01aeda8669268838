/** Options of a source with format = 'avro'. */
import { SqlError } from '../../../operators/errors.ts';
import { badOption, choice } from '../../connector_options.ts';
import { parseRegistryOptions, REGISTRY_OPTIONS, type RegistryOptions } from '../../registry/options.ts';
import { parseSchemas } from './schema.ts';

export const AVRO_OPTIONS: Record<string, string> = {
  ...REGISTRY_OPTIONS,
  schema: 'the Avro schema of all messages, in place of a registry',
  key_format: "'avro' (default with a registry) or 'json'",
};

export interface AvroOptions {
  /** What the ids that messages name mean; null: `schema` is given. */
  registry: RegistryOptions | null;
  /** Of all messages, which then name none. */
  schema: string | null;
  key: 'avro' | 'json';
}

/** Throws SqlError 22023. */
export function parseAvroOptions(given: Record<string, string>): AvroOptions {
  const registry = parseRegistryOptions(given);
  const { schema = null } = given;
  if ((registry === null) === (schema === null)) {
    const wrong = registry === null ? 'needs the options' : 'takes only one of the options';
    throw new SqlError('22023', `format "avro" ${wrong} "schema_registry" or "schema"`, {
      hint: 'With schema_registry messages begin with a schema id, with schema they are plain Avro.',
    });
  }
  if (schema !== null) parseSchemas([schema]);
  const key = choice(given, 'key_format', registry === null ? 'json' : 'avro', ['avro', 'json']);
  if (key === 'avro' && registry === null) throw badOption('key_format', key, "'json' without a schema registry");
  return { registry, schema, key };
}
