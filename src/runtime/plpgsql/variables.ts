/**
 * The variables of a PL/pgSQL block, as statements see them: each is a parameter, and its name stands for it.
 *
 *   n = 3, r = (a: 1, b: 'x')      names  n -> $1, r.a -> $2, r.b -> $3      types, values  in that order
 *
 * A record has the columns of the row that was put into it last. Loops hide and give back variables in each pass: names that were known before are the same map, so that plans made
 * with them are used again.
 */
import type { Datum } from '../../../operators/datum.ts';
import { SqlError } from '../../../operators/errors.ts';
import type { ColType } from '../../../operators/types.ts';

export interface Typed {
  type: ColType;
  value: Datum;
}

interface Scalar extends Typed {
  /** As it was declared, for casts. */
  typeName: string;
  notNull: boolean;
}

interface Row {
  columns: string[];
  fields: Typed[];
}

export class Variables {
  readonly #scalars = new Map<string, Scalar>();
  readonly #records = new Map<string, Row | null>();
  #names: ReadonlyMap<string, number> | null = null;
  /** By names and types. */
  readonly #known = new Map<string, ReadonlyMap<string, number>>();

  declare(name: string, typeName: string, type: ColType, notNull = false): void {
    this.#scalars.set(name, { typeName, type, value: null, notNull });
    this.#names = null;
  }

  declareRecord(name: string): void {
    this.#records.set(name, null);
  }

  /** What a loop's own variable hides: give it back to restore(). */
  hidden(name: string): Scalar | undefined {
    return this.#scalars.get(name);
  }

  restore(name: string, scalar: Scalar | undefined): void {
    if (scalar === undefined) this.#scalars.delete(name);
    else this.#scalars.set(name, scalar);
    this.#names = null;
  }

  typeOf(name: string): { type: ColType; typeName: string } {
    return this.#scalar(name);
  }

  /** A value of the variable's type. Errors: 22004. */
  set(name: string, value: Datum): void {
    const variable = this.#scalar(name);
    if (value === null && variable.notNull)
      throw new SqlError('22004', `null value cannot be assigned to variable "${name}" declared NOT NULL`);
    variable.value = value;
  }

  setRecord(name: string, columns: string[], fields: Typed[]): void {
    const before = this.#records.get(name) ?? null;
    this.#records.set(name, { columns, fields });
    const isAlike = before?.columns.length === columns.length && columns.every((c, i) => before.columns[i] === c);
    if (!isAlike || fields.some(({ type }, i) => type.oid !== before.fields[i].type.oid)) this.#names = null;
  }

  /** Dotted for a record's fields. The same map as long as names and types are the same. */
  get names(): ReadonlyMap<string, number> {
    if (this.#names === null) {
      const paths = [...this.#scalars.keys()];
      for (const [record, row] of this.#records) paths.push(...(row?.columns ?? []).map((c) => `${record}.${c}`));
      const key = JSON.stringify([paths, this.types]);
      this.#names = this.#known.get(key) ?? new Map(paths.map((path, i) => [path, i + 1]));
      this.#known.set(key, this.#names);
    }
    return this.#names;
  }

  get types(): number[] {
    return this.#all().map(({ type }) => type.oid);
  }

  get values(): Datum[] {
    return this.#all().map(({ value }) => value);
  }

  #all(): Typed[] {
    return [...this.#scalars.values(), ...[...this.#records.values()].flatMap((row) => row?.fields ?? [])];
  }

  #scalar(name: string): Scalar {
    const variable = this.#scalars.get(name);
    if (variable === undefined) throw new SqlError('42601', `"${name}" is not a known variable`);
    return variable;
  }
}
