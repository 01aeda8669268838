/** Which of several errors ALTER TABLE has is told: the same as in PostgreSQL. */
import { test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';

test('USING of ALTER TYPE is looked at before the column, and before other actions', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table t (a int, b text);
  alter table t alter e type int using e::int;
  alter table t alter e type int using a::int;
  alter table t alter e type int using (a + 1)::date;
  alter table t alter a type nosuch using x;
  alter table t alter ctid type int using x;
  alter table t alter e type int using sum(a);
  alter table t add e int, alter e type bigint using e;
  alter table t add f int, alter f type bigint;
  alter table t add constraint u unique (q), alter e type int using x;
  alter table t add g int default x, alter e type int using y;
  alter table t drop zz, alter e type int using y;
  alter table t drop a, alter a type int using a;
  alter table t drop a, alter zz type int using c;
  alter table t drop a, alter b type int using length(b) + a;
  select b from t;
  `);
  await both.close();
});
