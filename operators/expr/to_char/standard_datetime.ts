/**
 * Reading datetimes by a template as the SQL standard has it: what stands between fields must be there as the template says, and
 * nothing may be left over. The fields that the template has say whether it is a date, a time or both, with a zone or without.
 *
 *   yyyy-mm-dd   date        HH24:MI   time        HH24:MI TZH   timetz        dd.mm.yyyy HH24   timestamp
 */
import { SqlError } from '../../errors.ts';
import { readPatternAt } from './datetime_from_text.ts';
import { noFields, type ReadFields } from './read_fields.ts';
import { Source } from './source.ts';
import { datetimeTemplate, type TemplateNode } from './template.ts';

const SEPARATORS = "-./,':; ";
const TIMES = new Set('A.M. AM P.M. PM FF1 FF2 FF3 FF4 FF5 FF6 HH HH12 HH24 MI MS SS SSSS SSSSS US'.split(' '));
const ZONES = new Set(['TZ', 'TZH', 'TZM', 'OF']);

export type StandardType = 'date' | 'time' | 'timetz' | 'timestamp' | 'timestamptz';

const formatError = (message: string) => new SqlError('22007', message);

/** Checks a template: separators are few, everything else is quoted. Not an error of the text. */
export function standardTemplate(template: string): TemplateNode[] {
  const nodes = datetimeTemplate(template);
  const bad = nodes.find((n) => n.kind !== 'pattern' && !n.quoted && !SEPARATORS.includes(n.text));
  if (bad) throw formatError(`invalid datetime format separator: "${bad.text}"`);
  return nodes;
}

/** The fields of a text. */
export function readStandardDateTime(text: string, nodes: TemplateNode[]): ReadFields {
  const source = new Source(text);
  const fields = noFields();
  let i = 0;
  for (; i < nodes.length && !source.atEnd(); i++) {
    const node = nodes[i];
    if (node.kind === 'pattern') {
      if (node.text.toUpperCase() !== 'FX') readPatternAt(fields, source, nodes, i, 0);
      continue;
    }
    if (!source.rest().startsWith(node.text)) {
      throw formatError(`unmatched format ${node.quoted ? 'character' : 'separator'} "${node.text}"`);
    }
    source.skip();
  }
  if (i < nodes.length) throw formatError('input string is too short for datetime format');
  source.skipSpaces();
  if (!source.atEnd()) throw formatError('trailing characters remain in input string after datetime format');
  return fields;
}

/** The type that the template makes of what was read. */
export function standardType(nodes: TemplateNode[], fields: ReadFields): StandardType {
  const patterns = nodes.filter((n) => n.kind === 'pattern').map((n) => n.text.toUpperCase());
  const timed = patterns.some((p) => TIMES.has(p));
  const zoned = patterns.some((p) => ZONES.has(p));
  const dated = patterns.some((p) => p !== 'FX' && !TIMES.has(p) && !ZONES.has(p));
  if (!timed) {
    if (!dated) throw formatError('datetime format is not dated and not timed');
    if (zoned) throw formatError('datetime format is zoned but not timed');
    return 'date';
  }
  const type = dated ? 'timestamp' : 'time';
  if (!zoned) return type;
  if (fields.offsetSign === 0 && fields.offset === null) {
    throw formatError(`missing time zone in input string for type ${type}tz`);
  }
  return `${type}tz`;
}
