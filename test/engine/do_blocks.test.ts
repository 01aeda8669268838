/** DO: blocks in PL/pgSQL, as PostgreSQL runs them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../../planner/parse/parse.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { openEngine, sql } from './harness.ts';

test('blocks as PostgreSQL runs them', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table t (a int primary key, b text);
  do $$ begin insert into t values (1, 'one'); insert into t select 2, 'two'; end $$;
  select * from t order by a;
  do $$ begin create type status as enum ('new', 'done'); exception when duplicate_object then null; end $$;
  do 'begin create type status as enum (''new'', ''done''); exception when duplicate_object then null; end';
  do language plpgsql $$ begin create type status as enum ('new'); end $$;
  do $$ declare n int := 3; m int; begin m := n * 2; raise notice 'n % m % %', n, m, null::text; raise info '100%% %', 'x'; raise warning 'w'; end $$;
  do $$ declare n int; s text; begin select count(*), max(b) into n, s from t where a <= 2; raise notice '% % %', n, s, found; select a into n from t where a = 99; raise notice '% %', n, found; end $$;
  do $$ declare n int; begin select a into strict n from t where a = 99; end $$;
  do $$ declare n int; begin select a into strict n from t; end $$;
  do $$ declare r record; total bigint = 0; begin for r in select a, b from t order by a loop total := total + r.a; raise notice '% %', r.a, r.b; end loop; raise notice '% %', total, found; end $$;
  do $$ declare i text := 'outer'; begin for i in 1..3 loop raise notice '%', i; end loop; for i in reverse 10..1 by 4 loop continue when i = 6; raise notice '%', i; end loop; raise notice '%', i; end $$;
  do $$ declare n int := 0; begin loop n := n + 1; exit when n > 4; if n = 2 then raise notice 'two'; elsif n = 3 then raise notice 'three'; else raise notice 'other'; end if; end loop; while n > 0 loop n := n - 3; end loop; raise notice '%', n; end $$;
  do $$ begin <<o>> for i in 1..3 loop for j in 1..3 loop continue o when j = 2 and i = 1; exit o when i = 3; raise notice '% %', i, j; end loop; end loop; end $$;
  do $$ declare x int; begin foreach x in array array[3, 1, 2] loop raise notice '%', x; end loop; foreach x in array '{}'::int[] loop raise notice 'never'; end loop; raise notice '%', found; end $$;
  do $$ declare x int := 2; begin case x when 1 then raise notice 'one'; when 2, 3 then raise notice 'few'; else raise notice 'many'; end case; case when x > 5 then null; else raise notice 'small'; end case; case x when 7 then null; end case; end $$;
  do $$ declare n int; begin execute 'select $1 + 1' into n using 41; raise notice '%', n; execute format('insert into t values (%s, %L)', n, 'made'); get diagnostics n = row_count; raise notice '%', n; execute null; end $$;
  do $$ declare r record; begin for r in execute 'select * from t where a > $1 order by a' using 1 loop raise notice '%', r.b; end loop; end $$;
  do $$ begin update t set b = b || '!' where a = 1; raise notice '%', found; update t set b = '' where a = 77; raise notice '%', found; perform 1 from t where a = 1; raise notice '%', found; end $$;
  do $$ declare b text; begin update t set b = upper(t.b) where a = 1 returning t.b into b; end $$;
  do $$ declare v text; begin update t set b = upper(b) where a = 1 returning b into v; raise notice '%', v; end $$;
  do $$ begin insert into t values (50, 'kept'); begin insert into t values (51, 'gone'); insert into t values (1, 'again'); exception when unique_violation then raise notice '% %', sqlstate, sqlerrm; end; insert into t values (52, 'kept'); end $$;
  select a from t order by a;
  do $$ begin perform 1 / 0; exception when numeric_value_out_of_range or data_exception then raise notice 'class 22'; end $$;
  do $$ begin perform 1 / 0; exception when unique_violation then null; end $$;
  do $$ begin begin perform 1 / 0; exception when others then raise notice 'in %', sqlerrm; raise; end; exception when division_by_zero then raise notice 'out %', sqlerrm; end $$;
  do $$ begin raise exception 'no % for %', 1, 'x' using hint = 'a hint', detail = 'a detail', errcode = 'check_violation'; end $$;
  do $$ begin raise division_by_zero; end $$;
  do $$ begin raise sqlstate '22012' using message = 'mine'; end $$;
  do $$ begin raise exception using message = 'plain'; end $$;
  do $$ declare s text; m text; begin raise exception 'what' using errcode = 'P1234'; exception when others then get stacked diagnostics s = returned_sqlstate, m = message_text; raise notice '% %', s, m; end $$;
  do $$ declare d text; begin raise exception 'what' using datatype = 'small', schema = 's'; exception when others then get stacked diagnostics d = pg_datatype_name; raise notice '%', d; end $$;
  do $$ begin assert 1 = 1; assert 1 = 2, 'not equal'; end $$;
  do $$ begin select 1; end $$;
  do $$ declare n int not null := 1; begin n := null; end $$;
  do $$ declare n int; begin n := 'x'; end $$;
  do $$ declare n numeric(5, 2); begin n := 1.2345; raise notice '%', n; n := count(*) from t; raise notice '%', n; end $$;
  do $$ declare c constant int := 1; begin c := 2; end $$;
  do $$ begin nonsense; end $$;
  do $$ begin if true then end $$;
  do $$ begin perform nothing(1); end $$;
  do $$ begin insert into missing values (1); end $$;
  do $$ declare a int := 1; begin perform a from t; end $$;
  do $$ begin return; raise notice 'never'; end $$;
  do $$ begin begin; end $$;
  do language nothing $$ x $$;
  do language sql $$ select 1 $$;
  select count(*) from t;
  `);
  await both.close();
});

test('what a block did is there with all of it or not at all', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (a int PRIMARY KEY)');
    await assert.rejects(sql(engine, `DO $$ BEGIN INSERT INTO t VALUES (1); INSERT INTO t VALUES (1); END $$`), {
      sqlstate: '23505',
    });
    assert.deepEqual(await sql(engine, 'SELECT * FROM t'), []);
    await sql(engine, 'DO $$ BEGIN FOR i IN 1..2000 LOOP INSERT INTO t VALUES (i); END LOOP; END $$');
    assert.deepEqual(await sql(engine, 'SELECT count(*), sum(a) FROM t'), [['2000', '2001000']]);
  } finally {
    await engine.close();
  }
});

test('a view sees each block as one change', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      `CREATE TABLE t (a int);
       CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM t;
       DO $$ BEGIN FOR i IN 1..10 LOOP INSERT INTO t VALUES (i); END LOOP; EXECUTE 'DELETE FROM t WHERE a > 5'; END $$;`,
    );
    assert.deepEqual(await sql(engine, 'SELECT n FROM m'), [['5']]);
  } finally {
    await engine.close();
  }
});

test('a variable of a type of users is refused by name', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, `CREATE TYPE mood AS ENUM ('ok')`);
    const text = `DO $$ DECLARE m mood := 'ok'; BEGIN NULL; END $$`;
    await assert.rejects(sql(engine, text), { sqlstate: '0A000', message: /a variable of type mood in DO/ });
  } finally {
    await engine.close();
  }
});

test('an endless loop can be ended, and lets others go on meanwhile', async () => {
  const engine = await openEngine();
  try {
    const [statement] = parse('DO $$ DECLARE n int := 0; BEGIN LOOP n := (n + 1) % 1000; END LOOP; END $$');
    const session = localSession(engine);
    const ending = new AbortController();
    const running = engine.execute(engine.prepare(statement, [], session), [], session, ending.signal);
    await sql(engine, 'CREATE TABLE beside (a int); INSERT INTO beside VALUES (1)');
    assert.deepEqual(await sql(engine, 'SELECT a FROM beside'), [['1']]);
    ending.abort(new Error('enough'));
    await assert.rejects(running, { message: 'enough' });
  } finally {
    await engine.close();
  }
});

test('in a script: what is made in a block that fails, or in all of DO, goes', async () => {
  const engine = await openEngine();
  const names = () => engine.catalog.objects().map(({ name }) => name);
  await sql(
    engine,
    `DO $$ BEGIN CREATE TABLE kept (a int);
       BEGIN CREATE TABLE gone (a int); INSERT INTO kept VALUES (1); INSERT INTO gone VALUES (1); PERFORM 1/0; EXCEPTION WHEN others THEN INSERT INTO kept VALUES (2); END; END $$`,
  );
  await assert.rejects(sql(engine, `DO $$ BEGIN CREATE TABLE gone (a int); PERFORM 1/0; END $$`), /division by zero/);
  assert.deepEqual([names(), engine.catalog.open.size], [['kept'], 0]);
  assert.deepEqual(await sql(engine, 'SELECT a FROM kept'), [['2']]);
  await engine.close();
});

/** Names of variables are names in the block's own statements: views, functions and expressions of tables have columns of these names. */
test('what a statement of a block uses does not see its variables', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table t(a int primary key, b int default 3, c int generated always as (a + 1) stored, check (a > 0));
  create view v as select a, b from t;
  create view w(z) as select a from v where a > 1;
  create function fa(x int) returns int language sql as 'select x * 10';
  create function fb(p int) returns bigint language sql as 'select count(*) from t where a <= p';
  create function fc(b int, a int) returns int language sql as 'select a - b';
  create table ref(r int references t);
  create index on t ((a * 2));
  do $$ declare a int := 5; b int := 100; x int := 7; p int := 1; begin insert into t values (a, b); insert into t values (a + 1); raise notice '%', (select count(*) from v); raise notice '%', (select sum(z) from w); raise notice '%', fa(2); raise notice '%', fa(x); raise notice '%', fb(5); raise notice '%', fb(x); raise notice '%', fc(a, b); raise notice '%', fc(1, 2); raise notice '%', (select v.a from v where v.b = 100); raise notice '%', (with q as (select a as y) select y + x from q); raise notice '%', (select max(y) from (select x as y union select p) s); insert into ref values (a); update t set b = x where t.a = 5; delete from ref where r = a; insert into t as n values (a, 9) on conflict on constraint t_pkey do update set b = n.b + x; raise notice '%', (select array_agg(t order by t.a) from t); end $$;
  select * from t order by 1;
  do $$ declare a int := -5; begin insert into t values (a, 1); end $$`);
  await both.close();
});

test('a variable takes a value as a column does', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  do $$ declare v varchar(3) := 'abc'; begin v := 'abc  '; raise notice '[%]', v; v := 'abcd'; end $$;
  do $$ declare v char(3); begin v := 'a'; raise notice '[%]', v; v := 'abcd'; end $$;
  do $$ declare v varchar(3); begin select 'abcdef' into v; end $$;
  do $$ declare v varchar(3); begin v := 12345; end $$;
  do $$ declare v numeric(3,1); begin v := 1.26; raise notice '%', v; v := 123.4; end $$;
  do $$ declare v int; begin v := 12.6; raise notice '%', v; v := '7'; raise notice '%', v; end $$;
  do $$ declare v boolean; begin v := 'yes'; raise notice '%', v; v := 1; raise notice '%', v; end $$`);
  await both.close();
});
