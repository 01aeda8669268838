/** Indexes over expressions, and over a part of the rows, after each way in which a server comes back to its data: they are used, refuse what is there, and have what has come since. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { sql } from '../engine/harness.ts';
import { overRestarts } from './over_restarts.ts';

test('computed indexes over restarts', { timeout: 120_000 }, async () => {
  const script = `
    CREATE TABLE users (id int PRIMARY KEY, email text, owner int, gone date, v int);
    INSERT INTO users SELECT i, 'U' || i, i / 2, CASE WHEN i % 2 = 0 THEN date '2026-01-01' END, i FROM generate_series(1, 100) i;
    CREATE UNIQUE INDEX by_mail ON users (lower(email));
    CREATE UNIQUE INDEX live ON users (owner) NULLS NOT DISTINCT WHERE gone IS NULL;
    CREATE INDEX ratio ON users ((100 / v));
    CREATE INDEX lost ON users ((owner + 1)) WHERE v > 3;
    CREATE MATERIALIZED VIEW twice AS SELECT id, v * 2 AS w, email FROM users;
    CREATE INDEX in_view ON twice (upper(email)) WHERE w > 10;
    CREATE MATERIALIZED VIEW same AS SELECT id, v * 2 AS w, email FROM users;
    CREATE INDEX in_same ON same ((w + 1));
    CREATE TABLE alike (LIKE users INCLUDING ALL);
    INSERT INTO alike VALUES (1, 'A', 1, NULL, 1);
    ALTER TABLE users ALTER owner TYPE bigint;
    ALTER TABLE users RENAME email TO mail;
    DROP INDEX lost`;
  let next = 1000;
  const engine = await overRestarts(script, async (engine, how) => {
    const refused = async (text: string, detail: RegExp, code = '23505') => {
      await assert.rejects(sql(engine, text), (error) => {
        assert.ok(error instanceof SqlError, `${how}: ${error}`);
        assert.equal(error.sqlstate, code, `${how}: ${error.message}`);
        assert.match(error.fields.detail ?? '', detail);
        return true;
      });
    };
    const id = next++;
    await sql(engine, `INSERT INTO users VALUES (${id}, 'New${id}', ${id}, NULL, 3)`);
    await refused(
      `INSERT INTO users VALUES (0, 'nEW${id}', 0, NULL, 3)`,
      /^Key \(lower\(mail\)\)=\(new\d+\) already exists\.$/,
    );
    await refused(`INSERT INTO users VALUES (0, 'u7', 0, NULL, 3)`, /lower\(mail\)/);
    await refused(`INSERT INTO users VALUES (0, 'x', ${id}, NULL, 3)`, /^Key \(owner\)=/);
    await refused(`INSERT INTO users VALUES (0, 'x', 3, date '2026-01-01', 0)`, /^$/, '22012');
    await refused(`INSERT INTO alike VALUES (2, 'a', 2, NULL, 1)`, /^Key \(lower\(email\)\)=\(a\) already exists\.$/);
    const looked = async (query: string, index: string, rows: (string | null)[][]) => {
      const plan = (await sql(engine, `EXPLAIN ${query}`)).join('\n');
      assert.ok(plan.includes(`lookup ${index} (`), `${how}: ${plan}`);
      assert.deepEqual(await sql(engine, query), rows, `${how}: ${query}`);
    };
    await looked(`SELECT id FROM users WHERE lower(mail) = 'new${id}'`, 'by_mail', [[String(id)]]);
    await looked(`SELECT id FROM users WHERE owner = 4 AND gone IS NULL`, 'live', [['9']]);
    await looked(`SELECT id FROM users WHERE 100 / v = 50 ORDER BY id`, 'ratio', [['2']]);
    await looked(`SELECT id FROM twice WHERE upper(email) = 'U7' AND w > 12`, 'in_view', [['7']]);
    await looked(`SELECT id FROM same WHERE w + 1 = 15`, 'in_same', [['7']]);
    await sql(
      engine,
      `INSERT INTO users VALUES (0, 'U7', 3, NULL, 3) ON CONFLICT (lower(mail)) DO UPDATE SET v = users.v`,
    );
    const defined = await sql(
      engine,
      `SELECT indexdef FROM pg_indexes WHERE indexname IN ('live', 'by_mail') ORDER BY 1`,
    );
    assert.deepEqual(defined, [
      ['CREATE UNIQUE INDEX by_mail ON public.users USING btree (lower(mail))'],
      ['CREATE UNIQUE INDEX live ON public.users USING btree (owner) NULLS NOT DISTINCT WHERE (gone IS NULL)'],
    ]);
  });
  await engine.close();
});
