/**
 * For tests: a catalog in memory, and the SQL that makes the same tables in PostgreSQL.
 */

import { unsupported } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { type CatalogReader, primaryKeyOf, type Relation } from '../catalog_reader.ts';
import { initParser, parse } from '../parse/parse.ts';
import { parseTypeName } from '../types/type_name.ts';
import type { BindEnv } from './env.ts';
import { bindQuery } from './query.ts';

interface TableSpec {
  columns: [name: string, type: string][];
  key?: string[];
  kind?: 'stream';
  watermark?: string;
}

/** Tables of the tests. Streams are tables to PostgreSQL. */
export const TABLES: Record<string, TableSpec> = {
  t: {
    columns: [
      ['a', 'integer'],
      ['b', 'text'],
      ['c', 'numeric(10,2)'],
      ['d', 'timestamptz'],
      ['e', 'boolean'],
      ['f', 'double precision'],
      ['g', 'bigint'],
      ['h', 'date'],
    ],
    key: ['a'],
  },
  u: {
    columns: [
      ['a', 'integer'],
      ['x', 'varchar(10)'],
      ['y', 'bigint'],
      ['z', 'smallint'],
      ['r', 'real'],
    ],
  },
  w: {
    columns: [
      ['k1', 'integer'],
      ['k2', 'text'],
      ['v', 'numeric'],
      ['i', 'interval'],
      ['ts', 'timestamp'],
    ],
    key: ['k1', 'k2'],
  },
  arr: {
    columns: [
      ['id', 'integer'],
      ['ia', 'integer[]'],
      ['ta', 'text[]'],
      ['j', 'jsonb'],
      ['js', 'json'],
      ['by', 'bytea'],
      ['uu', 'uuid'],
      ['ch', 'char(3)'],
      ['tm', 'time'],
    ],
    key: ['id'],
  },
  'Mixed Case': {
    columns: [
      ['Id', 'integer'],
      ['select', 'text'],
    ],
  },
  bid: {
    columns: [
      ['auction', 'bigint'],
      ['bidder', 'bigint'],
      ['price', 'bigint'],
      ['channel', 'text'],
      ['date_time', 'timestamp'],
    ],
    kind: 'stream',
    watermark: 'date_time',
  },
  auction: {
    columns: [
      ['id', 'bigint'],
      ['item_name', 'text'],
      ['seller', 'bigint'],
      ['category', 'bigint'],
      ['date_time', 'timestamp'],
      ['expires', 'timestamp'],
    ],
    kind: 'stream',
    watermark: 'date_time',
  },
};

/** Plain views of the tests. */
const VIEWS: Record<string, string> = {
  v: 'select a, b, a + 1 as a1 from t where e',
  v2: 'select v.a1, u.x from v join u on u.a = v.a',
};

/** CREATE statements for PostgreSQL. */
export function createSql(): string {
  const quoted = (s: string): string => `"${s}"`;
  const tables = Object.entries(TABLES).map(([name, spec]) => {
    const columns = spec.columns.map(([n, t]) => `${quoted(n)} ${t}`);
    if (spec.key) columns.push(`primary key (${spec.key.map(quoted).join(', ')})`);
    return `create table ${quoted(name)} (${columns.join(', ')});`;
  });
  const views = Object.entries(VIEWS).map(([name, sql]) => `create view ${name} as ${sql};`);
  return [...tables, ...views].join('\n');
}

/** The catalog of TABLES and VIEWS. Await initParser first. */
export function testCatalog(): CatalogReader {
  const relations = new Map<string, Relation>();
  let oid = 20000;
  for (const [name, spec] of Object.entries(TABLES)) {
    const position = (column: string): number => spec.columns.findIndex(([n]) => n === column);
    relations.set(name, {
      oid: oid++,
      schema: 'public',
      name,
      kind: spec.kind ?? 'table',
      columns: spec.columns.map(([n, t]) => ({
        name: n,
        type: parseTypeName(t),
        notNull: spec.key?.includes(n) ?? false,
      })),
      key: spec.key ? spec.key.map(position) : null,
      appendOnly: spec.kind === 'stream',
      ...(spec.watermark ? { watermark: { column: position(spec.watermark), delay: 0n } } : {}),
      indexes: [],
    });
  }
  const catalog: CatalogReader = {
    relation: (schema, name) => (schema === undefined || schema === 'public' ? (relations.get(name) ?? null) : null),
    relationByOid: (id) => [...relations.values()].find((r) => r.oid === id) ?? null,
    uniqueKeys: primaryKeyOf,
    typeNamed: () => 0,
  };
  for (const [name, sql] of Object.entries(VIEWS)) {
    const [statement] = parse(sql);
    if (statement.k !== 'select') throw unsupported('a view that is no query');
    const bound = bindQuery(statement.query, testEnv(catalog, 'view'));
    relations.set(name, {
      oid: oid++,
      schema: 'public',
      name,
      kind: 'view',
      columns: bound.columns.map(({ col }) => ({ name: col.name, type: col.type, notNull: false })),
      key: null,
      appendOnly: false,
      query: statement.query,
      indexes: [],
    });
  }
  return catalog;
}

export function testEnv(catalog: CatalogReader, mode: 'view' | 'read' = 'read'): BindEnv {
  return {
    catalog,
    evalContext: defaultContext({ database: 'postgres' }),
    paramTypes: [],
    searchPath: ['public'],
    mode,
  };
}

export { initParser };
