/**
 * Random transactions of DDL, rows and savepoints of one session, here and in PostgreSQL (PGlite): after each statement both have given the same rows or the same error, and both list the same
 * objects with the same rows, comments, owners and privileges, within the transaction and after its end.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { seeded } from '../engine/harness.ts';
import { type ClientServer, startServer } from './server.ts';

const ROUNDS = process.env.TIDEMARK_QUICK === '1' ? 2 : 8;
const STEPS = 120;
const { random } = seeded('DDL beside PostgreSQL');

let server: ClientServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());

/** Whether the schema or what is in it is said to be missing, each says in its own way. */
const MISSING = ['3F000', '42P01', '42704', '42883'];

type Run = (text: string) => Promise<unknown[][]>;

/** All that users have, and the rows of tables; what the server names itself (constraints of NOT NULL) aside. */
const LISTED = [
  `SELECT n.nspname, c.relname, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('public', 's') AND c.relkind <> 'c' ORDER BY 1, 2`,
  `SELECT nspname FROM pg_namespace WHERE nspname IN ('public', 's') ORDER BY 1`,
  `SELECT n.nspname, typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE typtype IN ('e', 'd') AND n.nspname IN ('public', 's') ORDER BY 1, 2`,
  `SELECT n.nspname, conrelid::regclass::text, conname FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
     WHERE n.nspname IN ('public', 's') AND contype <> 'n' AND conrelid <> 0 ORDER BY 1, 2, 3`,
  `SELECT n.nspname, proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('public', 's') ORDER BY 1, 2`,
];

const MADE = `nspname IN ('public', 's')`;
/** The superuser has another name in each. */
const OWNER = (column: string) =>
  `CASE WHEN ${column}::regrole::text IN ('r0', 'r1') THEN ${column}::regrole::text END`;
const MAY = (kind: string, privileges: string[]) =>
  ['r0', 'r1'].flatMap((role) => privileges.map((p) => `has_${kind}_privilege('${role}', oid, '${p}')`)).join();
LISTED.push(
  `SELECT n.nspname, c.relname, d.objsubid, d.description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${MADE} ORDER BY 1, 2, 3`,
  `SELECT nspname, CASE WHEN nspname = 's' THEN obj_description(oid, 'pg_namespace') END, ${OWNER('nspowner')}, ${MAY('schema', ['CREATE'])} FROM pg_namespace WHERE ${MADE} ORDER BY 1`,
  `SELECT nspname, relname, ${OWNER('relowner')}, ${MAY('table', ['SELECT', 'INSERT', 'DELETE WITH GRANT OPTION'])}
     FROM (SELECT c.*, nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace) c WHERE ${MADE} AND relkind IN ('r', 'v') ORDER BY 1, 2`,
  `SELECT nspname, relname, ${OWNER('relowner')}, ${MAY('sequence', ['USAGE'])}
     FROM (SELECT c.*, nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace) c WHERE ${MADE} AND relkind = 'S' ORDER BY 1, 2`,
  `SELECT nspname, typname, ${OWNER('typowner')}, obj_description(t.oid, 'pg_type') FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE typtype IN ('e', 'd') AND ${MADE} ORDER BY 1, 2`,
  `SELECT nspname, proname, ${OWNER('proowner')}, obj_description(p.oid, 'pg_proc') FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${MADE} ORDER BY 1, 2`,
  `SELECT nspname, relname, attname, attnotnull, pg_get_expr(adbin, adrelid) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
     LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE ${MADE} AND relkind = 'r' AND attname IN ('a', 'b') ORDER BY 1, 2, 3`,
  `SELECT ${MAY('database', ['CREATE'])} FROM pg_database WHERE datname = current_database()`,
);

async function state(run: Run): Promise<unknown> {
  const lists: unknown[] = [];
  for (const text of LISTED) lists.push(await run(text));
  const [relations] = lists as [[string, string, string][]];
  const rows: Record<string, unknown> = {};
  for (const [schema, name, kind] of relations)
    if (['r', 'v'].includes(kind))
      rows[`${schema}.${name}`] = await run(`SELECT x.* FROM ${schema}.${name} x ORDER BY 1, 2`);
  return { lists, rows };
}

/** What ROLLBACK undoes here; DROP NOT NULL is refused where a view reads the table. */
function alteration(table: string): string {
  const all = [
    `ALTER b SET DEFAULT '${random(4)}'`,
    `ALTER b SET DEFAULT 'no', ADD CHECK (a > ${random(3) - 2})`,
    'ALTER b DROP DEFAULT',
    'ALTER b SET NOT NULL, ALTER a SET DEFAULT 3',
    `ADD CONSTRAINT ck CHECK (b <> '${random(4)}')`,
    `ADD CONSTRAINT ck CHECK (a < 5), ALTER b SET NOT NULL`,
    'DROP CONSTRAINT ck',
    `DROP CONSTRAINT ${table}_b_check`,
    `DROP CONSTRAINT IF EXISTS ${table}_a_fkey, DROP CONSTRAINT IF EXISTS ck`,
  ];
  return all[random(all.length)];
}

