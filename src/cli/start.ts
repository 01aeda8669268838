/** `tidemark start`: the server until a signal ends it. */
import { budget } from '../../operators/batch/budget.ts';
import type { StartedWorker } from '../io/start_worker.ts';
import type { ServerOptions } from './arguments.ts';
import { tuneCollector } from './collector.ts';
import { memoryLimit } from './memory_limit.ts';
import { readPassword } from './password.ts';
import { type Log, readInit, runServer, stderrLog, untilSignal } from './server.ts';
import { openTls, type TlsFiles } from './tls.ts';

const DEFAULT_DATA = './tidemark-data';

export async function start(options: ServerOptions, version: string, worker: StartedWorker): Promise<void> {
  const log = stderrLog(options.logLevel);
  budget.limit = memoryLimit(options.memoryLimit);
  const init = options.init.map(readInit);
  const tls = openTls(options, log);
  outliveTerminal(log, tls);
  const server = await runServer({
    host: options.host,
    port: options.port,
    version,
    init,
    log,
    threads: 2,
    worker,
    tls,
    metrics: options.metrics,
    http: options.http,
    data: options.data ?? DEFAULT_DATA,
    auth: options.auth,
    password: options.passwordFile === null ? undefined : readPassword(options.passwordFile),
  });
  tuneCollector();
  log('info', `tidemark ${version} listens on ${server.postgres.address}:${server.postgres.port}`);
  process.stderr.write(`Connect: psql -h ${server.postgres.address} -p ${server.postgres.port}\n`);
  const signal = await untilSignal(server);
  log('info', `${signal}: closing`);
  await server.close();
  log('info', 'closed');
}

/** The end of a login, or of whoever reads the log, is not the server's. Node takes back that nohup lets SIGHUP be ignored. */
function outliveTerminal(log: Log, tls: TlsFiles | null): void {
  if (tls === null) process.on('SIGHUP', () => log('info', 'SIGHUP: there is nothing to read again'));
  // There is nowhere left to say it.
  process.stderr.on('error', () => undefined);
}
