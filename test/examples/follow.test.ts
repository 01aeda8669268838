/** examples/event-sourcing/follow.mjs: each account that becomes overdrawn has one letter, however often the application and the server are killed. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import pg from 'pg';
import { bin, ended, startCommand } from '../cli/started_command.ts';
import { read, readme, root } from './example.ts';

interface Done {
  tick: string;
  letters: { account: string }[];
}

const folder = mkdtempSync(join(tmpdir(), 'tidemark-follow-'));
const letters = join(folder, 'letters.json');
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** The files of the README, with events that come faster, and a second subscription, which the test reads. */
function initFiles(): string[] {
  const [streams, views] = readme('event-sourcing').start.init;
  const faster = read(streams).replace("rows_per_second = '50'", "rows_per_second = '2000'");
  const more = `${read(views)} CREATE SUBSCRIPTION all_changes FOR overdrawn WITH (progress = true);`;
  return [faster, more].map((text, i) => {
    const file = join(folder, `${i}.sql`);
    writeFileSync(file, text);
    return file;
  });
}

async function startServer(init: string[]) {
  const args = ['start', '--listen', '127.0.0.1:0', '--data', join(folder, 'data')];
  const server = await startCommand(root, process.execPath, [bin, ...args, ...init.flatMap((f) => ['--init', f])]);
  children.push(server.child);
  return { ...server, url: `postgres://tidemark@127.0.0.1:${server.port}/tidemark` };
}

function follow(url: string): ChildProcess {
  const child = spawn(process.execPath, [join(root, 'examples/event-sourcing/follow.mjs'), letters, url], {
    stdio: 'ignore',
  });
  children.push(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const done = ended(child);
  child.kill('SIGKILL');
  await done;
}

const done = (): Done => JSON.parse(readFileSync(letters, 'utf8'));

/** Until there are so many letters more. */
async function written(more: number): Promise<void> {
  const wanted = done().letters.length + more;
  while (done().letters.length < wanted) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The tick behind which all changes are for the application, and for the test. */
async function beginning(url: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query("FETCH 1000 FROM all_changes WITH (timeout = '10 seconds')");
    const { tick } = rows.findLast(({ progress }) => progress);
    await client.query(`ACKNOWLEDGE all_changes UP TO ${tick}`);
    return tick;
  } finally {
    await client.end();
  }
}

/** How many letters each account should have up to a tick. */
async function expected(url: string, last: bigint): Promise<Map<string, number>> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const counts = new Map<string, number>();
    let net = new Map<string, number>();
    for (;;) {
      const { rows } = await client.query("FETCH 1000 FROM all_changes WITH (timeout = '10 seconds')");
      for (const { tick, progress, account, diff } of rows) {
        if (BigInt(tick) > last) return counts;
        if (!progress) net.set(account, (net.get(account) ?? 0) + Number(diff));
        else {
          for (const [who, sum] of net) if (sum > 0) counts.set(who, (counts.get(who) ?? 0) + 1);
          net = new Map();
        }
      }
    }
  } finally {
    await client.end();
  }
}

test('one letter each, whatever is killed when', { timeout: 120_000 }, async () => {
  const init = initFiles();
  let server = await startServer(init);
  writeFileSync(letters, JSON.stringify({ tick: await beginning(server.url), letters: [] }));
  let application = follow(server.url);
  await written(5);
  await kill(application);
  application = follow(server.url);
  await written(10);
  const gone = ended(application);
  await kill(server.child);
  await gone;
  server = await startServer(init);
  application = follow(server.url);
  await written(20);
  await kill(application);

  const { tick, letters: all } = done();
  const counts = new Map<string, number>();
  for (const { account } of all) counts.set(account, (counts.get(account) ?? 0) + 1);
  assert.deepEqual([...counts].sort(), [...(await expected(server.url, BigInt(tick)))].sort());
});
