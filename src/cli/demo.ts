/** `tidemark demo`: a server with the Nexmark auction generator and some views, and one line that shows them live. */
import { budget } from '../../operators/batch/budget.ts';
import type { StartedWorker } from '../io/start_worker.ts';
import type { ServerOptions } from './arguments.ts';
import { tuneCollector } from './collector.ts';
import { memoryLimit } from './memory_limit.ts';
import { type RunningServer, runServer, stderrLog, untilSignal } from './server.ts';
import { openTls } from './tls.ts';

const EVENTS_PER_SECOND = 10_000;

const stream = (table: string, columns: string) =>
  `CREATE STREAM ${table} (${columns}, WATERMARK FOR date_time AS date_time - INTERVAL '4 seconds')
     WITH (connector = 'nexmark', table = '${table}', events_per_second = '${EVENTS_PER_SECOND}');`;

export const DEMO_SQL = `
${stream('person', 'id BIGINT, name TEXT, email_address TEXT, credit_card TEXT, city TEXT, state TEXT, date_time TIMESTAMP, extra TEXT')}
${stream('auction', 'id BIGINT, item_name TEXT, description TEXT, initial_bid BIGINT, reserve BIGINT, date_time TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra TEXT')}
${stream('bid', 'auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT')}
CREATE MATERIALIZED VIEW bids_per_channel AS
  SELECT channel, count(*) AS bids, max(price) AS highest, avg(price)::numeric(12,2) AS average FROM bid GROUP BY channel;
CREATE MATERIALIZED VIEW new_sellers AS
  SELECT p.name, p.city, p.state, a.id FROM auction a JOIN person p ON a.seller = p.id
  WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA');
CREATE MATERIALIZED VIEW category_prices AS
  SELECT q.category, avg(q.final)::numeric(14,2) AS average FROM (
    SELECT max(b.price) AS final, a.category FROM auction a, bid b
    WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires GROUP BY a.id, a.category) q
  GROUP BY q.category;
CREATE MATERIALIZED VIEW bids_per_window AS
  SELECT window_start, count(*) AS bids, sum(price) AS volume FROM TUMBLE(bid, date_time, INTERVAL '1' SECOND)
  GROUP BY window_start;
`;

const REFRESH_MS = 500;

export async function demo(options: ServerOptions, version: string, worker: StartedWorker): Promise<void> {
  budget.limit = memoryLimit(options.memoryLimit);
  const log = stderrLog(options.logLevel === 'info' ? 'warn' : options.logLevel);
  const server = await openServer(options, version, log, worker);
  tuneCollector();
  const { address, port } = server.postgres;
  process.stdout.write(
    `tidemark ${version}: a live auction, ${EVENTS_PER_SECOND.toLocaleString('en')} events a second.\n` +
      `In another terminal:  psql -h ${address} -p ${port}\n` +
      '  then, for example:  SELECT * FROM category_prices;   \\watch 1   or   COPY (SUBSCRIBE bids_per_window) TO STDOUT;\n' +
      'Ctrl-C ends it.\n\n',
  );
  const line = liveLine(server);
  await untilSignal(server);
  line.stop();
  process.stdout.write('closing ...\n');
  await server.close();
}

/** The default port may be in use by another demo: then any free one will do. */
async function openServer(
  options: ServerOptions,
  version: string,
  log: ReturnType<typeof stderrLog>,
  worker: StartedWorker,
): Promise<RunningServer> {
  const tls = openTls(options, log);
  const settings = {
    host: options.host,
    version,
    log,
    init: [{ name: 'demo', text: DEMO_SQL }],
    data: options.data,
    threads: 2 as const,
    tls,
    metrics: options.metrics,
    http: options.http,
  };
  try {
    return await runServer({ ...settings, port: options.port, worker });
  } catch (error) {
    if (options.portGiven || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return runServer({ ...settings, port: 0 });
  }
}

function liveLine(server: RunningServer): { stop(): void } {
  const terminal = process.stdout.isTTY === true;
  let before = totalRows(server);
  let at = performance.now();
  const show = () => {
    const now = performance.now();
    const rows = totalRows(server);
    const rate = Number(rows - before) / ((now - at) / 1000);
    before = rows;
    at = now;
    const windows = server.engine.catalog.find(undefined, 'bids_per_window');
    const shown = windows === undefined ? 0 : (server.engine.loop.relations.get(windows.oid)?.rows ?? 0);
    const text = `${Math.round(rate).toLocaleString('en').padStart(9)} events/s   tick p50 ${tickMs(server, 0.5)} ms  p99 ${tickMs(server, 0.99)} ms   tick ${server.engine.loop.tick}   bids_per_window ${shown} rows`;
    if (terminal) process.stdout.write(`\r\u001b[K\u001b[36m${text}\u001b[0m`);
    else process.stdout.write(`${text}\n`);
  };
  const timer = setInterval(show, terminal ? REFRESH_MS : REFRESH_MS * 4);
  return {
    stop() {
      clearInterval(timer);
      if (terminal) process.stdout.write('\n');
    },
  };
}

function totalRows(server: RunningServer): bigint {
  let rows = 0n;
  for (const stream of server.engine.streams.values()) rows += stream.statistics.rows;
  return rows;
}

function tickMs(server: RunningServer, quantile: number): string {
  const sorted = [...server.engine.tickTimes.recent].slice(-200).sort((a, b) => a - b);
  if (sorted.length === 0) return '-';
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))].toFixed(2);
}
