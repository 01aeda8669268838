/** The protocol's tests once more, over an I/O thread: nothing that a client sees may depend on where the sockets are. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

function testsOf(folder: string): string[] {
  return readdirSync(`${root}/${folder}`)
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('.slow.test.ts'))
    .map((name) => `${folder}/${name}`);
}

test('src/postgres/wire, session and copy over two threads', { timeout: 300_000 }, async () => {
  const files = ['wire', 'session', 'copy'].flatMap((folder) => testsOf(`src/postgres/${folder}`));
  const args = ['--import', 'tsx', '--test', '--test-reporter=tap', '--test-timeout=120000', ...files];
  const { NODE_TEST_CONTEXT, ...outside } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...outside, TIDEMARK_THREADS: '2' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString();
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0, text);
  assert.ok(Number(/^# pass (\d+)/m.exec(text)?.[1]) > 50, text);
});
