/**
 * The jars of a real Kafka server, resolved by Maven from pom.xml once and kept under .kafka/ (named by the pom's hash), with a
 * formatted, empty log folder beside them that every test broker starts from a copy of (formatting costs a JVM start).
 *
 * The first call may take a minute on an empty Maven cache; later calls cost nothing. Two processes may race: each works in a
 * folder of its own and the first rename wins.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '..', '..');
const POM = join(HERE, 'pom.xml');
const RESOLVE_MS = 300_000;
const FORMAT_MS = 60_000;
const CLUSTER_ID = 'dGlkZW1hcmstdGVzdC1rYQ';

export interface KafkaJars {
  /** Class path for java -cp. */
  classPath: string;
  /** A formatted log folder to copy. */
  formatted: string;
}

let known: KafkaJars | string | undefined;

/** The jars, or one line that says why there are none. */
export function kafkaJars(): KafkaJars | string {
  known ??= resolve();
  return known;
}

function resolve(): KafkaJars | string {
  const cache = join(ROOT, '.kafka', createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12));
  if (spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0) return 'no Kafka: java is not installed';
  if (!existsSync(cache)) {
    const work = `${cache}.${process.pid}`;
    mkdirSync(work, { recursive: true });
    try {
      const why = fill(work);
      if (why !== null) return why;
      if (!existsSync(cache)) renameSync(work, cache);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return { classPath: join(cache, 'libs', '*'), formatted: join(cache, 'data') };
}

function fill(work: string): string | null {
  const libs = join(work, 'libs');
  const arguments_ = ['-B', '-q', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`];
  const maven = spawnSync('mvn', arguments_, { encoding: 'utf8', timeout: RESOLVE_MS });
  if (maven.error !== undefined) return `no Kafka: mvn can't be run (${maven.error.message})`;
  if (maven.status !== 0)
    return `no Kafka: mvn could not resolve the server's jars: ${firstError(maven.stdout + maven.stderr)}`;

  const properties = join(work, 'format.properties');
  writeFileSync(properties, serverProperties({ port: 1, controllerPort: 2, saslPort: 3, logDir: join(work, 'data') }));
  const format = ['-cp', join(libs, '*'), 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties];
  const formatted = spawnSync('java', format, { encoding: 'utf8', timeout: FORMAT_MS });
  if (formatted.status !== 0)
    return `no Kafka: the log folder can't be formatted: ${firstError(formatted.stdout + formatted.stderr)}`;
  return null;
}

function firstError(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => line.includes('ERROR')) ?? lines[0] ?? 'no output';
}

export interface ServerLayout {
  port: number;
  controllerPort: number;
  saslPort: number;
  logDir: string;
  /** A listener that tells its clients to come to another port. */
  proxied?: { port: number; proxyPort: number } | null;
}

/** The one user of the SASL listener. */
export const SASL_USER = { username: 'alice', password: 'alice-secret' };

/** A one-node KRaft server: PLAINTEXT for most tests, SASL_PLAINTEXT (mechanism PLAIN) for those about passwords. */
export function serverProperties(layout: ServerLayout, extra: Record<string, string> = {}): string {
  const { port, controllerPort, saslPort, logDir, proxied } = layout;
  const more = (at: 'port' | 'proxyPort') => (proxied ? `,PROXIED://127.0.0.1:${proxied[at]}` : '');
  const jaas = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${SASL_USER.username}="${SASL_USER.password}";`;
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},SASL_PLAINTEXT://127.0.0.1:${saslPort},CONTROLLER://127.0.0.1:${controllerPort}${more('port')}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},SASL_PLAINTEXT://127.0.0.1:${saslPort}${more('proxyPort')}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,PROXIED:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.sasl_plaintext.plain.sasl.jaas.config': jaas,
    'log.dirs': logDir,
    'num.partitions': '1',
    'auto.create.topics.enable': 'false',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.backoff.ms': '500',
    'log.retention.check.interval.ms': '500',
    'log.initial.task.delay.ms': '500',
    'broker.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '200',
    'num.network.threads': '1',
    'num.io.threads': '2',
    'controlled.shutdown.enable': 'false',
    ...extra,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
