/** How the rows of a plan look on the wire, made once for what a client does again and again. */
import type { ResultColumn } from '../../engine.ts';
import { DataRowWriter } from '../encode/row_writer.ts';
import { rowDescription } from '../wire/control_message.ts';
import type { Session } from './session.ts';

class ResultForm {
  /** RowDescription. */
  readonly description: Buffer;
  readonly #session: Session;
  readonly #generation: number;
  readonly #columns: ResultColumn[];
  readonly #formats: number[];
  #writer: DataRowWriter | null = null;

  constructor(session: Session, columns: ResultColumn[], formats: number[]) {
    this.#session = session;
    this.#generation = session.settings.generation;
    this.#columns = columns;
    this.#formats = formats;
    this.description = rowDescription(columns, formats);
  }

  get writer(): DataRowWriter {
    this.#writer ??= new DataRowWriter(this.#columns, this.#formats, this.#session.context.evalContext);
    return this.#writer;
  }

  /** Values look as the session's settings say. */
  fits(session: Session, formats: number[]): boolean {
    return (
      session === this.#session &&
      session.settings.generation === this.#generation &&
      formats.length === this.#formats.length &&
      formats.every((format, i) => format === this.#formats[i])
    );
  }
}

/** The last form of the columns of a plan. */
const forms = new WeakMap<ResultColumn[], ResultForm>();

export function resultForm(session: Session, columns: ResultColumn[], formats: number[]): ResultForm {
  let form = forms.get(columns);
  if (form?.fits(session, formats)) return form;
  form = new ResultForm(session, columns, formats);
  forms.set(columns, form);
  return form;
}
