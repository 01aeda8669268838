/**
 * Writes V8's code beside the programs of dist/ (src/run_built.ts reads it): starts the server in this process with an empty directory, answers one
 * client's query, ends it, and keeps what V8 has compiled on the way. Of the I/O thread's program only what is compiled before it runs.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import pg from 'pg';

const dist = new URL('../dist/', import.meta.url).pathname;
const data = mkdtempSync(join(tmpdir(), 'tidemark-build-'));

const worker = join(dist, 'worker.cjs');
writeFileSync(`${worker}.code`, new Script(readFileSync(worker, 'latin1'), { filename: worker }).createCachedData());

process.argv = [process.execPath, join(dist, 'start.js'), 'start', '--data', data, '--listen', '127.0.0.1:0'];
let said = '';
const listening = new Promise((resolve) => {
  process.stderr.write = (text) => {
    said += text;
    const port = /listens on \S+:(\d+)/.exec(said)?.[1];
    if (port !== undefined) resolve(Number(port));
    return true;
  };
});
const { script } = await import(new URL('start.js', new URL('../dist/', import.meta.url)).href);
process.on('exit', (code) => {
  rmSync(data, { recursive: true, force: true });
  if (code !== 0) writeSync(2, said);
  else {
    // As they are when a start reads it (src/cli/collector.ts).
    setFlagsFromString('--parallel-scavenge');
    setFlagsFromString('--heap-growing-percent=0');
    writeFileSync(join(dist, 'main.cjs.code'), script.createCachedData());
  }
});
const client = new pg.Client({ host: '127.0.0.1', port: await listening, user: 'build', database: 'postgres' });
await client.connect();
await client.query('SELECT 1');
await client.end();
process.kill(process.pid, 'SIGTERM');
