/** Foreign keys: the same statements as PostgreSQL runs them, random changes with all actions, transactions beside each other, COPY, restarts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, testSeed } from '../../operators/testing/property.ts';
import { overRestarts } from '../durable/over_restarts.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { openEngine, Session, sql } from './harness.ts';

test('FOREIGN KEY as PostgreSQL has it', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table p (id int primary key, code text unique, big bigint, n int, unique (big, n));
  create table c (id int primary key, p_id int references p, code text references p (code) on delete cascade on update cascade, big int, n int, foreign key (big, n) references p (big, n) on delete set null);
  insert into c values (1, 1, null, null, null);
  insert into p values (1, 'a', 10, 1), (2, 'b', 20, 2), (3, 'c', 30, 3);
  insert into c values (1, 1, null, null, null), (2, 1, 'a', 10, 1), (3, null, 'b', 20, null), (4, null, 'c', 30, 3);
  insert into c values (5, 7, null, null, null), (6, 1, null, null, null);
  insert into c values (5, 1, 'z', null, null);
  insert into c values (5, 1, 'a', 10, 2);
  update c set p_id = 9 where id = 1;
  update c set p_id = 2 where id = 1;
  update p set id = 4 where id = 1;
  update p set code = 'aa' where id = 1;
  select * from c order by id;
  update c set code = null where id = 2;
  delete from p where id = 1;
  delete from p where id = 2;
  update c set p_id = null;
  delete from p where id = 2;
  select * from c order by id;
  delete from p where id = 3;
  select * from c order by id;
  truncate p;
  truncate p cascade;
  select * from c;
  insert into p values (1, 'a', 10, 1);
  insert into c values (1, 1, null, null, null);
  truncate p, c;
  drop table p;
  alter table p drop column code;
  alter table c drop column big;
  alter table c drop constraint c_p_id_fkey;
  drop table p cascade;
  insert into c values (1, 100, 'zz');
  select conname from pg_constraint where conrelid = 'c'::regclass and contype = 'f';
  drop table c;
  create table tree (id int primary key, parent int references tree on delete cascade, name text);
  insert into tree values (1, null, 'root'), (2, 1, 'a'), (3, 2, 'b'), (4, 1, 'c'), (5, 5, 'self');
  insert into tree values (6, 7, 'x');
  insert into tree values (6, 7, 'x'), (7, 6, 'y');
  delete from tree where id = 2;
  select * from tree order by id;
  delete from tree where id = 5;
  delete from tree where id = 6;
  delete from tree;
  select * from tree;
  drop table tree;
  create table p (id int primary key, v int);
  create table d (id int default 2 references p on delete set default on update set null, x int);
  insert into p values (1), (2), (3);
  insert into d values (1, 1), (3, 3), (2, 2);
  delete from p where id = 1;
  select * from d order by x;
  update p set id = 30 where id = 3;
  select * from d order by x;
  delete from p where id = 2;
  update d set x = 2 where x = 1;
  alter table d add constraint later foreign key (x) references p (id);
  alter table d add constraint later foreign key (x) references p (id) not valid;
  insert into d values (2, 5);
  update d set id = null;
  update d set x = 7;
  alter table d validate constraint later;
  update d set x = 2;
  alter table d validate constraint later;
  alter table d add constraint later foreign key (x) references p (id);
  alter table d add foreign key (x) references p (v);
  alter table d add foreign key (x) references nope (v);
  alter table d add foreign key (y) references p (id);
  alter table d add foreign key (x) references p (y);
  alter table d add foreign key (x, id) references p (id);
  alter table d add column more int references p default 2;
  alter table d add column wrong int default 77 references p;
  select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'd'::regclass and contype = 'f' order by 1;
  insert into d values (2, 2, 99);
  drop table d, p;
  create table p (id int primary key);
  create table q (a text primary key);
  create table d (x text references p);
  create table d (x int references q);
  create view v as select 1 as id;
  create table d (x int references v (id));
  create table nokey (a int);
  create table d (x int references nokey);
  create table d (x int, constraint one foreign key (x) references p, constraint one foreign key (x) references p);
  create table d (x int constraint one references p on delete restrict on update cascade, y smallint references p, z bigint references p deferrable initially deferred);
  select conname, contype, confupdtype, confdeltype, confmatchtype, condeferrable, condeferred, convalidated, conkey::text, confkey::text, confrelid::regclass, conindid::regclass, conpfeqop::text, conppeqop::text, conffeqop::text, confdelsetcols, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'd'::regclass order by 1;
  select relname, relhastriggers from pg_class where relname in ('p', 'd', 'q') order by 1;
  select constraint_name, unique_constraint_name, match_option, update_rule, delete_rule from information_schema.referential_constraints order by 1;
  select constraint_name, constraint_type, is_deferrable, initially_deferred from information_schema.table_constraints where table_name = 'd' order by 1;
  select constraint_name, column_name, ordinal_position, position_in_unique_constraint from information_schema.key_column_usage where table_name = 'd' order by 1;
  select constraint_name, table_name, column_name from information_schema.constraint_column_usage where constraint_name like '%fkey' or constraint_name = 'one' order by 1;
  select constraint_name, table_name from information_schema.constraint_table_usage where constraint_name like '%fkey' or constraint_name = 'one' order by 1;
  select d.classid::regclass, d.refclassid::regclass, d.refobjid::regclass, d.refobjsubid, d.deptype, c.conname from pg_depend d join pg_constraint c on c.oid = d.objid where d.classid = 'pg_constraint'::regclass and contype = 'f' order by conname, refobjsubid, refobjid::text;
  begin;
  insert into d values (null, null, 5);
  insert into p values (5);
  commit;
  begin;
  insert into d values (null, null, 6);
  set constraints all immediate;
  rollback;
  begin;
  insert into d values (null, null, 6);
  insert into p values (6);
  set constraints d_z_fkey immediate;
  insert into d values (null, null, 8);
  rollback;
  begin;
  delete from p where id = 5;
  rollback;
  begin;
  delete from p where id = 5;
  insert into p values (5);
  commit;
  begin;
  set constraints nope deferred;
  rollback;
  begin;
  set constraints d_y_fkey deferred;
  rollback;
  begin;
  insert into d values (null, null, 7);
  commit;
  select * from d;
  insert into p values (1), (2), (40000);
  insert into d values (1, 1, null);
  update p set id = 70000 where id = 2;
  update p set id = 3 where id = 1;
  delete from d where y = 1;
  insert into d values (70000, null, 9999999999);
  insert into d values (70000, null, null);
  update p set id = 70001 where id = 70000;
  select * from d where x > 5;
  insert into p values (100) on conflict (id) do update set id = 101;
  with gone as (delete from p where id = 70001 returning id) insert into p select id from gone;
  with gone as (delete from d where x = 70001 returning x) delete from p where id in (select x from gone);
  merge into p using (values (3), (100)) as n (id) on p.id = n.id when matched then delete;
  drop table d;
  create unique index on nokey (a);
  create table d (a int references nokey (a));
  drop index nokey_a_idx;
  drop index nokey_a_idx cascade;
  insert into d values (3);
  alter table d rename to e;
  alter table e add foreign key (a) references p on delete set null (a);
  alter table p rename to pp;
  alter table pp rename column id to key;
  insert into e values (7777);
  select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'e'::regclass and contype = 'f';
  create schema s;
  create table s.p (id int primary key);
  create table s.c (id int references s.p);
  select pg_get_constraintdef(oid) from pg_constraint where conrelid = 's.c'::regclass and contype = 'f';
`);
  await both.close();
});

test('random changes with all actions', async () => {
  const seed = testSeed();
  const random = new Random(seed);
  const both = await AgainstPostgres.open();
  const rounds = process.env.TIDEMARK_QUICK === '1' ? 1 : 4;
  for (let round = 0; round < rounds; round++) {
    const action = () => random.pick(['no action', 'cascade', 'set null', 'set default', 'restrict']);
    // Where two ways of CASCADE meet, PostgreSQL looks at NO ACTION between them.
    const indexed = random.chance(0.5);
    await both.script(
      `
      create table a (id int primary key, b bigint unique, k text);
      create table b (id bigint primary key, a_id smallint default 3 references a on delete ${action()} on update ${action()});
      create table c (id int primary key, b_id int default 2 references b on delete ${action()} on update ${action()}, b int references a (b) on delete ${action().replace('cascade', 'set null')} on update ${action()} deferrable initially deferred);
    `.replaceAll(/^ {6}/gm, ''),
    );
    if (indexed) await both.script('create index on c (b_id);\ncreate index on b (a_id);\n');
    for (let i = 0; i < 60; i++) {
      const n = () => random.below(6);
      const v = () => (random.chance(0.15) ? 'null' : String(n()));
      const statement = random.pick([
        () => `insert into a values (${n()}, ${v()}, 'x')`,
        () => `insert into b values (${n()}, ${v()})`,
        () => `insert into c values (${n()}, ${v()}, ${v()})`,
        () => `insert into a values (${n()}, ${v()}) on conflict (id) do update set id = ${n()}, b = excluded.b`,
        () => `delete from a where id = ${n()}`,
        () => `delete from b where id = ${n()}`,
        () => `delete from a where b = ${n()}`,
        () => `update a set id = ${n()} where id = ${n()}`,
        () => `update a set b = ${v()} where id = ${n()}`,
        () => `update b set id = ${n()}, a_id = ${v()} where id = ${n()}`,
        () => `update c set b_id = ${v()}, b = ${v()} where id = ${n()}`,
        () => `update a set k = 'y'`,
      ])();
      const block = random.chance(0.2);
      if (block) await both.statement('begin');
      const fits = await sameCode(both, statement);
      if (block) await sameCode(both, fits ? 'commit' : 'rollback');
      await both.sameRows(`seed ${seed}, ${statement}`, ['a', 'b', 'c']);
    }
    await both.script('drop table c, b, a;\n');
  }
  await both.close();
});

/** Which of several errors comes first is nobody's promise. */
async function sameCode(both: AgainstPostgres, statement: string): Promise<boolean> {
  const [here, there] = [await both.here(statement), await both.there(statement)];
  const fits = there.error === undefined;
  assert.equal(here.error === undefined, fits, `${statement}: ${JSON.stringify({ here, there })}`);
  return fits;
}