function statement(): string {
  const schema = () => ['public', 'public', 's'][random(3)];
  const name = (kind: string) => `${schema()}.${kind}${random(3)}`;
  const cascade = random(2) === 0 ? ' CASCADE' : '';
  const exists = random(3) === 0 ? 'IF EXISTS ' : '';
  // No view reads these, so that they get other names at COMMIT. They have no primary key: its index has the table's name here.
  const unread = () => `${schema()}.${['u', 'w'][random(2)]}${random(3)}`;
  const renamed = () => `${['u', 'w'][random(2)]}${random(3)}`;
  // A view over others is read as its owner, a foreign key looked at as the table's: they stay the superuser's.
  const ownable = [`TABLE ${unread()}`, `SEQUENCE ${name('q')}`, `TYPE ${name('e')}`, `FUNCTION ${name('f')}(int)`];
  const role = `r${random(2)}`;
  switch (random(58)) {
    case 53:
    case 54:
    case 55:
    case 56: {
      const table = name('t');
      return `ALTER TABLE ${exists}${table} ${alteration(table.split('.')[1])}`;
    }
    case 57:
      return `INSERT INTO ${name('t')} (a) VALUES (${random(4)})`;
    case 48:
    case 49:
      // Only of what nothing reads.
      return `CREATE OR REPLACE VIEW ${unread()} AS SELECT ${random(9)} AS a, 'x' AS b`;
    case 50:
      return `CREATE OR REPLACE VIEW ${unread()} AS SELECT a, b FROM ${name('t')}`;
    case 51:
      return `CREATE OR REPLACE FUNCTION ${name('f')}(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x + ${random(9)}'`;
    case 52:
      return `SELECT ${name('f')}(1)`;
    case 36:
    case 37:
    case 38: {
      const on = [
        `TABLE ${name('t')}`,
        `VIEW ${name('v')}`,
        `INDEX ${schema()}.i${random(3)}`,
        `COLUMN ${name('t')}.b`,
        'SCHEMA s',
        ...ownable,
      ];
      return `COMMENT ON ${on[random(on.length)]} IS ${random(4) === 0 ? 'NULL' : `'${random(9)}'`}`;
    }
    case 39:
    case 40:
      return `GRANT ${['SELECT', 'INSERT, SELECT', 'ALL'][random(3)]} ON ${[unread(), name('t'), `ALL TABLES IN SCHEMA ${schema()}`][random(3)]} TO ${role}${['', ' WITH GRANT OPTION'][random(2)]}`;
    case 41:
    case 42:
      return `REVOKE ${['SELECT', 'ALL'][random(2)]} ON ${[unread(), name('t'), `ALL TABLES IN SCHEMA ${schema()}`][random(3)]} FROM ${role}`;
    case 43:
      return `GRANT USAGE ON ${random(2) === 0 ? 'ALL SEQUENCES IN SCHEMA public' : `SEQUENCE ${name('q')}`} TO ${role}`;
    case 44:
      return random(2) === 0
        ? `GRANT CREATE ON SCHEMA ${schema()} TO ${role}`
        : `REVOKE ALL ON SCHEMA ${schema()} FROM ${role}`;
    case 45:
      return random(4) === 0 ? `ALTER SCHEMA s OWNER TO ${role}` : `ALTER ${ownable[0]} OWNER TO ${role}`;
    case 46:
      return `ALTER ${ownable[random(4)]} OWNER TO ${role}`;
    case 47:
      return `ALTER ${['VIEW', 'TABLE'][random(2)]} IF EXISTS ${unread()} OWNER TO ${role}`;
    case 26:
    case 27:
      return `CREATE TABLE ${unread()} (a int, b text UNIQUE)`;
    case 28:
      return `CREATE VIEW ${unread()} AS SELECT 1 AS a, '2' AS b`;
    case 29:
    case 30:
    case 31:
    case 32:
      return `ALTER TABLE ${exists}${unread()} RENAME TO ${renamed()}`;
    case 33:
      return random(2) === 0
        ? `ALTER INDEX ${exists}${schema()}.i${random(3)} RENAME TO i${random(3)}`
        : `ALTER SEQUENCE ${exists}${name('q')} RENAME TO q${random(3)}`;
    case 34:
      return `INSERT INTO ${unread()} (a, b) VALUES (${random(4)}, '${random(4)}')`;
    case 35:
      return `DROP TABLE ${unread()}`;
    case 0:
    case 1:
    case 2:
      return `CREATE TABLE ${name('t')} (a int PRIMARY KEY, b text UNIQUE, c serial)`;
    case 3:
      return `CREATE TABLE ${name('t')} (a int REFERENCES ${name('t')}, b text CHECK (b <> 'no'))`;
    case 4:
      return `CREATE TABLE ${name('t')} AS SELECT ${random(9)} AS a, 'x' AS b`;
    case 5:
    case 6:
      return `CREATE VIEW ${name('v')} AS SELECT a, b FROM ${name(['t', 'v'][random(2)])}`;
    case 7:
      return `CREATE INDEX i${random(3)} ON ${name('t')} (b)`;
    case 8:
      return 'CREATE SCHEMA s';
    case 9: {
      const type = name('e');
      return random(2) === 0 ? `CREATE TYPE ${type} AS ENUM ('x')` : `CREATE DOMAIN ${type} AS int CHECK (VALUE > 0)`;
    }
    case 10:
      return `CREATE SEQUENCE ${name('q')}`;
    case 11:
      return `CREATE FUNCTION ${name('f')}(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x + ${random(9)}'`;
    case 12:
    case 13:
    case 14:
      return `INSERT INTO ${name('t')} (a, b) VALUES (${random(4)}, '${random(4)}')`;
    case 15:
      return `DELETE FROM ${name('t')} WHERE a = ${random(4)}`;
    case 16:
      return `UPDATE ${name('t')} SET b = b || 'x' WHERE a = ${random(4)}`;
    case 17:
      return `DROP VIEW ${exists}${name('v')}${cascade}`;
    case 18:
      return `DROP INDEX ${exists}${schema()}.i${random(3)}`;
    case 19:
      return `DROP SCHEMA ${exists}s${cascade}`;
    case 20:
      return random(2) === 0 ? `DROP TYPE ${exists}${name('e')}` : `DROP SEQUENCE ${exists}${name('q')}${cascade}`;
    case 21:
      return `DROP FUNCTION ${exists}${name('f')}`;
    default:
      return `DROP TABLE ${exists}${name('t')}${random(4) === 0 ? `, ${name('t')}` : ''}${cascade}`;
  }
}

