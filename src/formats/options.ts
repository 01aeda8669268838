/** What WITH says of the form of messages: `format`, and the options of that format. */
import { SqlError } from '../../operators/errors.ts';
import { badOption } from '../connector_options.ts';
import { AVRO_OPTIONS } from './avro/options.ts';
import type { CsvOptions } from './csv/fields.ts';
import { PROTOBUF_OPTIONS } from './protobuf/options.ts';

export const FORMATS = ['json', 'avro', 'protobuf', 'debezium_json', 'cloudevents', 'csv', 'raw'] as const;
export type FormatName = (typeof FORMATS)[number];

/** Of format = 'csv', named as COPY's. */
export const CSV_OPTIONS: Record<string, string> = {
  delimiter: "one character (default ',')",
  null: "what stands for NULL without quotes (default '')",
  quote: "one character (default '\"')",
  escape: 'the character before a quote in quotes (default: the quote)',
};

/** Options that one format has. */
const OPTIONS_OF: Partial<Record<FormatName, Record<string, string>>> = {
  avro: AVRO_OPTIONS,
  protobuf: PROTOBUF_OPTIONS,
  csv: CSV_OPTIONS,
};

export const FORMAT_OPTIONS: Record<string, string> = {
  ...AVRO_OPTIONS,
  ...PROTOBUF_OPTIONS,
  ...CSV_OPTIONS,
  schema: 'the Avro schema of all messages, or the text of a .proto file with it, in place of a registry',
  key_format: "'avro' or 'protobuf' (default with a registry of these), or 'json'",
};

/** Throws 22023 for a format that is not known, and for options of another one. */
export function formatName(options: Record<string, string>): FormatName {
  const given = options.format?.toLowerCase() ?? 'json';
  const format = FORMATS.find((name) => name === given);
  if (format === undefined) {
    throw new SqlError('22023', `unknown format "${options.format}"`, {
      hint: `Known formats: ${FORMATS.join(', ')}.`,
    });
  }
  const own = OPTIONS_OF[format] ?? {};
  const stray = Object.keys(FORMAT_OPTIONS).find((name) => name in options && !(name in own));
  if (stray !== undefined) {
    const takers = FORMATS.filter((name) => stray in (OPTIONS_OF[name] ?? {}));
    throw new SqlError('22023', `option "${stray}" is for format = ${takers.map((name) => `'${name}'`).join(' or ')}`);
  }
  return format;
}

/** Throws 22023 for characters that could be taken for one another. */
export function csvOptions(options: Record<string, string>): CsvOptions {
  const { delimiter = ',', null: nullText = '', quote = '"' } = options;
  const { escape: escapeChar = quote } = options;
  for (const [name, value] of Object.entries({ delimiter, quote, escape: escapeChar })) {
    if (value.length !== 1 || value.charCodeAt(0) > 127 || /[\r\n\0]/.test(value)) {
      throw badOption(name, value, 'one character of ASCII, and no end of a line');
    }
  }
  if (delimiter === quote) throw badOption('delimiter', delimiter, 'another character than "quote"');
  if (nullText.includes(delimiter) || nullText.includes(quote) || /[\r\n]/.test(nullText)) {
    throw badOption('null', nullText, 'without the delimiter, the quote and ends of lines');
  }
  return { delimiter, null: nullText, quote, escape: escapeChar };
}
