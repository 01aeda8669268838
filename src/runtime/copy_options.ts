/** COPY's options: what a statement says of them, in PostgreSQL's words where that cannot be. What they must be to one another is looked at where the bytes are (src/postgres/copy). */
import { SqlError, unsupported } from '../../operators/errors.ts';
import type { PgNode } from '../../planner/parse/ast.ts';
import type { CopyOptions } from '../engine.ts';

const KNOWN = [
  'format',
  'delimiter',
  'null',
  'header',
  'quote',
  'escape',
  'force_quote',
  'force_not_null',
  'force_null',
  'encoding',
  'freeze',
];

const syntax = (message: string): SqlError => new SqlError('42601', message);
const impossible = (message: string): SqlError => new SqlError('0A000', message);

export function copyOptions(list: PgNode[], isFrom: boolean): CopyOptions {
  const given = new Map<string, PgNode | undefined>();
  for (const { DefElem: item } of list) {
    if (!KNOWN.includes(item.defname)) throw syntax(`option "${item.defname}" not recognized`);
    if (given.has(item.defname)) throw syntax('conflicting or redundant options');
    given.set(item.defname, item.arg);
  }
  const text = (name: string): string | undefined => given.get(name)?.String?.sval;
  const format = (text('format') ?? 'text') as CopyOptions['format'];
  if (!['text', 'csv', 'binary', 'parquet'].includes(format))
    throw new SqlError('22023', `COPY format "${format}" not recognized`);
  const csv = format === 'csv';
  if (format === 'binary' || format === 'parquet') {
    for (const name of ['delimiter', 'null', 'header'])
      if (given.has(name)) throw syntax(`cannot specify ${name.toUpperCase()} in ${format.toUpperCase()} mode`);
  }
  for (const name of ['quote', 'escape', 'force_quote', 'force_not_null', 'force_null'])
    if (given.has(name) && !csv) throw impossible(`COPY ${name.toUpperCase()} requires CSV mode`);
  const side = isFrom ? 'COPY FROM' : 'COPY TO';
  for (const name of isFrom ? ['force_quote'] : ['force_not_null', 'force_null', 'freeze'])
    if (given.has(name) && isOn(given.get(name)))
      throw impossible(`COPY ${name.toUpperCase()} cannot be used with ${side}`);
  checkEncoding(text('encoding'));
  const header = given.has('header') ? headerOf(given.get('header')) : false;
  if (header === 'match' && !isFrom) throw impossible('cannot use "match" with HEADER in COPY TO');
  const quote = text('quote') ?? '"';
  return {
    format,
    delimiter: text('delimiter') ?? (csv ? ',' : '\t'),
    null: text('null') ?? (csv ? '' : '\\N'),
    header,
    quote,
    escape: text('escape') ?? quote,
    forceQuote: namesOf(given.get('force_quote')),
    forceNotNull: namesOf(given.get('force_not_null')),
    forceNull: namesOf(given.get('force_null')),
  };
}

function isOn(arg: PgNode | undefined): boolean {
  return arg?.Boolean === undefined || arg.Boolean.boolval === true;
}

/** A list of columns. */
function namesOf(arg: PgNode | undefined): string[] | '*' {
  if (arg?.A_Star !== undefined) return '*';
  return (arg?.List?.items ?? []).map((item: PgNode) => item.String.sval);
}

/** Everything is UTF-8 here. */
function checkEncoding(name: string | undefined): void {
  if (name === undefined || ['utf8', 'unicode', 'utf-8'].includes(name.toLowerCase())) return;
  throw unsupported(`COPY in encoding ${name}`);
}

function headerOf(arg: PgNode | undefined): CopyOptions['header'] {
  if (arg === undefined) return true;
  if (arg.Boolean !== undefined) return arg.Boolean.boolval === true;
  const number = arg.Integer === undefined ? undefined : (arg.Integer.ival ?? 0);
  const word = String(arg.String?.sval ?? number ?? '').toLowerCase();
  if (['true', 'on', '1'].includes(word)) return true;
  if (['false', 'off', '0'].includes(word)) return false;
  if (word === 'match') return 'match';
  throw syntax('header requires a Boolean value or "match"');
}

/** Throws 42P10 for an option about a column that is not copied. */
export function checkColumns(options: CopyOptions, columns: { name: string }[]): void {
  const lists = {
    FORCE_QUOTE: options.forceQuote,
    FORCE_NOT_NULL: options.forceNotNull,
    FORCE_NULL: options.forceNull,
  };
  for (const [option, names] of Object.entries(lists)) {
    if (names === '*') continue;
    for (const name of names) {
      if (columns.some((column) => column.name === name)) continue;
      throw new SqlError('42P10', `${option} column "${name}" not referenced by COPY`);
    }
  }
}
