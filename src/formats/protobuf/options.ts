/** Options of a source with format = 'protobuf'. */
import { SqlError } from '../../../operators/errors.ts';
import { badOption, choice } from '../../connector_options.ts';
import { parseRegistryOptions, REGISTRY_OPTIONS, type RegistryOptions } from '../../registry/options.ts';
import { parseSchemas } from './schema.ts';

export const PROTOBUF_OPTIONS: Record<string, string> = {
  ...REGISTRY_OPTIONS,
  schema: 'the text of a .proto file that has the message of option "message", in place of a registry',
  message: '\'package.Name\' of all messages, which is in the text of option "schema"',
  key_format: "'protobuf' (default with a registry) or 'json'",
};

export interface ProtobufOptions {
  /** What the ids that messages name mean; null: `schema` and `message` are given. */
  registry: RegistryOptions | null;
  /** Of all messages, which then name none. */
  schema: string | null;
  message: string | null;
  key: 'protobuf' | 'json';
}

/** Throws SqlError 22023, and 22P03 for a schema that cannot be used. */
export function parseProtobufOptions(given: Record<string, string>): ProtobufOptions {
  const registry = parseRegistryOptions(given);
  const { schema = null, message = null } = given;
  if ((registry === null) === (schema === null)) {
    const wrong = registry === null ? 'needs the options' : 'takes only one of the options';
    throw new SqlError('22023', `format "protobuf" ${wrong} "schema_registry" or "schema"`, {
      hint: 'With schema_registry messages begin with a schema id, with schema and message they are plain Protobuf.',
    });
  }
  if ((schema === null) !== (message === null)) {
    const wrong = message === null ? 'needs the option' : 'with a schema registry takes no option';
    throw new SqlError('22023', `format "protobuf" ${wrong} "message"`, {
      hint: 'It says which message of "schema" all are; with a registry each message says it.',
    });
  }
  const key = choice(given, 'key_format', registry === null ? 'json' : 'protobuf', ['protobuf', 'json']);
  if (key === 'protobuf' && registry === null) throw badOption('key_format', key, "'json' without a schema registry");
  if (schema !== null && message !== null && parseSchemas([schema]).named(message) === null) {
    throw badOption('message', message, 'the name of a message in "schema", with its package');
  }
  return { registry, schema, message, key };
}
