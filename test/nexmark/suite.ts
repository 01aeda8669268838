/** The Nexmark suite as data: streams, views and the same queries for PostgreSQL, from examples/nexmark. */
import { readFileSync } from 'node:fs';

const folder = new URL('../../examples/nexmark/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');

export const QUERIES = Array.from({ length: 23 }, (_, i) => `q${i}`);

/** `-- name` sections of a file. */
function sections(text: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const part of text.split(/^-- (?=(?:q\d+|hop_bid)$)/m).slice(1)) {
    const end = part.indexOf('\n');
    out.set(part.slice(0, end).trim(), part.slice(end + 1).trim());
  }
  return out;
}

export const views = sections(read('views.sql'));
export const oracleViews = sections(read('oracle.sql'));

/** The statements of streams.sql, each stream with the given WITH options. */
export function streamsSql(options: (table: string) => string): string {
  return read('streams.sql').replace(
    /CREATE STREAM (\w+) \(([\s\S]*?)\);/g,
    (_, table, body) => `CREATE STREAM ${table} (${body}) WITH (${options(table)});`,
  );
}

/** Tables of the oracle: the streams' columns and the side table. */
export const ORACLE_TABLES = `
  CREATE TABLE person (id BIGINT, name TEXT, email_address TEXT, credit_card TEXT, city TEXT, state TEXT, date_time TIMESTAMP, extra TEXT);
  CREATE TABLE auction (id BIGINT, item_name TEXT, description TEXT, initial_bid BIGINT, reserve BIGINT, date_time TIMESTAMP, expires TIMESTAMP,
    seller BIGINT, category BIGINT, extra TEXT);
  CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT);
  CREATE TABLE side_input (key BIGINT, value TEXT);
  INSERT INTO side_input SELECT g, g::text FROM generate_series(0, 9999) g;`;
