/**
 * The rows of PostgreSQL's own catalogs (generated/*.json), read on demand.
 *
 *   file: columns ["oid", "proname", ...]  same {"proowner": "10"}  rows ["1242\tboolin\t...", ...]
 *
 * A file is parsed when first asked for (pg_proc: 3 ms) and a row is split when first looked at, so that a server start pays
 * only for what it touches. Values are PostgreSQL's text output, null for NULL.
 */
import { createRequire } from 'node:module';

interface TableFile {
  relation: string;
  columns: string[];
  same: Record<string, string | null>;
  rows: string[];
}

/** The generated files. Naming them as imported types makes the compiler copy them beside its output. */
interface GeneratedFiles {
  pg_aggregate: typeof import('./generated/pg_aggregate.json', { with: { type: 'json' }});
  pg_am: typeof import('./generated/pg_am.json', { with: { type: 'json' }});
  pg_amop: typeof import('./generated/pg_amop.json', { with: { type: 'json' }});
  pg_amproc: typeof import('./generated/pg_amproc.json', { with: { type: 'json' }});
  pg_attribute: typeof import('./generated/pg_attribute.json', { with: { type: 'json' }});
  pg_authid: typeof import('./generated/pg_authid.json', { with: { type: 'json' }});
  pg_cast: typeof import('./generated/pg_cast.json', { with: { type: 'json' }});
  pg_class: typeof import('./generated/pg_class.json', { with: { type: 'json' }});
  pg_collation: typeof import('./generated/pg_collation.json', { with: { type: 'json' }});
  pg_conversion: typeof import('./generated/pg_conversion.json', { with: { type: 'json' }});
  pg_language: typeof import('./generated/pg_language.json', { with: { type: 'json' }});
  pg_namespace: typeof import('./generated/pg_namespace.json', { with: { type: 'json' }});
  pg_opclass: typeof import('./generated/pg_opclass.json', { with: { type: 'json' }});
  pg_operator: typeof import('./generated/pg_operator.json', { with: { type: 'json' }});
  pg_opfamily: typeof import('./generated/pg_opfamily.json', { with: { type: 'json' }});
  pg_proc: typeof import('./generated/pg_proc.json', { with: { type: 'json' }});
  pg_range: typeof import('./generated/pg_range.json', { with: { type: 'json' }});
  pg_settings: typeof import('./generated/pg_settings.json', { with: { type: 'json' }});
  pg_tablespace: typeof import('./generated/pg_tablespace.json', { with: { type: 'json' }});
  pg_ts_config: typeof import('./generated/pg_ts_config.json', { with: { type: 'json' }});
  pg_ts_dict: typeof import('./generated/pg_ts_dict.json', { with: { type: 'json' }});
  pg_ts_parser: typeof import('./generated/pg_ts_parser.json', { with: { type: 'json' }});
  pg_ts_template: typeof import('./generated/pg_ts_template.json', { with: { type: 'json' }});
  pg_type: typeof import('./generated/pg_type.json', { with: { type: 'json' }});
}

export type SystemTable = keyof GeneratedFiles;

const ESCAPES: Record<string, string> = { '\\t': '\t', '\\n': '\n', '\\r': '\r', '\\\\': '\\' };

function unescapeValue(text: string): string | null {
  if (!text.includes('\\')) return text;
  return text === '\\N' ? null : text.replace(/\\[tnr\\]/g, (escaped) => ESCAPES[escaped]);
}

/** One catalog; rows are numbered from 0 in the file's order (by OID). */
export class CatalogTable {
  readonly relation: string;
  readonly rowCount: number;
  private readonly positions: Map<string, number>;
  private readonly same: Record<string, string | null>;
  private readonly lines: string[];
  private readonly split: string[][] = [];

  constructor(file: TableFile) {
    this.relation = file.relation;
    this.rowCount = file.rows.length;
    this.positions = new Map(file.columns.map((name, i) => [name, i]));
    this.same = file.same;
    this.lines = file.rows;
  }

  has(column: string): boolean {
    return this.positions.has(column) || column in this.same;
  }

  /** A value as PostgreSQL's output function writes it; null for NULL. Throws when the catalog has no such column. */
  value(row: number, column: string): string | null {
    const position = this.positions.get(column);
    if (position === undefined) {
      const same = this.same[column];
      if (same === undefined) throw new Error(`${this.relation} has no column ${column}`);
      return same;
    }
    this.split[row] ??= this.lines[row].split('\t');
    return unescapeValue(this.split[row][position]);
  }

  /** A value of a column that is never NULL. */
  text(row: number, column: string): string {
    return this.value(row, column) ?? '';
  }

  number(row: number, column: string): number {
    return Number(this.value(row, column));
  }

  boolean(row: number, column: string): boolean {
    return this.value(row, column) === 'true';
  }

  /** Row numbers by a column's text: the index that the name look-ups use. Splits nothing when the column is among the first. */
  indexBy(column: string): Map<string, number[]> {
    const index = new Map<string, number[]>();
    const position = this.positions.get(column) ?? 0;
    this.lines.forEach((line, row) => {
      let start = 0;
      for (let i = 0; i < position; i++) start = line.indexOf('\t', start) + 1;
      const end = line.indexOf('\t', start);
      const key = line.slice(start, end < 0 ? undefined : end);
      const rows = index.get(key);
      if (rows) rows.push(row);
      else index.set(key, [row]);
    });
    return index;
  }
}

const requireJson = createRequire(import.meta.url);
const loaded = new Map<SystemTable, CatalogTable>();

/** Rows of a catalog as a fresh database has them: pg_class and pg_attribute hold the system relations only. */
export function systemTable(relation: SystemTable): CatalogTable {
  let table = loaded.get(relation);
  if (!table) {
    table = new CatalogTable(requireJson(`./generated/${relation}.json`) as TableFile);
    loaded.set(relation, table);
  }
  return table;
}
