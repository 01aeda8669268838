/** Calls by the names of types, beside PostgreSQL. */
import { test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';

test('a call by the name of a type is a cast, also with VARIADIC', async () => {
  const both = await AgainstPostgres.open();
  await both.script(`
  create type mood as enum ('sad');
  select text(variadic null), int4(variadic null), int4(variadic 7), float8(variadic 7::int8), date(variadic '2020-01-01');
  select mood('sad'), mood(variadic null);
  select lower(variadic null);
  select date(distinct '2020-01-01');
  `);
  await both.close();
});
