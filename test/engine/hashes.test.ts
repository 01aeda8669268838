/** hashtext() and its kin as users call them: the same numbers as in PostgreSQL. */
import { test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';

test('hashes of columns, arrays and rows', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create table t (id int, a text, b varchar(9), n numeric, l int[], j jsonb, f float8);
  insert into t values (1, 'ann', 'x', 1.50, '{1,2,NULL}', '{"a": [1, {}, null, true]}', 0), (2, '', 'ö', -0.0, '{{1},{2}}', '"s"', 'nan'), (3, null, null, null, '{}', '[]', null);
  select id, hashtext(a), hashtext(b), hashtextextended(a, 7), hash_numeric(n), hash_array(l), hash_array_extended(l, 3), jsonb_hash(j), jsonb_hash_extended(j, 5), hashfloat8(f) from t order by id;
  select hash_record(row(id, a, n, l)), hash_record_extended(row(id, a, f), 9) from t order by 1;
  select hash_array(array['a', null, 'b']), hash_array(array[1.0, 1.00]) = hash_array(array[1, 1]::numeric[]), hash_array('{}'::text[]), hash_array_extended(array[date '2020-01-01'], -1);
  select abs(hashtext('user-17')) % 16, abs(hashint8(12345678901)) % 16, hashint4(5) = hashint8(5), hashint2(-3::int2) = hashint8(-3);
  select hash_array(array['{}'::json]);
  select pg_advisory_lock(hashtext('a key')), pg_advisory_unlock(hashtext('a key'));
  create unique index on t (hashtext(a));
  insert into t (a) values ('ann');
  delete from t where id = 1;
  create materialized view v as select hashtext(a) % 4 as part, count(*) from t group by 1;
  select * from v order by 1;
  `);
  await both.close();
});
