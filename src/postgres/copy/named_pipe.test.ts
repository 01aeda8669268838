/** Named pipes: bytes go through, what waits for the other end can be cancelled, and many that wait keep no file work from going on. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SqlError } from '../../../operators/errors.ts';
import { Cancellation } from '../session/cancellation.ts';
import { bytesOf, FileToWrite } from './server_file.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-pipe-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function pipe(): string {
  const path = join(folder, `pipe${made++}`);
  execFileSync('mkfifo', [path]);
  return path;
}

async function read(path: string, cancellation = new Cancellation()): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bytesOf(path, cancellation)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function write(path: string, bytes: Buffer, cancellation = new Cancellation()): Promise<void> {
  const file = await FileToWrite.open(path, cancellation);
  try {
    await cancellation.wait(file.write(bytes));
    await file.done();
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

const cancelled = { sqlstate: '57014' };
const cancel = (cancellation: Cancellation) => cancellation.cancel(new SqlError('57014', 'cancelled'));

test('bytes go through, whoever comes first', async () => {
  const bytes = Buffer.alloc(1_000_000, 'some bytes');
  for (const first of ['read', 'write']) {
    const path = pipe();
    const one = first === 'read' ? read(path) : write(path, bytes);
    await readFile(new URL(import.meta.url));
    const [other, mine] = await Promise.all([first === 'read' ? write(path, bytes) : read(path), one]);
    assert.ok(bytes.equals((first === 'read' ? mine : other) as Buffer), first);
  }
  const path = pipe();
  const nothing = read(path);
  await write(path, Buffer.alloc(0));
  assert.equal((await nothing).length, 0);
});

test('those that wait can be cancelled, and keep nobody from files', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'there');
  const cancellations: Cancellation[] = [];
  const waiting = Array.from({ length: 12 }, (_, i) => {
    const cancellation = new Cancellation();
    cancellations.push(cancellation);
    const work = i % 2 === 0 ? read(pipe(), cancellation) : write(pipe(), Buffer.from('x'), cancellation);
    return assert.rejects(work, cancelled);
  });
  for (let i = 0; i < 3; i++) assert.equal(await readFile(file, 'utf8'), 'there');
  cancellations.forEach(cancel);
  await Promise.all(waiting);
});

test('a reader that takes nothing, and one that goes', async () => {
  const path = pipe();
  const other = new Cancellation();
  const chunks = bytesOf(path, other);
  const first = chunks.next();
  const cancellation = new Cancellation();
  const writing = write(path, Buffer.alloc(10_000_000), cancellation);
  const refused = assert.rejects(writing, cancelled);
  await first;
  cancel(cancellation);
  await refused;
  await chunks.return(undefined);

  const gone = bytesOf(path, new Cancellation());
  const some = gone.next();
  const cut = assert.rejects(write(path, Buffer.alloc(10_000_000)), { sqlstate: '58030', message: /Broken pipe$/ });
  await some;
  await gone.return(undefined);
  await cut;
});