for (let round = 0; round < ROUNDS; round++)
  test(`round ${round}`, { timeout: 300_000 }, async (t) => {
    const theirs = await PGlite.create();
    const client = new pg.Client(server.config);
    client.on('error', () => undefined);
    await client.connect();
    const ours: Run = async (text) =>
      (await client.query({ text, rowMode: 'array' } as pg.QueryArrayConfig)).rows as unknown[][];
    const postgres: Run = async (text) => (await theirs.query(text, [], { rowMode: 'array' })).rows as unknown[][];
    const outcome = (run: Run, text: string) =>
      run(text).then(
        (rows) => ({ rows }),
        ({ code = '' }: { code?: string }) => ({ error: MISSING.includes(code) ? 'missing' : code }),
      );
    const done: string[] = [];
    const both = async (text: string): Promise<boolean> => {
      done.push(text);
      const wanted = await outcome(postgres, text);
      const found = await outcome(ours, text);
      assert.deepEqual(found, wanted, done.join(';\n'));
      return 'rows' in wanted;
    };
    const same = async () => {
      const wanted = await state(postgres);
      assert.deepEqual(await state(ours), wanted, done.join(';\n'));
    };
    t.after(async () => {
      await client.end();
      await theirs.close();
    });
    for (const role of ['r0', 'r1']) await both(`CREATE ROLE ${role}`);
    const savepoints: string[] = [];
    let open = false;
    for (let step = 0; step < STEPS; step++) {
      const what = random(14);
      if (!open || what === 0) {
        await both(open ? ['COMMIT', 'ROLLBACK'][random(2)] : 'BEGIN');
        open = !open;
        savepoints.length = 0;
      } else if (what === 1 && savepoints.length > 0) {
        const at = random(savepoints.length);
        await both(`${random(2) === 0 ? 'RELEASE' : 'ROLLBACK TO'} ${savepoints[at]}`);
        savepoints.length = done.at(-1)?.startsWith('RELEASE') ? at : at + 1;
      } else {
        // What an error has not ended can go on.
        await both(`SAVEPOINT p${step}`);
        savepoints.push(`p${step}`);
        if (!(await both(statement()))) await both(`ROLLBACK TO p${step}`);
        else if (random(3) > 0) {
          await both(`RELEASE p${step}`);
          savepoints.pop();
        }
      }
      await same();
    }
    if (open) await both('ROLLBACK');
    await same();
    await both('DROP SCHEMA IF EXISTS s, public CASCADE');
    await both('DROP OWNED BY r0, r1');
    await both('DROP ROLE r0, r1');
    await both('CREATE SCHEMA public');
  });
