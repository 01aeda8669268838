/** Errors of kafkajs and of brokers as errors that a user understands. */
import { createRequire } from 'node:module';
import { SqlError } from '../../operators/errors.ts';

/** Error codes of Kafka's protocol that the reader treats by name. */
export const KAFKA = {
  none: 0,
  offsetOutOfRange: 1,
} as const;

const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error') as {
  createErrorFromCode(code: number): Error;
};

/** Newer than kafkajs. */
const NEWER: Record<number, string> = {
  100: 'the topic is not the one that was asked for (UNKNOWN_TOPIC_ID)',
  103: 'the topic is not the one that was asked for (INCONSISTENT_TOPIC_ID)',
};

/** What a broker answers with, as kafkajs would throw it. */
export function protocolError(code: number): Error {
  return NEWER[code] === undefined ? createErrorFromCode(code) : new Error(NEWER[code]);
}

interface KafkaError {
  name?: string;
  type?: string;
  code?: number | string;
  message?: string;
  cause?: unknown;
  /** host:port that a connection error is about. */
  broker?: string;
}

/** The error below kafkajs's retry wrappers. */
export function rootCause(error: unknown): KafkaError {
  let e = error as KafkaError;
  const wrappers = ['KafkaJSNumberOfRetriesExceeded', 'KafkaJSNonRetriableError'];
  while (wrappers.includes(e.name ?? '') && e.cause instanceof Error) e = e.cause as KafkaError;
  return e;
}

export function isUnknownTopic(error: unknown): boolean {
  const { type } = rootCause(error);
  return type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'INVALID_TOPIC_EXCEPTION';
}

/** Of a topic that was just made: not every broker knows of it, or it has no leaders yet. */
export function isNotReady(error: unknown): boolean {
  return isUnknownTopic(error) || rootCause(error).type === 'LEADER_NOT_AVAILABLE';
}

export function isDenied(error: unknown): boolean {
  const e = rootCause(error);
  return e.name === 'KafkaJSSASLAuthenticationError' || String(e.type).endsWith('AUTHORIZATION_FAILED');
}

/** What failed, as an SqlError: 28P01 login, 42501 permission, 42P01 topic, 08001 connection, else 58000. */
export function kafkaSqlError(error: unknown, brokers: string[], topic: string): SqlError {
  if (error instanceof SqlError) return error;
  const e = rootCause(error);
  const message = e.message ?? String(error);
  if (e.name === 'KafkaJSSASLAuthenticationError') return new SqlError('28P01', `Kafka refused the login: ${message}`);
  if (String(e.type).endsWith('AUTHORIZATION_FAILED')) {
    return new SqlError('42501', `permission denied for Kafka topic "${topic}": ${message}`);
  }
  if (isUnknownTopic(e)) {
    return new SqlError('42P01', `Kafka topic "${topic}" does not exist`, { hint: `Looked at ${brokers.join(', ')}.` });
  }
  const connection = [
    'KafkaJSConnectionError',
    'KafkaJSConnectionClosedError',
    'KafkaJSRequestTimeoutError',
    'KafkaJSBrokerNotFound',
  ];
  if (connection.includes(e.name ?? '')) {
    const where = brokers.join(', ');
    if (e.broker === undefined || brokers.includes(e.broker)) {
      return new SqlError('08001', `could not connect to Kafka at ${where}: ${message}`);
    }
    return new SqlError(
      '08001',
      `could not connect to Kafka at ${e.broker}, which the broker at ${where} names as its address: ${message}`,
      {
        hint: "The broker's advertised.listeners must name an address that can be reached from here.",
      },
    );
  }
  return new SqlError('58000', `Kafka: ${message}`);
}
