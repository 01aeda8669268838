/**
 * Writes generated/*.json: PostgreSQL's built-in catalog rows, read from PGlite (a real PostgreSQL in this process).
 *
 *   node --import tsx planner/types/generate.ts
 *
 * One file a catalog: `columns` that differ between rows, `same` values of the columns that do not, and `rows` in COPY's text
 * form (tab between values, \N for NULL), one row a line so that a new PostgreSQL version gives a readable diff. Rows are sorted.
 * Trap: reg* columns are written as OIDs; what depends on the machine or on the data directory is left out.
 */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { PGlite } from '@electric-sql/pglite';

export interface GeneratedTable {
  relation: string;
  columns: string[];
  same: Record<string, string | null>;
  rows: string[];
}

interface Source {
  /** Columns whose value is another expression than the column itself. */
  replace?: Record<string, string>;
  where?: string;
  order: string;
}

/** System relations a client can see: catalogs and views, without their indexes and toast tables. */
const VISIBLE =
  "relkind in ('r', 'v') and relnamespace in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)";
const NULL_TEXT = 'null::text';

const SOURCES: Record<string, Source> = {
  pg_aggregate: { order: 'aggfnoid::oid' },
  pg_am: { order: 'oid' },
  pg_amop: { order: 'oid' },
  pg_amproc: { order: 'oid' },
  pg_attribute: {
    replace: { attacl: NULL_TEXT, attmissingval: NULL_TEXT },
    where: `attnum > 0 and attrelid in (select oid from pg_class where ${VISIBLE})`,
    order: 'attrelid, attnum',
  },
  pg_authid: { where: "rolname like 'pg\\_%'", order: 'oid' },
  pg_cast: { order: 'oid' },
  pg_class: {
    replace: {
      relacl: NULL_TEXT,
      relpages: '0',
      reltuples: '-1',
      relallvisible: '0',
      relallfrozen: '0',
      relfrozenxid: '0',
      relminmxid: '0',
      reltoastrelid: '0',
      relhasindex: 'false',
    },
    where: VISIBLE,
    order: 'oid',
  },
  pg_collation: { order: 'oid' },
  pg_conversion: { order: 'oid' },
  pg_language: { replace: { lanacl: NULL_TEXT }, order: 'oid' },
  pg_namespace: { replace: { nspacl: NULL_TEXT }, order: 'oid' },
  pg_opclass: { order: 'oid' },
  pg_operator: { order: 'oid' },
  pg_opfamily: { order: 'oid' },
  pg_proc: {
    replace: {
      proargdefaults: 'pg_get_expr(proargdefaults, 0)',
      prosqlbody: NULL_TEXT,
      prosrc: "case when prolang in (12, 13) then prosrc else '' end",
      proacl: NULL_TEXT,
    },
    order: 'oid',
  },
  pg_range: { order: 'rngtypid' },
  pg_settings: {
    replace: {
      setting: 'boot_val',
      reset_val: 'boot_val',
      sourcefile: NULL_TEXT,
      sourceline: NULL_TEXT,
      source: "'default'",
    },
    order: 'name',
  },
  pg_tablespace: { replace: { spcacl: NULL_TEXT }, order: 'oid' },
  pg_ts_config: { order: 'oid' },
  pg_ts_dict: { order: 'oid' },
  pg_ts_parser: { order: 'oid' },
  pg_ts_template: { order: 'oid' },
  pg_type: { replace: { typacl: NULL_TEXT, typdefaultbin: NULL_TEXT }, order: 'oid' },
};

function escapeValue(value: string | null): string {
  if (value === null) return '\\N';
  return value.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}

async function readTable(db: PGlite, relation: string, source: Source): Promise<GeneratedTable> {
  const attributes = await db.query<{ name: string; type: string }>(
    `select attname as name, atttypid::regtype::text as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [`pg_catalog.${relation}`],
  );
  const items = attributes.rows.map(({ name, type }) => {
    const expression = source.replace?.[name] ?? (type.startsWith('reg') ? `${name}::oid` : name);
    return `(${expression})::text as ${name}`;
  });
  const where = source.where ? `where ${source.where}` : '';
  const result = await db.query<Record<string, string | null>>(
    `select ${items.join(', ')} from pg_catalog.${relation} ${where} order by ${source.order
      .split(', ')
      .map((c) => `${relation}.${c}`)
      .join(', ')}`,
  );
  const columns: string[] = [];
  const same: Record<string, string | null> = {};
  for (const { name } of attributes.rows) {
    const first = result.rows[0][name];
    if (result.rows.every((row) => row[name] === first)) same[name] = first;
    else columns.push(name);
  }
  return {
    relation,
    columns,
    same,
    rows: result.rows.map((row) => columns.map((c) => escapeValue(row[c])).join('\t')),
  };
}

/** All tables as this version of PostgreSQL has them. Takes some seconds. */
export async function generateTables(): Promise<GeneratedTable[]> {
  const db = new PGlite();
  try {
    const tables: GeneratedTable[] = [];
    for (const [relation, source] of Object.entries(SOURCES)) tables.push(await readTable(db, relation, source));
    return tables;
  } finally {
    await db.close();
  }
}

/** The text of a generated file. */
export function tableText(table: GeneratedTable): string {
  const { rows, ...head } = table;
  return `${JSON.stringify(head).slice(0, -1)},"rows":[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]}\n`;
}

/** Where a relation's generated file lies. */
export function tablePath(relation: string): URL {
  return new URL(`./generated/${relation}.json`, import.meta.url);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const table of await generateTables()) writeFileSync(tablePath(table.relation), tableText(table));
}
