import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pages } from '../../operators/batch/pages.ts';
import { IoThread } from './io_thread.ts';
import type { ToIo } from './messages.ts';

const NONSENSE = { k: 'nonsense' } as unknown as ToIo;

function start(onFailure: (error: Error) => void = (error) => assert.fail(error)): IoThread {
  return new IoThread({ log: () => undefined, onFailure });
}

test('memory goes back when it ends', async () => {
  const used = pages.usedPages;
  const io = start();
  assert.ok(pages.usedPages > used);
  assert.equal(await io.call('usedPages'), 0);
  await io.close();
  assert.equal(pages.usedPages, used);
});

test('errors of calls come back as they are', async () => {
  const io = start();
  const listener = await io.listen(
    { listen: { host: '127.0.0.1', port: 0 }, maxMessageBytes: 1000 },
    { started: () => undefined, cancel: () => undefined },
  );
  const again = { listen: { host: '127.0.0.1', port: listener.port }, maxMessageBytes: 1000 };
  await assert.rejects(io.call('listen', again), (error: NodeJS.ErrnoException) => error.code === 'EADDRINUSE');
  await listener.close(0);
  await io.close();
});

test('its failure is told once, and calls that wait for it fail', async () => {
  const failures: string[] = [];
  const failed = new Promise<void>((resolve) => {
    const io = start((error) => {
      failures.push(error.message);
      resolve();
    });
    io.channel.post(NONSENSE);
    void assert.rejects(io.call('usedPages'), /nonsense/);
  });
  await failed;
  assert.equal(failures.length, 1);
  assert.match(failures[0], /unknown message from the dataflow thread.*nonsense/);
});

test('a server whose I/O thread fails says so and ends with code 1', { timeout: 60_000 }, async () => {
  const program = `
    import { runServer } from './src/cli/server.ts';
    const log = (level, message) => process.stderr.write(level + ' ' + message + '\\n');
    const server = await runServer({ host: '127.0.0.1', port: 0, version: '0', threads: 2, log });
    server.io.channel.post({ k: 'nonsense' });
  `;
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
    execFile(process.execPath, args, { cwd }, (error, _, text) => resolve({ code: error?.code ?? 0, stderr: text }));
  });
  assert.equal(code, 1);
  assert.match(stderr, /^error fatal: the I\/O thread has failed: unknown message/m);
});
