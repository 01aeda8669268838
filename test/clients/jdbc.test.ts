/** pgjdbc, by one Java program (jdbc/Main.java): metadata, named statements and binary results, batches, portions, timeouts, COPY. */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, startServer } from './server.ts';
import { findJdbc, pathOf, skip } from './tools.ts';

const jars = await findJdbc();

test('pgjdbc', { skip: skip(jars), timeout: 90_000 }, async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  const program = join(dirname(fileURLToPath(import.meta.url)), 'jdbc', 'Main.java');
  const flags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Duser.timezone=UTC', '-Dfile.encoding=UTF-8'];
  const args = [...flags, '--class-path', join(pathOf(jars), '*'), program, String(server.port)];
  const { code, stdout, stderr } = await run('java', args, { env: server.env, timeoutMs: 80_000 });
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.equal(stdout, 'extended ok\nsimple ok\nextendedForPrepared ok\n');
});
