/**
 * How long from a row's being sent to its being seen: a server as its own process with a data directory, everything over the wire.
 *
 *   load generator (a process of its own)   COPY of 100 rows a time into a stream, over 64 connections, one of the rows a probe: its time of sending inside
 *   here                                    SUBSCRIBE to a view of the newest probe; SELECT from it every millisecond
 *
 * First the load generator sends as fast as it is answered: the maximum rate. Then at half of it, with checkpoints taken one after another, twice: the first time
 * is mostly that of compiling what clients, checkpoints and polls need. A probe's time is when its batch was due, so a server that stalls the generator is not let off. Then, with nothing else going on, one row at a time by INSERT; at last the same while
 * another client reads a million rows.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { LoadOrder, LoadReport } from './latency_load.ts';
import { nowMicros, PROBE_KEY } from './latency_load.ts';
import { startServerProcess } from './server_process.ts';
import { median, quantile, Table } from './table.ts';

const SCHEMA = `
  CREATE STREAM events (k INT, v BIGINT, sent BIGINT);
  CREATE MATERIALIZED VIEW per_key AS SELECT k, count(*) AS n, sum(v) AS total, max(v) AS highest FROM events GROUP BY k;
  CREATE MATERIALIZED VIEW newest AS SELECT max(sent) AS sent FROM events WHERE k = ${PROBE_KEY};`;

const POLL_MS = 1;
const IDLE_ROWS = 200;
const LARGE_ROWS = 1_000_000;
const IDLE_PAUSE_MS = 5;

export async function latencyBench(options: { seconds: number; json: boolean }): Promise<void> {
  const server = await startServerProcess();
  const clients: pg.Client[] = [];
  const load = new Load();
  try {
    const connect = async () => {
      const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'bench', database: 'postgres' });
      await client.connect();
      clients.push(client);
      return client;
    };
    const setup = await connect();
    await setup.query(SCHEMA);
    // Code is warm and the state has its keys before anything is measured.
    await load.run({ port: server.port, seconds: options.seconds, rate: null });
    const { rows, seconds } = await load.run({ port: server.port, seconds: options.seconds, rate: null });
    const most = rows / seconds;
    const subscriber = new Subscriber(await connect());
    await subscriber.started;
    const table = new Table(options.json);
    const add = (what: string, ms: number[], during?: { rowsPerSecond: number; checkpoints: number }) =>
      table.add({
        latency: what.padEnd(37),
        rowsPerSecond: during?.rowsPerSecond ?? 0,
        maximum: Math.round(most),
        checkpoints: during?.checkpoints ?? 0,
        probes: ms.length,
        p50Ms: median(ms),
        p90Ms: quantile(ms, 0.9),
        p99Ms: quantile(ms, 0.99),
        maxMs: Math.max(...ms),
      });
    // The first time has all the code of rows to clients, checkpoints and polls to be compiled, under load: half a second of it is late.
    for (const what of ['first time at half', 'half of the maximum']) {
      const poller = new Poller(await connect());
      const checkpoints = new Checkpoints(await connect());
      const half = await load.run({ port: server.port, seconds: options.seconds * 2, rate: most / 2 });
      const during = {
        rowsPerSecond: Math.round(half.rows / half.seconds),
        checkpoints: await checkpoints.stop(),
      };
      add(`${what}: to a SUBSCRIBE`, subscriber.take(), during);
      add(`${what}: to a SELECT`, await poller.stop(), during);
    }
    const idle = new Poller(await connect());
    const acknowledged = await oneByOne(setup, subscriber);
    add('idle, one row: to a SUBSCRIBE', subscriber.take());
    add('idle, one row: to a SELECT', await idle.stop());
    add('idle, one row: durable, then a SELECT', acknowledged);
    const { ticks, subscribed } = await besideLargeResult(setup, subscriber, server.port);
    add('large result read: to a SUBSCRIBE', subscribed);
    add('large result read: a tick', ticks);
  } finally {
    load.end();
    for (const client of clients) client.removeAllListeners('error').on('error', () => undefined);
    await server.close();
  }
}

/** The load generator: one process for all of a run, so that its code is as warm as the server's is when something is measured. */
class Load {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./latency_load.ts', import.meta.url)));

  /** Without a rate as fast as it is answered. */
  run(order: LoadOrder): Promise<LoadReport> {
    return new Promise((resolve, reject) => {
      const closed = (code: number | null) => reject(new Error(`the load generator ended with ${code}`));
      this.#child.once('close', closed);
      this.#child.once('message', (report) => {
        this.#child.off('close', closed);
        resolve(report as LoadReport);
      });
      this.#child.send(order);
    });
  }

  end(): void {
    this.#child.disconnect();
  }
}

/** Times of probes as a subscription shows them. */
class Subscriber {
  readonly started: Promise<void>;
  #ms: number[] = [];

