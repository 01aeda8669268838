/**
 * What a call of a function costs in a read: sum(f(column)) over a table, less sum(column); ns a row, the best of some runs.
 *
 *   inSql       LANGUAGE sql, written out where it is called
 *   javascript  LANGUAGE javascript, the same body, rows of other arguments
 *   known       the same for 1000 different arguments, whose results are kept
 */
import { initParser } from '../planner/parse/parse.ts';
import { TidemarkEngine } from '../src/runtime/engine.ts';
import { runScript } from '../src/runtime/script.ts';
import { Table } from './table.ts';

const BODIES = [
  { type: 'double precision', column: 'f', few: 'f1', sql: 'a * 2 + 1', javascript: 'return a * 2 + 1' },
  { type: 'int', column: 'i', few: 'i1', sql: 'a % 100 + 1', javascript: 'return a % 100 + 1' },
  { type: 'numeric', column: 'n', few: 'n1', sql: 'a * 2', javascript: 'return Number(a) * 2' },
  { type: 'text', column: 's', few: 's1', sql: 'upper(a)', javascript: 'return a.toUpperCase()' },
];

export async function functionsBench({ rows, runs, json }: { rows: number; runs: number; json: boolean }) {
  await initParser();
  const engine = new TidemarkEngine({ automatic: false });
  await runScript(
    engine,
    `CREATE TABLE t (id int PRIMARY KEY, f double precision, i int, n numeric, s text, f1 double precision, i1 int, n1 numeric, s1 text);
     INSERT INTO t SELECT i, i * 1.25, i, i * 1.5, 'text ' || i, i % 1000, i % 1000, i % 1000, 'text ' || i % 1000 FROM generate_series(1, ${rows}) i`,
  );
  const best = async (query: string) => {
    let least = Number.POSITIVE_INFINITY;
    for (let run = 0; run < runs; run++) {
      const start = process.cpuUsage();
      await runScript(engine, query);
      const { user, system } = process.cpuUsage(start);
      least = Math.min(least, user + system);
    }
    return (least * 1000) / rows;
  };
  const table = new Table(json);
  for (const { type, column, few, sql, javascript } of BODIES) {
    await runScript(
      engine,
      `CREATE FUNCTION in_sql(a ${type}) RETURNS ${type} LANGUAGE sql IMMUTABLE AS $$ SELECT ${sql} $$;
       CREATE FUNCTION in_javascript(a ${type}) RETURNS ${type} LANGUAGE javascript IMMUTABLE AS $$ ${javascript} $$`,
    );
    const plain = await best(`SELECT max(${column}) FROM t`);
    const of = async (call: string) => Math.round((await best(`SELECT max(${call}) FROM t`)) - plain);
    table.add({
      type,
      body: javascript,
      inSqlNs: await of(`in_sql(${column})`),
      javascriptNs: await of(`in_javascript(${column})`),
      knownNs: await of(`in_javascript(${few})`),
    });
    await runScript(engine, 'DROP FUNCTION in_sql, in_javascript');
  }
  await engine.close();
}
