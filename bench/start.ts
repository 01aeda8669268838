/**
 * How long a user waits: from the start of the process to the first query answered over a connection, with an empty data directory, for the built
 * form and from the sources; and from `npm start` to the first line of figures. Medians of `runs` starts, in turn; wall time, so a busy machine shows.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { median, Table } from './table.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const FORMS = [
  ['built', ['bin/tidemark']],
  ['sources', ['--import', 'tsx', 'src/main.ts']],
] as const;

interface Times {
  /** The port is open. */
  listening: number;
  /** A client has been let in. */
  accepted: number;
  /** Its first SELECT has been answered. */
  answered: number;
}

export async function startBench(options: { runs: number; json: boolean }): Promise<void> {
  const table = new Table(options.json);
  for (const [form, args] of FORMS) {
    const times: Times[] = [];
    for (let run = 0; run < options.runs; run++) times.push(await startOnce([...args]));
    table.add({
      start: `tidemark start, ${form}`.padEnd(24),
      listeningMs: median(times.map((t) => t.listening)),
      acceptedMs: median(times.map((t) => t.accepted)),
      firstSelectMs: median(times.map((t) => t.answered)),
      firstFiguresMs: null,
    });
  }
  const demos: number[] = [];
  for (let run = 0; run < options.runs; run++) demos.push(await demoOnce());
  table.add({
    start: 'npm start'.padEnd(24),
    listeningMs: null,
    acceptedMs: null,
    firstSelectMs: null,
    firstFiguresMs: median(demos),
  });
}

async function startOnce(args: string[]): Promise<Times> {
  const data = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const begun = performance.now();
  const since = () => performance.now() - begun;
  const child = spawn(process.execPath, [...args, 'start', '--data', data, '--listen', '127.0.0.1:0'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  try {
    const port = Number(await shown(child.stderr, /listens on \S+:(\d+)/));
    const listening = since();
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'bench', database: 'postgres' });
    await client.connect();
    const accepted = since();
    await client.query('SELECT 1');
    const answered = since();
    await client.end();
    return { listening, accepted, answered };
  } finally {
    child.kill();
    await ended;
    rmSync(data, { recursive: true, force: true });
  }
}

/** Milliseconds from `npm start` to its first line of figures. */
async function demoOnce(): Promise<number> {
  const begun = performance.now();
  // A process group of its own: npm's child has to end too.
  const child = spawn('npm', ['start'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const ended = new Promise((resolve) => child.on('close', resolve));
  try {
    await shown(child.stdout, /events\/s\s/);
    return performance.now() - begun;
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid);
    await ended;
  }
}

/** Waits until the stream has shown this; gives its first group. */
function shown(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (data: Buffer) => {
      text += data.toString();
      const match = pattern.exec(text);
      if (match !== null) resolve(match[1] ?? match[0]);
    });
    stream.on('end', () => reject(new Error(`the program ended; it said: ${text}`)));
  });
}
