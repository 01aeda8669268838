/**
 * A column definition list as a value: how the binder tells a function that returns an undeclared record its columns. A record
 * constant whose names and types are the columns' and whose values are their typmods.
 */
import type { PgRecord } from '../../datum.ts';
import type { ColType } from '../../types.ts';

export interface RowColumn {
  name: string;
  type: ColType;
}

export function rowDescription(columns: RowColumn[]): PgRecord {
  return {
    k: 'record',
    names: columns.map((c) => c.name),
    types: columns.map((c) => c.type.oid),
    values: columns.map((c) => c.type.typmod),
  };
}

/** The columns that `rowDescription` described. */
export function describedColumns(description: PgRecord): RowColumn[] {
  return description.types.map((oid, i) => ({
    name: description.names?.[i] ?? `f${i + 1}`,
    type: { oid, typmod: description.values[i] as number },
  }));
}
