/** Columns of results by what the database knows of their types: of PostgreSQL's it is asked once for each. */
import { FIRST_USER_OID } from '../../operators/types.ts';
import type { EngineThread } from './engine_thread.ts';
import type { TypeFacts } from './messages.ts';
import type { Column } from './tidemark.d.ts';
import { reader } from './values.ts';

/** A row as a session sends it. */
export type TextRow = (string | null)[];

export interface TextColumn {
  name: string;
  oid: number;
}

export interface RowReader {
  columns: Column[];
  array(row: TextRow): unknown[];
  object(row: TextRow): Record<string, unknown>;
}

export class RowTypes {
  readonly #thread: EngineThread;
  readonly #known = new Map<number, TypeFacts>();

  constructor(thread: EngineThread) {
    this.#thread = thread;
  }

  async #facts(oids: number[]): Promise<TypeFacts[]> {
    if (!oids.every((oid) => this.#known.has(oid))) {
      const facts = await this.#thread.ask('types', oids);
      oids.forEach((oid, i) => {
        // Names of others may change.
        if (oid < FIRST_USER_OID) this.#known.set(oid, facts[i]);
      });
      return facts;
    }
    return oids.map((oid) => this.#known.get(oid) as TypeFacts);
  }

  async reader(columns: TextColumn[]): Promise<RowReader> {
    const facts = await this.#facts(columns.map(({ oid }) => oid));
    const readers = columns.map(({ oid }, i) => reader(oid, facts[i].element));
    const array = (row: TextRow) =>
      row.map((text, i) => {
        const read = readers[i];
        return text === null || read === null ? text : read(text);
      });
    return {
      columns: columns.map(({ name }, i) => ({ name, type: facts[i].name })),
      array,
      object: (row) => {
        const values = array(row);
        const out: Record<string, unknown> = {};
        for (let i = 0; i < values.length; i++) setField(out, columns[i].name, values[i]);
        return out;
      },
    };
  }
}

/** A column may have any name. */
function setField(row: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') row[name] = value;
  else Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
}