  constructor(client: pg.Client) {
    const query = new pg.Query('SUBSCRIBE newest');
    this.started = new Promise((resolve) => {
      query.on('row', (row: { diff: string; sent: string | null }) => {
        if (row.diff === '1' && row.sent !== null) this.#ms.push((nowMicros() - Number(row.sent)) / 1000);
        resolve();
      });
    });
    // It ends with the server.
    query.on('error', () => undefined);
    client.query(query);
    this.started.then(() => this.take());
  }

  take(): number[] {
    const ms = this.#ms;
    this.#ms = [];
    return ms;
  }
}

/** Times of probes as a client sees them that asks every POLL_MS. Probes that a later one overtook are not seen. */
class Poller {
  readonly #done: Promise<void>;
  readonly #ms: number[] = [];
  #stopped = false;

  constructor(client: pg.Client) {
    this.#done = this.#run(client);
  }

  async #run(client: pg.Client): Promise<void> {
    let last: string | null = null;
    for (let first = true; !this.#stopped; first = false) {
      const { rows } = await client.query({ name: 'newest', text: 'SELECT sent FROM newest' });
      const sent: string | null = rows[0]?.sent ?? null;
      if (sent !== null && sent !== last && !first) this.#ms.push((nowMicros() - Number(sent)) / 1000);
      last = sent;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async stop(): Promise<number[]> {
    this.#stopped = true;
    await this.#done;
    return this.#ms;
  }
}

/** Takes checkpoints one after another. */
class Checkpoints {
  readonly #done: Promise<void>;
  #taken = 0;
  #stopped = false;

  constructor(client: pg.Client) {
    this.#done = this.#run(client);
  }

  async #run(client: pg.Client): Promise<void> {
    while (!this.#stopped) {
      await client.query('CHECKPOINT');
      this.#taken++;
    }
  }

  async stop(): Promise<number> {
    this.#stopped = true;
    await this.#done;
    return this.#taken;
  }
}

/**
 * Rows one at a time, while another client reads a result of LARGE_ROWS rows. `ticks`: how long each INSERT took, which waits for its tick and for no disk.
 */
async function besideLargeResult(
  client: pg.Client,
  subscriber: Subscriber,
  port: number,
): Promise<{ ticks: number[]; subscribed: number[] }> {
  const ticks: number[] = [];
  await client.query('CREATE TABLE large (a bigint, b text, c numeric(12,2), d timestamptz)');
  await client.query(
    `INSERT INTO large SELECT g, 'text of row ' || g, (g % 100000)::numeric / 100, '2026-01-01'::timestamptz + g * interval '1 second' FROM generate_series(1, ${LARGE_ROWS}) g`,
  );
  const other = new pg.Client({ host: '127.0.0.1', port, user: 'bench', database: 'postgres' });
  await other.connect();
  await other.query('SET synchronous_commit = off');
  subscriber.take();
  for (let reads = 0; reads < 3; reads++) {
    let reading = true;
    const reader = spawn(
      'psql',
      [
        '-h',
        '127.0.0.1',
        '-p',
        String(port),
        '-U',
        'bench',
        '-c',
        'COPY large TO STDOUT',
        '-o',
        '/dev/null',
        'postgres',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const ended = new Promise((resolve) => reader.once('close', resolve)).then(() => {
      reading = false;
    });
    while (reading) {
      const sent = nowMicros();
      await other.query(`INSERT INTO events VALUES (${PROBE_KEY}, 0, $1)`, [sent]);
      ticks.push((nowMicros() - sent) / 1000);
      await new Promise((resolve) => setTimeout(resolve, IDLE_PAUSE_MS));
    }
    await ended;
  }
  await other.end();
  return { ticks, subscribed: subscriber.take() };
}

/** From before the INSERT to after the SELECT that follows its acknowledgement. */
async function oneByOne(client: pg.Client, subscriber: Subscriber): Promise<number[]> {
  const ms: number[] = [];
  const insert = { name: 'insert', text: `INSERT INTO events VALUES (${PROBE_KEY}, 0, $1)` };
  for (let i = -IDLE_ROWS / 4; i < IDLE_ROWS; i++) {
    // The first ones warm up.
    if (i === 0) subscriber.take();
    const sent = nowMicros();
    await client.query({ ...insert, values: [sent] });
    const { rows } = await client.query({ name: 'newest', text: 'SELECT sent FROM newest' });
    if (Number(rows[0].sent) !== sent)
      throw new Error(`row ${sent} was acknowledged, and a SELECT shows ${rows[0].sent}`);
    if (i >= 0) ms.push((nowMicros() - sent) / 1000);
    await new Promise((resolve) => setTimeout(resolve, IDLE_PAUSE_MS));
  }
  return ms;
}
