/** Python's drivers, each by a script of its own (python/): psycopg 3 (text and binary), asyncpg (binary only), pg8000. */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, startServer, until } from './server.ts';
import { findPythonDrivers, pathOf, skip } from './tools.ts';

const drivers = await findPythonDrivers();
const options = { skip: skip(drivers), timeout: 90_000 };
const scripts = join(dirname(fileURLToPath(import.meta.url)), 'python');

for (const driver of ['psycopg', 'asyncpg', 'pg8000']) {
  test(driver, options, async (t) => {
    const server = await startServer();
    t.after(() => server.close());
    const env = { ...server.env, PYTHONPATH: pathOf(drivers), PYTHONDONTWRITEBYTECODE: '1' };
    const { code, stdout, stderr } = await run('python3', [join(scripts, `${driver}_client.py`)], { env });
    assert.equal(code, 0, `${stdout}${stderr}`);
    await until('its sessions are gone', () => server.sessions() === 0);
  });
}
