/** Expected rows of a record against what came: formats of values, sorting, hashes. */
import { createHash } from 'node:crypto';
import type { QueryRecord } from './records.ts';

/** A result: text of each value, NULL as null, with its type's OID. */
export interface TextRows {
  rows: (string | null)[][];
  types: number[];
  names: string[];
}

const BOOL = 16;
const FLOATS = new Set([700, 701, 1700]);

/** Null when equal, else what differs. `unordered`: compare as bags whatever the record says (a view has no order). */
export function compareRows(
  record: QueryRecord,
  actual: TextRows,
  hashThreshold: number,
  unordered: boolean,
): string | null {
  let expected = record.expected ?? [];
  if (record.named) {
    const names = (expected[0] ?? '').trim().split(/\s+/);
    if (names.join(' ') !== actual.names.join(' '))
      return `the columns are ${actual.names.join(' ')}, expected ${names.join(' ')}`;
    expected = expected.slice(1);
  }
  const rows = actual.rows.map((row) =>
    row.map((value, c) => formatValue(record, value, actual.types[c], record.types[c])),
  );
  const width = Math.max(1, actual.types.length);
  const hash = /^(\d+) values hashing to ([0-9a-f]{32})$/.exec(expected[0] ?? '');
  if (hash !== null) return compareHash(record, rows, Number(hash[1]), hash[2]);
  if (hashThreshold > 0 && record.layout === 'values' && expected.length > hashThreshold && hash !== null)
    return 'hash expected';
  if (record.layout === 'values') {
    return compareLists(
      sorted(
        chunks(
          expected.map((v) => v.trimEnd()),
          width,
        ),
        record,
        unordered,
      ),
      sorted(rows, record, unordered),
    );
  }
  if (record.multiline) {
    const text = rows.map((row) => row.join(' ')).join('\n');
    return expected.join('\n').replace(/\nEOF$/, '') === text.replace(/\n$/, '') ? null : difference(expected, [text]);
  }
  const split = (line: string) => (record.layout === 'tabs' ? line.split('\t') : line.trim().split(/\s+/));
  const wanted = expected.map(split);
  const came = rows.map((row) => (record.layout === 'tabs' ? row : row.join(' ').trim().split(/\s+/)));
  return compareLists(sorted(wanted, record, unordered), sorted(came, record, unordered));
}

function compareHash(record: QueryRecord, rows: string[][], count: number, digest: string): string | null {
  const values = sorted(rows, record, false).flat();
  if (values.length !== count) return `${values.length} values, expected ${count}`;
  const md5 = createHash('md5');
  for (const value of values) md5.update(`${value}\n`);
  return md5.digest('hex') === digest ? null : 'values hash differently';
}

function sorted(rows: string[][], record: QueryRecord, unordered: boolean): string[][] {
  if (record.sort === 'valuesort')
    return rows
      .flat()
      .sort(byBytes)
      .map((v) => [v]);
  if (record.sort === 'rowsort' || unordered)
    return [...rows].sort((a, b) => byBytes(a.join('\u0001'), b.join('\u0001')));
  return rows;
}

const byBytes = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function compareLists(expected: string[][], actual: string[][]): string | null {
  const same =
    expected.length === actual.length &&
    expected.every((row, i) => row.length === actual[i].length && row.every((v, c) => v === actual[i][c]));
  return same
    ? null
    : difference(
        expected.map((r) => r.join(' ')),
        actual.map((r) => r.join(' ')),
      );
}

function difference(expected: string[], actual: string[]): string {
  const at = expected.findIndex((row, i) => row !== actual[i]);
  const i = at < 0 ? expected.length : at;
  return `${actual.length} rows, expected ${expected.length}; row ${i + 1}: got "${actual[i] ?? '(none)'}", expected "${expected[i] ?? '(none)'}"`;
}

function chunks(values: string[], width: number): string[][] {
  const out: string[][] = [];
  for (let i = 0; i < values.length; i += width) out.push(values.slice(i, i + width));
  return out;
}

function formatValue(record: QueryRecord, value: string | null, oid: number, type: string | undefined): string {
  if (value === null) return 'NULL';
  if (value === '') return '(empty)';
  if (record.layout === 'values') {
    if (type === 'I') return String(Math.trunc(Number(value)));
    if (type === 'R') return Number(value).toFixed(3);
    if (type === 'B' && oid === BOOL) return value === 't' ? 'true' : 'false';
    // SQLite's own programs show bytes that are not printable as @.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are meant.
    return value.replace(/[\x00-\x1f\x7f-\uffff]/g, '@');
  }
  if (record.cockroach) {
    if (oid === BOOL) return value === 't' ? 'true' : value === 'f' ? 'false' : value;
    if (type === 'R' && FLOATS.has(oid) && /^-?\d/.test(value) && !/e/i.test(value)) return Number(value).toFixed(3);
    return value.replaceAll(' ', '␠');
  }
  return value;
}
