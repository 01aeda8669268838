/** Rows of PostgreSQL's own catalogs as datums, made once from their text form. Cost: pg_proc, the largest, some 30 ms. */
import type { Datum } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { hasIo, inputText } from '../../../operators/expr/io/index.ts';
import { OID, physOf } from '../../../operators/types.ts';
import type { RelationColumn } from '../../../planner/catalog_reader.ts';
import { type CatalogTable, type SystemTable, systemTable } from '../../../planner/types/catalog_table.ts';

type Reader = (text: string) => Datum;

const CONTEXT = defaultContext();
const AS_TEXT = new Set<number>([OID.name, OID.text, OID.char, OID.varchar, OID.pg_node_tree]);

function readerOf(type: RelationColumn['type']): Reader {
  const phys = physOf(type.oid);
  if (phys === 'i32' || phys === 'u32') return Number;
  if (type.oid === OID.bool) return (text) => text === 'true';
  if (AS_TEXT.has(type.oid) || !hasIo(type.oid)) return (text) => text;
  return (text) => inputText(text, { oid: type.oid, typmod: -1 }, CONTEXT);
}

/** The rows with the relation's columns; a column that the table lacks (an older one) is what `missing` says, else NULL. */
export function staticRows(
  name: SystemTable,
  columns: RelationColumn[],
  missing: Record<string, (table: CatalogTable, row: number) => Datum> = {},
): Datum[][] {
  const table = systemTable(name);
  const readers = columns.map((c): ((row: number) => Datum) => {
    const own = missing[c.name];
    if (own !== undefined) return (row) => own(table, row);
    if (!table.has(c.name)) return () => null;
    const read = readerOf(c.type);
    return (row) => {
      const text = table.value(row, c.name);
      return text === null ? null : read(text);
    };
  });
  return Array.from({ length: table.rowCount }, (_, row) => readers.map((read) => read(row)));
}
