/**
 * application/json      {"columns":[{"name":...,"type":...}],"rows":[[...],...],"command":...,"tick":...}
 * application/x-ndjson  {"columns":[...]}  then a list a row  then {"command":...,"tick":...}, a line each
 *
 * What fails after the first rows have left ends with a member "error" in the place of command and tick; of a statement without rows columns are null. A row is a list, as two
 * columns may have one name.
 */
import type { ErrorBody } from '../errors.ts';
import type { Column } from '../type_names.ts';
import { type ResultEnd, TextForm } from './form.ts';
import { jsonOf, type ToJson } from './json_value.ts';

const described = (columns: Column[] | null) => columns?.map(({ name, type }) => ({ name, type })) ?? null;

export function rowWriter(columns: Column[]): (fields: (string | null)[]) => string {
  const writers: ToJson[] = columns.map(({ base }) => jsonOf(base));
  return (fields) => {
    let text = '[';
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i];
      if (i > 0) text += ',';
      text += field === null ? 'null' : writers[i](field);
    }
    return text + ']';
  };
}

export class JsonForm extends TextForm {
  readonly contentType = 'application/json; charset=utf-8';
  #write: (fields: (string | null)[]) => string = () => '';
  #rows = 0;

  begin(columns: Column[] | null): void {
    this.#write = rowWriter(columns ?? []);
    this.text = `{"columns":${JSON.stringify(described(columns))},"rows":[`;
  }

  row(fields: (string | null)[]): void {
    this.text += (this.#rows++ === 0 ? '\n' : ',\n') + this.#write(fields);
  }

  end({ command, tick }: ResultEnd): void {
    this.text += `],"command":${JSON.stringify(command)},"tick":${JSON.stringify(tick)}}\n`;
  }

  fail(error: ErrorBody): boolean {
    this.text += `],${JSON.stringify(error).slice(1)}\n`;
    return true;
  }
}

export class NdjsonForm extends TextForm {
  readonly contentType = 'application/x-ndjson; charset=utf-8';
  #write: (fields: (string | null)[]) => string = () => '';

  begin(columns: Column[] | null): void {
    this.#write = rowWriter(columns ?? []);
    this.text = `${JSON.stringify({ columns: described(columns) })}\n`;
  }

  row(fields: (string | null)[]): void {
    this.text += this.#write(fields) + '\n';
  }

  end(end: ResultEnd): void {
    this.text += `${JSON.stringify({ command: end.command, tick: end.tick })}\n`;
  }

  fail(error: ErrorBody): boolean {
    this.text += `${JSON.stringify(error)}\n`;
    return true;
  }
}
