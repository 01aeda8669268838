/**
 * A real Kafka broker for tests: one KRaft node on free ports of 127.0.0.1 with a fresh log folder in the temp folder.
 *
 *   const broker = await startBroker();   ...   await broker.stop();
 *
 * KAFKA_BROKERS=host:port,... uses a running cluster instead; then restarting and passwords can't be tested.
 * Without java or mvn, `kafkaSkip()` gives the reason to skip with; under CI=true it gives false, so the test runs and fails.
 * Costs about 4 s a start on two cores and 300 MB. The server dies with this process however that ends: a guard process
 * holds a pipe to it and kills the server, by pid, when the pipe closes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { type KafkaJars, kafkaJars, type ServerLayout, serverProperties } from './jars.ts';

const START_MS = 60_000;
const STOP_MS = 20_000;

export interface Broker {
  /** host:port, comma separated. */
  brokers: string;
  /** The listener that wants SASL PLAIN (user in jars.ts), null for a cluster from KAFKA_BROKERS. */
  saslBrokers: string | null;
  /** The port of the listener whose clients are sent to a proxy; null when no proxy was named. */
  proxiedPort: number | null;
  /** False for a cluster from KAFKA_BROKERS: halt, restart and kill throw. */
  ours: boolean;
  /** Stops the server and keeps its log folder; `start` brings it back on the same ports. */
  halt(): Promise<void>;
  /** Ends the server without a shutdown. */
  kill(): Promise<void>;
  start(): Promise<void>;
  restart(): Promise<void>;
  /** Stops the server and removes its log folder. */
  stop(): Promise<void>;
}

/** One line that says why no broker can be started, or null. Resolves the jars on first use. */
export function kafkaUnavailable(): string | null {
  if (process.env.KAFKA_BROKERS) return null;
  const jars = kafkaJars();
  return typeof jars === 'string' ? jars : null;
}

/** For `test(name, { skip: kafkaSkip() }, ...)`. */
export function kafkaSkip(): string | false {
  return process.env.CI === 'true' ? false : (kafkaUnavailable() ?? false);
}

/** Starts a broker; `settings` are lines of server.properties. One listener more names `proxyPort` as its address. Throws with the end of the server's log when it does not come up. */
export async function startBroker(settings: Record<string, string> = {}, proxyPort?: number): Promise<Broker> {
  if (process.env.KAFKA_BROKERS) return runningCluster(process.env.KAFKA_BROKERS);
  const jars = kafkaJars();
  if (typeof jars === 'string') throw new Error(jars);
  const server = new LocalServer(jars, await freePorts(4), settings, proxyPort);
  await server.start();
  return server;
}

function runningCluster(brokers: string): Broker {
  const refuse = () => Promise.reject(new Error('the cluster of KAFKA_BROKERS is not ours to stop'));
  return {
    brokers,
    saslBrokers: null,
    proxiedPort: null,
    ours: false,
    halt: refuse,
    kill: refuse,
    start: refuse,
    restart: refuse,
    stop: () => Promise.resolve(),
  };
}

class LocalServer implements Broker {
  readonly brokers: string;
  readonly saslBrokers: string;
  readonly proxiedPort: number | null;
  readonly ours = true;
  readonly #jars: KafkaJars;
  readonly #folder: string;
  #server: ChildProcess | null = null;
  #guard: ChildProcess | null = null;

  constructor(jars: KafkaJars, ports: number[], settings: Record<string, string>, proxyPort?: number) {
    this.#jars = jars;
    this.#folder = mkdtempSync(join(tmpdir(), 'tidemark-kafka-'));
    const logDir = join(this.#folder, 'data');
    cpSync(jars.formatted, logDir, { recursive: true });
    const proxied = proxyPort === undefined ? null : { port: ports[3], proxyPort };
    const layout: ServerLayout = { port: ports[0], controllerPort: ports[1], saslPort: ports[2], logDir, proxied };
    this.proxiedPort = proxied?.port ?? null;
    writeFileSync(join(this.#folder, 'server.properties'), serverProperties(layout, settings));
    this.brokers = `127.0.0.1:${ports[0]}`;
    this.saslBrokers = `127.0.0.1:${ports[2]}`;
  }

  async start(): Promise<void> {
    const log = openSync(join(this.#folder, 'server.log'), 'a');
    const flags = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true'];
    const run = ['-cp', this.#jars.classPath, 'kafka.Kafka', join(this.#folder, 'server.properties')];
    const server = spawn('java', [...flags, ...run], { stdio: ['ignore', log, log], cwd: this.#folder });
    closeSync(log);
    server.unref();
    this.#server = server;
    const guard = spawn('sh', ['-c', `cat > /dev/null; kill -9 ${server.pid}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guard.unref();
    (guard.stdin as Socket).unref();
    this.#guard = guard;
    await this.#waitUntilUp(server);
  }

  async #waitUntilUp(server: ChildProcess): Promise<void> {
    const until = Date.now() + START_MS;
    for (;;) {
      if (server.exitCode !== null || server.signalCode !== null)
        throw new Error(`the broker ended at start:\n${this.#logTail()}`);
      if (await answers(this.brokers)) return;
      if (Date.now() > until) {
        await this.kill();
        throw new Error(`the broker does not answer after ${START_MS / 1000} s:\n${this.#logTail()}`);
      }
      await sleep(100);
    }
  }

  #logTail(): string {
    return readFileSync(join(this.#folder, 'server.log'), 'utf8').slice(-2000);
  }

  halt(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server;
    const guard = this.#guard;
    this.#server = null;
    this.#guard = null;
    if (server !== null && server.exitCode === null && server.signalCode === null) {
      server.ref();
      const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
      const force = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
      server.kill(signal);
      await ended;
      clearTimeout(force);
    }
    guard?.kill('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.halt();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** True when the node answers a metadata request and leads: topics can be created. */
async function answers(brokers: string): Promise<boolean> {
  const client = new Kafka({
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    connectionTimeout: 500,
  });
  const admin = client.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    ports.push(address.port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
