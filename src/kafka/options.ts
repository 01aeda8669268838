/** Options that every use of a Kafka cluster has: where it is, how to log in. Names are kafkajs's in snake case. */
import type { KafkaConfig, SASLOptions } from 'kafkajs';
import { SqlError } from '../../operators/errors.ts';
import { badOption, choice, integer, pem } from '../connector_options.ts';

export interface ClusterOptions {
  brokers: string[];
  clientId: string;
  ssl: KafkaConfig['ssl'];
  sasl: SASLOptions | undefined;
  connectionTimeoutMs: number;
  requestTimeoutMs: number;
}

export const CLUSTER_OPTIONS: Record<string, string> = {
  brokers: "'host:port,...'",
  client_id: "name shown to the brokers (default 'tidemark')",
  connection_timeout: 'milliseconds to connect (default 3000)',
  request_timeout: 'milliseconds for an answer (default 15000)',
  ssl: "'true' or 'false'; true when another ssl option is given",
  ssl_ca: 'certificate of the authority: PEM text or a file name',
  ssl_cert: 'client certificate: PEM text or a file name',
  ssl_key: 'client key: PEM text or a file name',
  ssl_passphrase: 'passphrase of the client key',
  ssl_servername: 'server name to check and to send',
  ssl_reject_unauthorized: "'false' takes any server certificate (default 'true')",
  sasl_mechanism: "'plain', 'scram-sha-256', 'scram-sha-512' or 'oauthbearer'",
  sasl_username: 'user of plain and scram',
  sasl_password: 'password of plain and scram',
  sasl_token: 'token of oauthbearer',
};

export function parseClusterOptions(given: Record<string, string>): ClusterOptions {
  return {
    brokers: brokerList(required(given, 'brokers', CLUSTER_OPTIONS.brokers)),
    clientId: given.client_id ?? 'tidemark',
    ssl: sslOptions(given),
    sasl: saslOptions(given),
    connectionTimeoutMs: integer(given, 'connection_timeout', 3000, 1, 600_000),
    requestTimeoutMs: integer(given, 'request_timeout', 15_000, 1, 600_000),
  };
}

export function required(given: Record<string, string>, name: string, wanted: string): string {
  const value = given[name];
  if (value === undefined || value.trim() === '') throw missingOption(name, wanted);
  return value.trim();
}

export function missingOption(name: string, wanted: string): SqlError {
  return new SqlError('22023', `connector "kafka" needs the option "${name}"`, { hint: `It must be ${wanted}.` });
}

function brokerList(text: string): string[] {
  return text.split(',').map((part) => {
    const match = /^\s*([^\s:,]+)(?::(\d{1,5}))?\s*$/.exec(part);
    if (match === null) throw badOption('brokers', text, CLUSTER_OPTIONS.brokers);
    return `${match[1]}:${match[2] ?? '9092'}`;
  });
}

function sslOptions(given: Record<string, string>): KafkaConfig['ssl'] {
  const any = Object.keys(given).some((name) => name.startsWith('ssl_'));
  if (choice(given, 'ssl', any ? 'true' : 'false', ['true', 'false']) === 'false') return undefined;
  return {
    ca: pem(given, 'ssl_ca'),
    cert: pem(given, 'ssl_cert'),
    key: pem(given, 'ssl_key'),
    passphrase: given.ssl_passphrase,
    ...(given.ssl_servername === undefined ? {} : { servername: given.ssl_servername }),
    rejectUnauthorized: choice(given, 'ssl_reject_unauthorized', 'true', ['true', 'false']) === 'true',
  };
}

function saslOptions(given: Record<string, string>): SASLOptions | undefined {
  if (given.sasl_mechanism === undefined) {
    const stray = ['sasl_username', 'sasl_password', 'sasl_token'].find((name) => name in given);
    if (stray !== undefined) throw badOption('sasl_mechanism', '', `given when "${stray}" is`);
    return undefined;
  }
  const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const;
  const mechanism = choice(given, 'sasl_mechanism', 'plain', mechanisms);
  if (mechanism === 'oauthbearer') {
    const value = required(given, 'sasl_token', CLUSTER_OPTIONS.sasl_token);
    return { mechanism, oauthBearerProvider: () => Promise.resolve({ value }) };
  }
  const username = required(given, 'sasl_username', CLUSTER_OPTIONS.sasl_username);
  return { mechanism, username, password: given.sasl_password ?? '' } as SASLOptions;
}
