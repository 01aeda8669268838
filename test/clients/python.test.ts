/** Python's drivers, each by a script of its own (python/): psycopg 3 (text and binary), asyncpg (binary only), pg8000. */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ClientServer, run, startServer } from './server.ts';
import { findPythonDrivers, pathOf, skip } from './tools.ts';

const drivers = await findPythonDrivers();
const options = { skip: skip(drivers), timeout: 90_000 };
const scripts = join(dirname(fileURLToPath(import.meta.url)), 'python');
let server: ClientServer;

before(async () => {
  server = await startServer();
});
after(() => server.close());

for (const driver of ['psycopg', 'asyncpg', 'pg8000']) {
  test(driver, options, async () => {
    const env = { ...server.env, PYTHONPATH: pathOf(drivers), PYTHONDONTWRITEBYTECODE: '1' };
    const { code, stdout, stderr } = await run('python3', [join(scripts, `${driver}_client.py`)], { env });
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.equal(server.sessions(), 0, 'sessions are left');
  });
}