async function setUp() {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE p (id int PRIMARY KEY)');
  await sql(engine, 'CREATE TABLE c (id int PRIMARY KEY, p_id int REFERENCES p)');
  await sql(engine, 'CREATE TABLE d (id int PRIMARY KEY, p_id int REFERENCES p ON DELETE CASCADE)');
  await sql(engine, 'INSERT INTO p VALUES (1), (2)');
  return engine;
}

test('what others wrote meanwhile is looked at at COMMIT', async () => {
  const engine = await setUp();
  const [child, parent, cascade] = [new Session(engine), new Session(engine), new Session(engine)];
  await child.run('INSERT INTO c VALUES (1, 1)');
  await parent.run('DELETE FROM p WHERE id = 2');
  await cascade.run('DELETE FROM p WHERE id = 1');
  await sql(engine, 'INSERT INTO d VALUES (1, 1)');
  await assert.rejects(cascade.transaction.commit(), { sqlstate: '40001' });
  await sql(engine, 'INSERT INTO c VALUES (2, 2)');
  await assert.rejects(parent.transaction.commit(), { sqlstate: '23503' });
  await sql(engine, 'DELETE FROM d; DELETE FROM p WHERE id = 1');
  await assert.rejects(child.transaction.commit(), { sqlstate: '23503', message: /insert or update on table "c"/ });
  await engine.close();
});

