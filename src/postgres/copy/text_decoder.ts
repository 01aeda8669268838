/**
 * COPY FROM in text and csv: lines to fields to datums through the types' text input; plain lines of text in fewer steps (plain_line.ts).
 *
 * `\.` alone on a line ends the data; what follows is ignored. In csv it does so only unquoted, as PostgreSQL did up to 17: older
 * psql sends it. HEADER skips the first line, HEADER MATCH looks at its names.
 */
import type { BatchBuilder } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import { inputText } from '../../../operators/expr/io/index.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import type { CopyOptions, ResultColumn } from '../../engine.ts';
import { type ForcedNulls, splitCsvRecord } from '../../formats/csv/fields.ts';
import { atPlace, badFormat } from './copy_errors.ts';
import { LineSplitter } from './line_splitter.ts';
import { PlainLine } from './plain_line.ts';
import type { RowDecoder } from './row_decoder.ts';
import { copiedText, splitTextLine } from './text_fields.ts';

export class TextDecoder implements RowDecoder {
  readonly #table: string;
  readonly #columns: ResultColumn[];
  readonly #options: CopyOptions;
  readonly #context: EvalContext;
  readonly #lines: LineSplitter;
  readonly #plain: PlainLine | null;
  readonly #forced: ForcedNulls | null;
  /** Of the line, or record, that is read. */
  #number = 0;
  #ended = false;

  constructor(table: string, columns: ResultColumn[], options: CopyOptions, context: EvalContext) {
    this.#table = table;
    this.#columns = columns;
    this.#options = options;
    this.#context = context;
    const isOf = (names: string[] | '*') => columns.map(({ name }) => names === '*' || names.includes(name));
    const { forceNotNull, forceNull } = options;
    this.#forced =
      forceNotNull.length + forceNull.length === 0 ? null : { notNull: isOf(forceNotNull), null: isOf(forceNull) };
    this.#plain = PlainLine.of(columns, options, (field, { type }) => inputText(field, type, context));
    this.#lines = new LineSplitter({
      csv: options.format === 'csv',
      quote: options.quote.charCodeAt(0),
      escape: options.escape.charCodeAt(0),
    });
  }

  get line(): number {
    return this.#number + this.#lines.quotedEnds;
  }

  push(chunk: Buffer, rows: BatchBuilder): void {
    if (this.#ended) return;
    try {
      this.#lines.push(chunk, (data, start, end) => this.#line(data, start, end, rows));
    } catch (cause) {
      throw this.#placed(cause, this.line + 1);
    }
  }

  end(rows: BatchBuilder): void {
    if (this.#ended) return;
    try {
      const last = this.#lines.end();
      if (last !== null) this.#line(last, 0, last.length, rows);
    } catch (cause) {
      throw this.#placed(cause, this.line + 1);
    }
  }

  #placed(cause: unknown, line: number): unknown {
    return cause instanceof SqlError ? atPlace(cause, this.#table, line, null, null) : cause;
  }

  #line(data: Buffer, start: number, end: number, rows: BatchBuilder): void {
    if (this.#ended) return;
    this.#number++;
    const { header } = this.#options;
    if (end - start === 2 && data[start] === 92 && data[start + 1] === 46) this.#ended = true;
    else if (header === false || this.#number > 1) {
      if (this.#plain?.read(data, start, end, rows) !== true) rows.pushDatums(this.#row(data.subarray(start, end)), 1);
    } else if (header === 'match') this.#checkHeader(data.subarray(start, end));
  }

  /** HEADER MATCH: as many names as columns, and these. */
  #checkHeader(line: Buffer): void {
    const { text, fields } = this.#fields(line);
    const columns = this.#columns;
    if (fields.length !== columns.length) {
      throw this.#fault(
        `wrong number of fields in header line: got ${fields.length}, expected ${columns.length}`,
        text,
      );
    }
    fields.forEach((field, i) => {
      const { name } = columns[i];
      if (field === name) return;
      const at = `column name mismatch in header line field ${i + 1}`;
      if (field === null)
        throw this.#fault(`${at}: got null value ("${this.#options.null}"), expected "${name}"`, text);
      throw this.#fault(`${at}: got "${field}", expected "${name}"`, text);
    });
  }

  #fields(line: Buffer): { text: string; fields: (string | null)[] } {
    try {
      const text = copiedText(line);
      const fields =
        this.#options.format === 'csv'
          ? splitCsvRecord(text, this.#options, this.#forced)
          : splitTextLine(text, this.#options.delimiter, this.#options.null);
      return { text, fields };
    } catch (cause) {
      throw this.#placed(cause, this.line);
    }
  }

  #row(line: Buffer): Datum[] {
    const columns = this.#columns;
    const { text, fields } = this.#fields(line);
    // A line without anything is a row of a relation without columns.
    if (columns.length === 0 && text === '') return [];
    if (fields.length > columns.length) throw this.#fault('extra data after last expected column', text);
    const row: Datum[] = new Array(columns.length);
    for (let i = 0; i < columns.length; i++) {
      // As in PostgreSQL, behind the errors of the fields that are there.
      if (i === fields.length) throw this.#fault(`missing data for column "${columns[i].name}"`, text);
      const field = fields[i];
      row[i] = field === null ? null : this.#datum(field, columns[i]);
    }
    return row;
  }

  #fault(message: string, text: string): SqlError {
    return atPlace(badFormat(message), this.#table, this.line, null, text);
  }

  #datum(field: string, column: ResultColumn): Datum {
    try {
      return inputText(field, column.type, this.#context);
    } catch (cause) {
      throw cause instanceof SqlError ? atPlace(cause, this.#table, this.line, column.name, field) : cause;
    }
  }
}
