/** Constraints of all kinds of one table beside each other, and those that take the place of others in one ALTER TABLE: the same statements as PostgreSQL runs them; restarts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overRestarts } from '../durable/over_restarts.ts';
import { AgainstPostgres } from './against_postgres.ts';
import { openEngine, sql } from './harness.ts';

const SHOWN = `
  select conname, contype, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'c'::regclass and contype <> 'n' order by 1;
  select count(*), count(distinct oid) from pg_constraint where conrelid = 'c'::regclass;
`;

test('names and OIDs of CHECK, FOREIGN KEY and UNIQUE', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table p (id int primary key);
  create table c (id int, p int references p, q int references p, v int constraint first check (v > 0));
  alter table c add check (v < 100);
  alter table c add check (id < 100), add foreign key (v) references p;
  ${SHOWN}
  alter table c add constraint c_p_fkey check (v < 50);
  alter table c add constraint c_p_fkey unique (v);
  alter table c add constraint first unique (v);
  alter table c add constraint first foreign key (v) references p;
  alter table c add constraint u unique (v);
  alter table c add constraint u check (v < 50);
  ${SHOWN}
  `);
  await both.close();
});

const REPLACED = `
  alter table c drop constraint c_p_fkey, add constraint c_p_fkey foreign key (p) references p on delete cascade;
  alter table c add constraint u unique (a, b), drop constraint u;
  alter table c drop constraint c_a_key, add unique (a);
  alter table p drop constraint p_pkey cascade, add primary key (id, k);
  alter table c drop constraint v, add constraint v check (a > 5);
`;

test('constraints take the place of others', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table p (id int primary key, k int not null default 1);
  insert into p (id) values (1), (2);
  create table c (p int references p, a int unique, b int, constraint u unique (b), constraint v check (a > 0));
  insert into c values (1, 10, 10), (2, 20, 20);
  ${REPLACED.split(';\n')[0]};
  delete from p where id = 2;
  select * from c order by a;
  alter table c drop constraint c_p_fkey, drop constraint c_p_fkey;
  ${REPLACED.split(';\n').slice(1).join(';\n')}
  insert into c values (9, 10, 11);
  insert into c values (9, 11, 10), (9, 12, 11);
  insert into c values (9, 13, 10);
  insert into c values (9, 4, 40);
  insert into p values (1, 2), (1, 1);
  insert into p values (1, 2), (2, 2);
  alter table p drop constraint p_pkey, drop constraint p_pkey;
  alter table p drop constraint p_pkey, add primary key (id);
  alter table p drop constraint p_pkey, add primary key (k);
  insert into p values (1, 3);
  ${SHOWN}
  `);
  await both.close();
});

test('the same when a server does it again', async () => {
  const script = `
  CREATE TABLE p (id int PRIMARY KEY, k int NOT NULL DEFAULT 1);
  CREATE TABLE c (p int REFERENCES p, a int UNIQUE, b int, CONSTRAINT u UNIQUE (b), CONSTRAINT v CHECK (a > 0));
  ${REPLACED}`;
  let k = 0;
  const engine = await overRestarts(script, async (engine, how) => {
    k++;
    await sql(engine, `INSERT INTO p VALUES (1, ${k})`);
    await assert.rejects(sql(engine, `INSERT INTO p VALUES (1, ${k})`), { sqlstate: '23505' }, how);
    await assert.rejects(sql(engine, 'INSERT INTO c VALUES (1, 3, 3)'), { sqlstate: '23514' }, how);
    await assert.rejects(sql(engine, 'INSERT INTO c VALUES (1, 6, 3), (1, 6, 4)'), { sqlstate: '23505' }, how);
  });
  await engine.close();
});

test('a foreign key goes with the last of the keys that it could need', async () => {
  const engine = await openEngine();
  const refused = (text: string) => assert.rejects(sql(engine, text), { sqlstate: '2BP01' }, text);
  const left = () => engine.catalog.objects().flatMap((o) => (o.kind === 'table' ? o.foreignKeys : [])).length;
  await sql(engine, 'CREATE TABLE p (id int UNIQUE); CREATE UNIQUE INDEX a ON p (id); CREATE UNIQUE INDEX b ON p (id)');
  await sql(engine, 'CREATE TABLE c (i int REFERENCES p (id)); ALTER TABLE p DROP CONSTRAINT p_id_key');
  await refused('DROP INDEX a, b');
  await sql(engine, 'DROP INDEX b');
  await refused('DROP INDEX a');
  await sql(engine, 'ALTER TABLE p ADD CONSTRAINT u UNIQUE (id), ADD CONSTRAINT v UNIQUE (id); DROP INDEX a');
  await refused('ALTER TABLE p DROP CONSTRAINT u, DROP CONSTRAINT v');
  assert.equal(left(), 1);
  await sql(engine, 'ALTER TABLE p DROP CONSTRAINT u CASCADE, DROP CONSTRAINT v CASCADE');
  assert.equal(left(), 0);
  await sql(
    engine,
    'CREATE UNIQUE INDEX a ON p (id); CREATE UNIQUE INDEX b ON p (id); ALTER TABLE c ADD FOREIGN KEY (i) REFERENCES p (id)',
  );
  await sql(engine, 'DROP INDEX a, b CASCADE');
  assert.equal(left(), 0);
  await engine.close();
});
