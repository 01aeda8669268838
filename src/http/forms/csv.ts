/** text/csv as COPY ... WITH (FORMAT csv, HEADER) writes it: values as PostgreSQL shows them, NULL is nothing, the empty text is "". An error behind rows has no place: the answer is cut off. */
import type { Column } from '../type_names.ts';
import { TextForm } from './form.ts';

function cell(field: string | null): string {
  if (field === null) return '';
  return field === '' || field === '\\.' || /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

export class CsvForm extends TextForm {
  readonly contentType = 'text/csv; charset=utf-8; header=present';

  begin(columns: Column[] | null): void {
    if (columns !== null) this.text = `${columns.map(({ name }) => cell(name)).join(',')}\n`;
  }

  row(fields: (string | null)[]): void {
    this.text += `${fields.map(cell).join(',')}\n`;
  }

  end(): void {
    // The last row is the end.
  }

  fail(): boolean {
    return false;
  }
}
