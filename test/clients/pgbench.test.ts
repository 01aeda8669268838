/** pgbench in its three protocols over a table and a view, and its own TPC-B tables. Counts only, no timings. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type ClientServer, run, startServer } from './server.ts';
import { findPgbench, pathOf, skip } from './tools.ts';

const pgbench = await findPgbench();
const options = { skip: skip(pgbench), timeout: 90_000 };
const folder = mkdtempSync(join(tmpdir(), 'tidemark-pgbench-'));
let server: ClientServer;
let client: pg.Client;

before(async () => {
  server = await startServer();
  client = new pg.Client(server.config);
  await client.connect();
});
after(async () => {
  await client.end();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a script with 4 clients; gives what pgbench says of its transactions. */
async function bench(mode: string, script: string[], transactions: number): Promise<string> {
  const args = ['-n', '-M', mode, '-c', '4', '-j', '2', '-t', String(transactions), '--max-tries=1', ...script];
  const { code, stdout, stderr } = await run(pathOf(pgbench), args, { env: server.env });
  assert.equal(code, 0, `${mode}: ${stdout}${stderr}`);
  return stdout;
}

test('points of a table and a view, read and written', options, async () => {
  await client.query(`create table accounts (aid int primary key, branch int, balance int not null);
    insert into accounts select n, n % 10, 0 from generate_series(1, 1000) n;
    create materialized view branches as select branch, sum(balance) as balance, count(*) as n from accounts group by branch;
    create table history (aid int, delta int)`);
  const file = join(folder, 'script.sql');
  writeFileSync(
    file,
    `\\set aid random(1, 1000)
\\set delta random(-50, 50)
select balance from accounts where aid = :aid;
begin;
insert into history values (:aid, :delta);
select balance, n from branches where branch = :aid % 10;
end;
`,
  );
  for (const mode of ['simple', 'extended', 'prepared']) {
    const said = await bench(mode, ['-f', file], 40);
    assert.match(said, /number of transactions actually processed: 160\/160/);
    assert.match(said, /number of failed transactions: 0 /);
  }
  const { rows } = await client.query('select count(*)::int as n from history');
  assert.equal(rows[0].n, 3 * 160);
});

test('its own tables: initialized, then the TPC-B-like script', options, async () => {
  const init = await run(pathOf(pgbench), ['-i', '-s', '1', '-I', 'dtg', '-q'], { env: server.env });
  assert.equal(init.code, 0, init.stdout + init.stderr);
  await client.query(
    `create materialized view by_branch as select bid, sum(abalance) as total from pgbench_accounts group by bid`,
  );
  for (const mode of ['simple', 'extended', 'prepared']) {
    const said = await bench(mode, ['-b', 'select-only'], 25);
    assert.match(said, /number of failed transactions: 0 /);
  }
  // One client: what two transactions write at once to one row is a serialization failure, not the client's to see here.
  const args = ['-n', '-M', 'prepared', '-c', '1', '-t', '20', '-b', 'tpcb-like'];
  const { code, stdout, stderr } = await run(pathOf(pgbench), args, { env: server.env });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /number of transactions actually processed: 20\/20/);
  const { rows } =
    await client.query(`select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history)
      and (select total from by_branch) = (select sum(bbalance) from pgbench_branches) as balanced`);
  assert.deepEqual(rows, [{ balanced: true }]);
});
