/** A server as its own process, in the built form, with an empty data directory: what a user runs. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/tidemark', import.meta.url));

/** `options`: more of `tidemark start`. */
export async function startServerProcess(
  options: string[] = [],
): Promise<{ port: number; pid: number; close(): Promise<void> }> {
  const data = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const child = spawn(process.execPath, [bin, 'start', '--data', data, '--listen', '127.0.0.1:0', ...options], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const match = /listens on \S+:(\d+)/.exec(text);
      if (match !== null) resolve(Number(match[1]));
    });
    child.once('close', () => reject(new Error(`the server ended: ${text}`)));
  });
  const close = async () => {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill();
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  return { port, pid: child.pid as number, close };
}
