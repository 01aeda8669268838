/** Options that every use of a Kafka cluster has: where it is, how to log in. Names are kafkajs's in snake case. */
import type { KafkaConfig, SASLOptions } from 'kafkajs';
import { badOption, choice, integer, missingOption, SSL_OPTIONS, sslOptions } from '../connector_options.ts';

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
  ...SSL_OPTIONS,
  sasl_mechanism: "'plain', 'scram-sha-256', 'scram-sha-512' or 'oauthbearer'",
  sasl_username: 'user of plain and scram',
  sasl_password: 'password of plain and scram',
  sasl_token: 'token of oauthbearer',
};

export function parseClusterOptions(given: Record<string, string>): ClusterOptions {
  return {
    brokers: brokerList(required(given, 'brokers', CLUSTER_OPTIONS.brokers)),
    clientId: given.client_id ?? 'tidemark',
    ssl: sslOptions(given) ?? undefined,
    sasl: saslOptions(given),
    connectionTimeoutMs: integer(given, 'connection_timeout', 3000, 1, 600_000),
    requestTimeoutMs: integer(given, 'request_timeout', 15_000, 1, 600_000),
  };
}

export function required(given: Record<string, string>, name: string, wanted: string): string {
  const value = given[name];
  if (value === undefined || value.trim() === '') throw missingOption('kafka', name, wanted);
  return value.trim();
}

function brokerList(text: string): string[] {
  return text.split(',').map((part) => {
    const match = /^\s*([^\s:,]+)(?::(\d{1,5}))?\s*$/.exec(part);
    if (match === null) throw badOption('brokers', text, CLUSTER_OPTIONS.brokers);
    return `${match[1]}:${match[2] ?? '9092'}`;
  });
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