test('a transaction that wrote before the constraint was there is checked at COMMIT', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int); INSERT INTO p VALUES (1), (2)');
  const [wrong, right, gone] = [new Session(engine), new Session(engine), new Session(engine)];
  await wrong.run('INSERT INTO c VALUES (7)');
  await right.run('INSERT INTO c VALUES (1)');
  await gone.run('DELETE FROM p WHERE id = 1');
  await sql(engine, 'ALTER TABLE c ADD FOREIGN KEY (p_id) REFERENCES p');
  await right.transaction.commit();
  await assert.rejects(wrong.transaction.commit(), { sqlstate: '23503' });
  await assert.rejects(gone.transaction.commit(), { sqlstate: '23503' });
  await engine.close();
});

test('constraints that go while a statement reads its rows are not looked at', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p, CHECK (p_id < 5))');
  await sql(engine, 'CREATE TABLE rows AS SELECT i FROM generate_series(1, 300000) i');
  // So many that the statement lets the others have their turn, however fast it reads.
  const session = new Session(engine);
  const inserted = session.run('INSERT INTO c SELECT i FROM rows');
  await sql(engine, 'DROP TABLE p CASCADE; ALTER TABLE c DROP CONSTRAINT c_p_id_check');
  await inserted;
  await session.transaction.commit();
  assert.deepEqual(await sql(engine, 'SELECT count(*) FROM c'), [['300000']]);
  await engine.close();
});

