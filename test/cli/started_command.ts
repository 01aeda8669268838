/** Servers that were started by the command, as users start them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const bin = join(root, 'bin', 'tidemark');

/** Starts a server and gives its port, once it says that it listens. */
export function startCommand(
  cwd: string,
  command: string,
  args: string[],
): Promise<{ child: ChildProcess; port: number; output: () => string }> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no server within 60 s:\n${text}`)), 60_000);
    const look = (data: Buffer) => {
      text += data.toString();
      const match = /psql -h 127\.0\.0\.1 -p (\d+)/.exec(text);
      if (match === null) return;
      clearTimeout(timer);
      resolve({ child, port: Number(match[1]), output: () => text });
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.on('close', () => reject(new Error(`the server ended:\n${text}`)));
  });
}

export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('close', (code) => resolve(code)));
}
