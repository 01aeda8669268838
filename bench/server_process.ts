/** A server as its own process, in the built form, with an empty data directory: what a user runs. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/tidemark', import.meta.url));

export interface ServerProcess {
  port: number;
  pid: number;
  /** The first group of the pattern, when standard error has it after now. */
  said(pattern: RegExp): Promise<string>;
  close(): Promise<void>;
}

/** `options`: more of `tidemark start`. */
export async function startServerProcess(options: string[] = []): Promise<ServerProcess> {
  const data = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const child = spawn(process.execPath, [bin, 'start', '--data', data, '--listen', '127.0.0.1:0', ...options], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  child.stderr.resume();
  const said = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      let text = '';
      const ended = () => reject(new Error(`the server ended: ${text}`));
      const look = (chunk: Buffer) => {
        text += chunk.toString();
        const match = pattern.exec(text);
        if (match === null) return;
        child.stderr.off('data', look);
        child.off('close', ended);
        resolve(match[1]);
      };
      child.stderr.on('data', look);
      child.once('close', ended);
    });
  const port = Number(await said(/listens on \S+:(\d+)/));
  const close = async () => {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill();
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  return { port, pid: child.pid as number, said, close };
}
