/** What WITH says of the form of messages: `format`, and the options of that format. */
import { SqlError } from '../../operators/errors.ts';
import { badOption } from '../kafka/options.ts';
import { AVRO_OPTIONS } from './avro/options.ts';
import type { CsvOptions } from './csv/fields.ts';

export const FORMATS = ['json', 'avro', 'debezium_json', 'csv', 'raw'] as const;
export type FormatName = (typeof FORMATS)[number];

/** Of format = 'csv', named as COPY's. */
export const CSV_OPTIONS: Record<string, string> = {
  delimiter: "one character (default ',')",
  null: "what stands for NULL without quotes (default '')",
  quote: "one character (default '\"')",
  escape: 'the character before a quote in quotes (default: the quote)',
};

/** Options that one format has. */
const OPTIONS_OF: Partial<Record<FormatName, Record<string, string>>> = { avro: AVRO_OPTIONS, csv: CSV_OPTIONS };

export const FORMAT_OPTIONS = { ...AVRO_OPTIONS, ...CSV_OPTIONS };

/** Throws 22023 for a format that is not known, and for options of another one. */
export function formatName(options: Record<string, string>): FormatName {
  const given = options.format?.toLowerCase() ?? 'json';
  const format = FORMATS.find((name) => name === given);
  if (format === undefined) {
    throw new SqlError('22023', `unknown format "${options.format}"`, {
      hint: `Known formats: ${FORMATS.join(', ')}.`,
    });
  }
  for (const [of, named] of Object.entries(OPTIONS_OF)) {
    const stray = of === format ? undefined : Object.keys(named).find((name) => name in options);
    if (stray !== undefined) throw new SqlError('22023', `option "${stray}" is for format = '${of}'`);
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
