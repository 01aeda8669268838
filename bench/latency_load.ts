/**
 * The load generator of latency.ts, a process of its own: COPY of batches of rows, at a rate or as fast as they are acknowledged.
 *
 * It shares the machine's processors with the server, so it is as small as can be: bare sockets, a batch with its COPY and its end in one write, the
 * answer read as far as its ReadyForQuery.
 */
import { connect, type Socket } from 'node:net';
import { serialize } from 'pg-protocol';

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

/** Microseconds of a clock that all processes of a machine share and nobody sets. */
export function nowMicros(): number {
  return Math.round(Number(process.hrtime.bigint()) / 1000);
}

const COPY = serialize.query('COPY events FROM STDIN');
const COPY_DONE = serialize.copyDone();
const [ERROR, READY] = Buffer.from('EZ');

/** A connection that copies one batch after the other. */
class Copier {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #answered: { resolve(): void; reject(error: Error): void } | null = null;

  private constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#socket.on('error', (error) => this.#answered?.reject(error));
  }

  static async open(port: number): Promise<Copier> {
    const copier = new Copier(port);
    await copier.#ask(serialize.startup({ user: 'bench', database: 'postgres' }));
    return copier;
  }

  copy(rows: Buffer): Promise<void> {
    return this.#ask(Buffer.concat([COPY, serialize.copyData(rows), COPY_DONE]));
  }

  #ask(bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answered = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  #take(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (at + 5 <= all.length) {
      const end = at + 1 + all.readInt32BE(at + 1);
      if (end > all.length) break;
      if (all[at] === ERROR) this.#answered?.reject(new Error(all.toString('latin1', at + 5, end)));
      if (all[at] === READY) this.#answered?.resolve();
      at = end;
    }
    this.#rest = all.subarray(at);
  }

  close(): void {
    this.#socket.end(serialize.end());
  }
}

async function run({ port, seconds, rate }: LoadOrder): Promise<LoadReport> {
  const idle: Copier[] = [];
  for (let i = 0; i < CONNECTIONS; i++) idle.push(await Copier.open(port));
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
        const copier = idle.pop() as Copier;
        const at = rate === null ? performance.now() : begun + due * intervalMs;
        const probe = Buffer.from(`${PROBE_KEY}\t0\t${Math.round(origin + at * 1000)}\n`);
        running++;
        copier.copy(Buffer.concat([batches[due++ % DIFFERENT_BATCHES], probe])).then(() => {
          running--;
          rows += ROWS_AT_ONCE;
          acknowledged = performance.now();
          idle.push(copier);
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
  for (const copier of all) copier.close();
  return { rows, seconds: (acknowledged - begun) / 1000 };
}

function textOf(rows: number, batch: number): Buffer {
  let text = '';
  for (let i = 0; i < rows; i++) text += `${((batch * rows + i) * 7919) % KEYS}\t${i}\t0\n`;
  return Buffer.from(text);
}

if (process.argv[1]?.endsWith('latency_load.ts')) {
  process.on('message', async (order) => process.send?.(await run(order as LoadOrder)));
}
