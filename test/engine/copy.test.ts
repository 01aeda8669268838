/** COPY FROM STDIN as the engine runs it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SqlError } from '../../operators/errors.ts';
import { openEngine, Session, sql } from './harness.ts';

test('columns that COPY does not name take their default, a volatile one anew for each row', async () => {
  const engine = await openEngine();
  try {
    await sql(
      engine,
      "CREATE TABLE t (id int, r float8 DEFAULT random(), at timestamptz DEFAULT now(), kind text DEFAULT 'new', n int)",
    );
    const session = new Session(engine);
    const result = await session.copyIn('COPY t (id, kind) FROM STDIN');
    await result.target.write([
      [1, 'a'],
      [2, null],
      [3, 'c'],
    ]);
    assert.equal(await result.target.finish(), 3);
    await session.transaction.commit();
    assert.deepEqual(
      await sql(engine, 'SELECT count(DISTINCT r), count(DISTINCT at), count(kind), count(n), count(*) FROM t'),
      [['3', '1', '2', '0', '3']],
    );
  } finally {
    await engine.close();
  }
});

test('WHERE takes rows in, and what options cannot be is said', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a) STORED, c text)');
    await sql(engine, 'CREATE VIEW v AS SELECT a FROM t');
    const session = new Session(engine);
    const result = await session.copyIn("COPY t FROM STDIN WHERE a > 1 AND c IS DISTINCT FROM 'no'");
    await result.target.write([
      [1, 'a'],
      [2, 'no'],
      [null, null],
      [3, null],
    ]);
    assert.equal(await result.target.finish(), 1);
    await session.transaction.commit();
    assert.deepEqual(await sql(engine, 'SELECT * FROM t'), [['3', '3', null]]);
    for (const [text, message] of [
      ['COPY t FROM STDIN WHERE b > 1', /^generated columns are not supported in COPY FROM WHERE conditions$/],
      ['COPY t FROM STDIN WHERE a', /^argument of WHERE must be type boolean, not type integer$/],
      ['COPY t (a, a) FROM STDIN', /^column "a" specified more than once$/],
      ["COPY t FROM STDIN (ENCODING 'LATIN1')", /^COPY in encoding LATIN1 is not supported$/],
      ['COPY t FROM STDIN (FORMAT csv, HEADER 3)', /^header requires a Boolean value or "match"$/],
      ['COPY t FROM STDIN (FORMAT csv, FORMAT text)', /^conflicting or redundant options$/],
      ["COPY t FROM STDIN (QUOTE 'x')", /^COPY QUOTE requires CSV mode$/],
      ['COPY t FROM STDIN (FORMAT binary, HEADER)', /^cannot specify HEADER in BINARY mode$/],
      ['COPY t FROM STDIN (FORMAT csv, FORCE_QUOTE *)', /^COPY FORCE_QUOTE cannot be used with COPY FROM$/],
      ['COPY t TO STDOUT (FORMAT csv, FORCE_NULL (a))', /^COPY FORCE_NULL cannot be used with COPY TO$/],
      ['COPY t TO STDOUT (FORMAT csv, FORCE_QUOTE (z))', /^FORCE_QUOTE column "z" not referenced by COPY$/],
      ['COPY t TO STDOUT (HEADER match)', /^cannot use "match" with HEADER in COPY TO$/],
      ['COPY v TO STDOUT', /^cannot copy from view "v"$/],
    ] as const)
      await assert.rejects(session.run(text), { message }, text);
  } finally {
    await engine.close();
  }
});

test('columns that are not sent have their defaults, and what does not fit is said, whether rows are looked at one by one or not', async () => {
  for (const check of ['', ', CHECK (id > 0)']) {
    const engine = await openEngine();
    try {
      await sql(
        engine,
        `CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL DEFAULT 'a long default value', n bigint${check})`,
      );
      const copy = async (columns: string, ...pieces: (number | string | null)[][][]) => {
        const session = new Session(engine);
        const { target } = await session.copyIn(`COPY t (${columns}) FROM STDIN`);
        for (const rows of pieces) await target.write(rows);
        const count = await target.finish();
        await session.transaction.commit();
        return count;
      };
      assert.equal(await copy('id', [[1], [2]], [[3]]), 3);
      assert.equal(await copy('a, id', [['x', 4]], [[`${'y'.repeat(30)}`, 5]]), 2);
      await assert.rejects(
        copy('id', [[6], [1]]),
        (error: SqlError) => error.sqlstate === '23505' && error.fields.detail === 'Key (id)=(1) already exists.',
      );
      await assert.rejects(copy('id', [[6], [6]]), { sqlstate: '23505' });
      await assert.rejects(copy('id', [[6]], [[6]]), { sqlstate: '23505' });
      await assert.rejects(copy('id, a', [[6, null]]), { sqlstate: '23502', message: /column "a"/ });
      await assert.rejects(copy('id', [[null]]), { sqlstate: '23502', message: /column "id"/ });
      assert.deepEqual(await sql(engine, 'SELECT * FROM t ORDER BY id'), [
        ['1', 'a long default value', null],
        ['2', 'a long default value', null],
        ['3', 'a long default value', null],
        ['4', 'x', null],
        ['5', 'y'.repeat(30), null],
      ]);
    } finally {
      await engine.close();
    }
  }
});
