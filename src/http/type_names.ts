/** What the types of a result are called: the server is asked, once for each of its own types, and each time for those that users make, as they may be renamed. */
import { FIRST_USER_OID } from '../../operators/types.ts';

/** As a RowDescription has it. */
export interface DescribedColumn {
  name: string;
  dataTypeID: number;
  dataTypeModifier: number;
}

export interface Column {
  name: string;
  /** As format_type() has it, without its modifier: `numeric`, `timestamp with time zone`, `text[]`. */
  base: string;
  /** The same with it: `numeric(10,2)`. */
  type: string;
}

interface Name {
  base: string;
  type: string;
}

/** A type has as many names as it has modifiers: of varchar millions. */
const MOST_KNOWN = 10_000;

export class TypeNames {
  readonly #known = new Map<string, Name>();

  /** `ask` runs a query and gives its rows. */
  async named(columns: DescribedColumn[], ask: (query: string) => Promise<(string | null)[][]>): Promise<Column[]> {
    const keyOf = ({ dataTypeID, dataTypeModifier }: DescribedColumn) => `${dataTypeID}, ${dataTypeModifier}`;
    const names = new Map<string, Name>();
    const unknown = new Set<string>();
    for (const column of columns) {
      const key = keyOf(column);
      const known = this.#known.get(key);
      if (known !== undefined) names.set(key, known);
      else unknown.add(key);
    }
    if (unknown.size > 0) {
      const calls = [...unknown].flatMap((key) => [`format_type(${key})`, `format_type(${key.split(',')[0]}, NULL)`]);
      const [found] = await ask(`SELECT ${calls.join(', ')}`);
      [...unknown].forEach((key, i) => {
        const name = { type: found[2 * i] ?? '???', base: found[2 * i + 1] ?? '???' };
        names.set(key, name);
        if (Number.parseInt(key, 10) >= FIRST_USER_OID) return;
        if (this.#known.size >= MOST_KNOWN) this.#known.clear();
        this.#known.set(key, name);
      });
    }
    return columns.map((column) => ({ name: column.name, ...(names.get(keyOf(column)) as Name) }));
  }
}
