/** Rows as COPY reads them: a line each, tabs between the columns, \N for NULL. */
import { escaped } from '../postgres/copy/escaped.ts';
import { TidemarkError } from './tidemark_error.ts';
import { textOf } from './values.ts';

const CHUNK_LENGTH = 64 * 1024;

/** Rows that have the same columns; `at`: where in the list they were. */
export interface RowGroup {
  columns: string[];
  rows: Record<string, unknown>[];
  at: number[];
}

/** By the columns that they have: those that a row does not have get their DEFAULT. */
export function groupsOf(rows: readonly object[]): RowGroup[] {
  if (!Array.isArray(rows)) throw new TidemarkError({ code: '22023', message: 'rows are an array of objects' });
  const groups = new Map<string, RowGroup>();
  rows.forEach((row, i) => {
    if (row === null || typeof row !== 'object' || Array.isArray(row))
      throw new TidemarkError({ code: '22023', message: `row ${i + 1} is no object` });
    const columns = Object.keys(row)
      .filter((column) => (row as Record<string, unknown>)[column] !== undefined)
      .sort();
    const name = JSON.stringify(columns);
    const group = groups.get(name) ?? { columns, rows: [], at: [] };
    groups.set(name, group);
    group.rows.push(row as Record<string, unknown>);
    group.at.push(i);
  });
  return [...groups.values()];
}

/** `forJson`: which columns are of JSON. */
export function copyChunks({ columns, rows, at }: RowGroup, forJson: boolean[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let text = '';
  rows.forEach((row, i) => {
    text += `${columns.map((column, c) => fieldOf(row[column], forJson[c], column, at[i])).join('\t')}\n`;
    if (text.length < CHUNK_LENGTH) return;
    chunks.push(Buffer.from(text));
    text = '';
  });
  if (text !== '') chunks.push(Buffer.from(text));
  return chunks;
}

function fieldOf(value: unknown, isJson: boolean, column: string, row: number): string {
  try {
    return escaped(textOf(value, isJson));
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    const { code, message } = error;
    throw new TidemarkError({ code, message, where: `row ${row + 1}, column ${column}`, column });
  }
}
