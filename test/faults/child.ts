/** A `tidemark start --data DIR` in a process of its own, to be killed without warning: as users have it, without the checks of memory that tests are run with. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const bin = fileURLToPath(new URL('../../bin/tidemark', import.meta.url));
const START_MS = process.env.FAULTS === 'long' ? 300_000 : 60_000;

/** Servers that a failed test leaves behind would keep the process from ending. */
const alive = new Set<ChildProcess>();
after(() => {
  for (const child of alive) child.kill('SIGKILL');
});

export class Child {
  readonly #process: ChildProcess;
  readonly port: number;
  readonly #output: () => string;

  private constructor(process: ChildProcess, port: number, output: () => string) {
    this.#process = process;
    this.port = port;
    this.#output = output;
  }

  /** Resolves when clients are let in. `before`: a command that runs it, or options of Node. */
  static async start(
    data: string,
    { before = [process.execPath], env = {}, options = [] }: Surroundings = {},
  ): Promise<Child> {
    const [command, ...rest] = before;
    const args = [...rest, bin, 'start', '--listen', '127.0.0.1:0', '--data', data, ...options];
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TIDEMARK_CHECKED: '0', ...env },
    });
    alive.add(child);
    child.on('close', () => alive.delete(child));
    let text = '';
    const port = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`no server within ${START_MS} ms:\n${text}`));
      }, START_MS);
      child.stderr.on('data', (bytes: Buffer) => {
        text += bytes.toString();
        const match = /psql -h 127\.0\.0\.1 -p (\d+)/.exec(text);
        if (match === null) return;
        clearTimeout(timer);
        resolve(Number(match[1]));
      });
      child.on('close', (code) => {
        clearTimeout(timer);
        reject(new Error(`the server ended with ${code}:\n${text}`));
      });
    });
    return new Child(child, port, () => text);
  }

  get output(): string {
    return this.#output();
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.port, user: 'tester', database: 'db' });
    // A killed server is the test's doing: the statement that waits for it hears of it.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async rows(text: string): Promise<unknown[][]> {
    const client = await this.connect();
    try {
      return (await client.query({ text, rowMode: 'array' })).rows;
    } finally {
      await client.end();
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const closed = once(this.#process, 'close');
    this.#process.kill(signal);
    await closed;
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'close');
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }
}

interface Surroundings {
  before?: string[];
  env?: Record<string, string>;
  /** Of `tidemark start`. */
  options?: string[];
}

/** How often or how long: `long` with `npm run faults -- --long`, else `short`. */
export function rounds(short: number, long: number): number {
  return process.env.FAULTS === 'long' ? long : short;
}

/** Tells how far a long run is. */
export function progress(text: string): void {
  if (process.env.FAULTS === 'long') console.log(`# ${new Date().toISOString().slice(11, 19)} ${text}`);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