test('SET CONSTRAINTS of constraints of all kinds', async () => {
  const both = await AgainstPostgres.open();
  try {
    await both.script(`
      CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, c int CHECK (c > 0), n int NOT NULL, f int REFERENCES t (id), g int CONSTRAINT later REFERENCES t (id) DEFERRABLE);
      CREATE TABLE t2 (g int CONSTRAINT later REFERENCES t (id));
      CREATE UNIQUE INDEX plain ON t (n)`);
    for (const name of [
      't_pkey',
      't_u_key',
      't_c_check',
      't_n_not_null',
      't_f_fkey',
      'plain',
      'nosuch',
      'later, t_u_key',
      'public.t_c_check',
      'pg_catalog.t_c_check',
      'nosuch.t_c_check',
      'later',
    ])
      for (const when of ['DEFERRED', 'IMMEDIATE'])
        for (const statement of ['BEGIN', `SET CONSTRAINTS ${name} ${when}`, 'ROLLBACK'])
          await both.statement(statement);
    await both.statement('DROP TABLE t2');
    await both.script(`
      BEGIN;
      SET CONSTRAINTS later DEFERRED;
      INSERT INTO t VALUES (1, 1, 1, 1, NULL, 2);
      SET CONSTRAINTS t_f_fkey IMMEDIATE;
      INSERT INTO t VALUES (2, 2, 2, 2);
      COMMIT;
      SELECT * FROM t`);
  } finally {
    await both.close();
  }
});

test('SET CONSTRAINTS does not look at rows whose table was altered meanwhile', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1)');
  await sql(engine, 'CREATE TABLE c (gone int, p_id int REFERENCES p DEFERRABLE INITIALLY DEFERRED)');
  const session = new Session(engine);
  await session.run('INSERT INTO c VALUES (7, 1)');
  await sql(engine, "ALTER TABLE c ADD COLUMN t text DEFAULT 'x', ALTER p_id SET NOT NULL");
  await assert.rejects(session.run('SET CONSTRAINTS ALL IMMEDIATE'), { sqlstate: '40001' });
  await engine.close();
});

test('rows of a COPY may reference rows that come after them', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, next int REFERENCES t)');
  const copy = async (rows: number[][][]) => {
    const session = new Session(engine);
    const { target } = await session.copyIn('COPY t FROM STDIN');
    for (const piece of rows) await target.write(piece);
    await target.finish();
    await session.transaction.commit();
  };
  await copy([
    [[1, 2]],
    [
      [2, 3],
      [3, 1],
    ],
  ]);
  await assert.rejects(copy([[[4, 5]], [[6, 1]]]), { sqlstate: '23503', message: /violates foreign key/ });
  assert.deepEqual(await sql(engine, 'SELECT count(*) FROM t'), [['3']]);
  await engine.close();
});

test('foreign keys are there after a restart', async () => {
  const script = `
  CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE q (id int PRIMARY KEY);
  CREATE TABLE c (p_id int REFERENCES p ON DELETE CASCADE, q_id int);
  INSERT INTO p VALUES (1), (3); INSERT INTO c VALUES (1, 5);
  ALTER TABLE c ADD FOREIGN KEY (q_id) REFERENCES q NOT VALID;
  DROP TABLE q CASCADE`;
  let rows = 1;
  const engine = await overRestarts(script, async (engine, how) => {
    await assert.rejects(sql(engine, 'INSERT INTO c VALUES (2, 2)'), { sqlstate: '23503' }, how);
    await sql(engine, 'INSERT INTO c VALUES (3, 2)');
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM c'), [[String(++rows)]], how);
  });
  await sql(engine, 'DELETE FROM p');
  assert.deepEqual(await sql(engine, 'SELECT count(*) FROM c'), [['0']]);
  await engine.close();
});
