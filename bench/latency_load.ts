/** The load generator of latency.ts, a process of its own: COPY of batches of rows, at a rate or as fast as they are acknowledged. */
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

export interface LoadOrder {
  port: number;
  seconds: number;
  /** Rows a second; null: as many as there can be. */
  rate: number | null;
}

export interface LoadReport {
  /** Acknowledged. */
  rows: number;
  seconds: number;
}

export const PROBE_KEY = -1;
const KEYS = 100_000;
/** Enough that at a given rate no batch waits for the acknowledgement of one before it. */
const CONNECTIONS = 64;
const ROWS_AT_ONCE = 100;
const DIFFERENT_BATCHES = 256;

/** Microseconds since 1970, comparable between processes of one machine. */
export function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

async function run({ port, seconds, rate }: LoadOrder): Promise<LoadReport> {
  const idle: pg.Client[] = [];
  for (let i = 0; i < CONNECTIONS; i++) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'bench', database: 'postgres' });
    await client.connect();
    idle.push(client);
  }
  const all = [...idle];
  const intervalMs = rate === null ? 0 : (ROWS_AT_ONCE / rate) * 1000;
  const batches = Array.from({ length: DIFFERENT_BATCHES }, (_, b) => textOf(ROWS_AT_ONCE - 1, b));
  const begun = performance.now();
  const origin = nowMicros() - begun * 1000;
  let due = 0;
  let running = 0;
  let rows = 0;
  let acknowledged = begun;
  await new Promise<void>((resolve, reject) => {
    const pump = () => {
      const elapsed = performance.now() - begun;
      const over = elapsed >= seconds * 1000;
      if (over && running === 0) resolve();
      // The first is due at once.
      const until = over ? 0 : rate === null ? Number.POSITIVE_INFINITY : Math.floor(elapsed / intervalMs) + 1;
      while (due < until && idle.length > 0) {
        const client = idle.pop() as pg.Client;
        const at = rate === null ? performance.now() : begun + due * intervalMs;
        const probe = `${PROBE_KEY}\t0\t${Math.round(origin + at * 1000)}\n`;
        running++;
        send(client, batches[due++ % DIFFERENT_BATCHES] + probe).then(() => {
          running--;
          rows += ROWS_AT_ONCE;
          acknowledged = performance.now();
          idle.push(client);
          pump();
        }, reject);
      }
    };
    const timer = setInterval(pump, 1);
    const end = resolve;
    resolve = () => {
      clearInterval(timer);
      end();
    };
    pump();
  });
  for (const client of all) await client.end();
  return { rows, seconds: (acknowledged - begun) / 1000 };
}

function textOf(rows: number, batch: number): string {
  let text = '';
  for (let i = 0; i < rows; i++) text += `${((batch * rows + i) * 7919) % KEYS}\t${i}\t0\n`;
  return text;
}

function send(client: pg.Client, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.query(copyFrom('COPY events FROM STDIN'));
    stream.on('finish', resolve);
    stream.on('error', reject);
    stream.end(text);
  });
}

if (process.argv[1]?.endsWith('latency_load.ts')) {
  const report = await run(JSON.parse(process.argv[2]) as LoadOrder);
  process.send?.(report);
  process.disconnect?.();
}
