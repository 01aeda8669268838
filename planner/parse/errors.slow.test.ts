/** Wrong texts give PostgreSQL's own code, message and position: each is compared with what a real server says (PGlite). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { SqlError } from '../../operators/errors.ts';
import { initParser, parse } from './parse.ts';

let server: PGlite;

before(async () => {
  await initParser();
  server = await PGlite.create();
});
after(() => server.close());

const WRONG = [
  'selec 1',
  'select 1 +',
  'select 1 + ;',
  'select 1; select 1 2 3',
  "select 'é', 'x' 'y",
  "select 'abc",
  'select /* x',
  'select "abc',
  'select $$abc',
  "select e'\\",
  'select ""',
  'select 1abc',
  'select * from é é é',
  'create table t (a int,)',
  'insert into values',
  'select (1; select 2)',
  'select 1 )',
  '  \n select from where',
  'select 0x',
  'select 1_',
  "select U&'\\zz'",
  "select e'\\uzz'",
  'select * from a.b.c.d',
  'select limit 1,2',
  'select 1 limit 1,2',
  'select 1::float(0)',
  'select 1::float(99)',
  'select sum(x) over (rows between unbounded following and current row)',
  'select sum(x) over (rows between current row and unbounded preceding)',
  'create assertion a check (true)',
  'select 1 order by 1 order by 2',
  'select 1 fetch first 1 row with ties',
  'explain explain select 1',
  'begin; selec 2; commit',
  "select 'é' ;;; x",
  'select $100000000000',
  "select U&'\\d800'",
  "select e'\\ud800'",
  "select '\\' '",
  "select 1 'a'",
  'drop table',
  'drop frobnicate x',
  '/* unclosed',
  'select 1 /*',
  'select U&"\\zzzz"',
  'select 1 as ""',
  'select 1.5.5',
  'select 1e',
  'copy t from',
  'set x',
  'select case when 1',
  'values',
  'table',
  'grant',
  'fetch 99999999999 from c',
  'select 5 ~~~ ',
  'select a from b where (',
  'alter table',
  "select \n'a'\nx y z",
  "select 'a'\n'b' 'c'",
  "select 'a' ||",
  'select 1 from t for',
  'select * from t limit',
  'select 😀 😀 😀',
  "select * from tumble(bid, ts, interval '1 minute'",
  'create materialized view v as select 1 with',
  'delete from t where;',
  'select of from',
  'fetch of from',
];

test("errors of wrong texts are PostgreSQL's", { timeout: 60_000 }, async () => {
  for (const sql of WRONG) {
    let ours: unknown[] = ['parsed'];
    let theirs: unknown[] = ['ran'];
    try {
      parse(sql);
    } catch (error) {
      assert.ok(error instanceof SqlError, String(error));
      ours = [error.sqlstate, error.message, error.fields.position];
    }
    try {
      await server.exec(sql);
    } catch (error) {
      const { code, message, position } = error as { code: string; message: string; position?: string };
      theirs = [code, message, position === undefined ? undefined : Number(position)];
    }
    assert.deepEqual(ours, theirs, JSON.stringify(sql));
  }
});
