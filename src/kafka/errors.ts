/** Errors of kafkajs and of brokers as errors that a user understands. */
import { SqlError } from '../../operators/errors.ts';
import { errorOfCode } from './client.ts';

/** Error codes of Kafka's protocol that the reader treats by name. */
export const KAFKA = {
  none: 0,
  offsetOutOfRange: 1,
} as const;

/** Newer than kafkajs. */
const NEWER: Record<number, string> = {
  100: 'the topic is not the one that was asked for (UNKNOWN_TOPIC_ID)',
  103: 'the topic is not the one that was asked for (INCONSISTENT_TOPIC_ID)',
};

/** What kafkajs says of a connection that is gone. */
const NOT_CONNECTED = 'Broker not connected';

/** What a broker answers with, as kafkajs would throw it. */
export function protocolError(code: number): Error {
  return NEWER[code] === undefined ? errorOfCode(code) : new Error(NEWER[code]);
}

interface KafkaError {
  name?: string;
  type?: string;
  code?: number | string;
  message?: string;
  cause?: unknown;
  /** host:port that a connection error is about. */
  broker?: string;
  /** Of a KafkaJSAggregateError. */
  errors?: unknown[];
}

const CONNECTION = [
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSLockTimeout',
];

/** What reading an answer ends in that is none of Kafka's. */
const GARBAGE = ['ERR_OUT_OF_RANGE', 'ERR_BUFFER_OUT_OF_BOUNDS'];

/** The error below kafkajs's retry wrappers. */
export function rootCause(error: unknown): KafkaError {
  let e = error as KafkaError;
  const wrappers = ['KafkaJSNumberOfRetriesExceeded', 'KafkaJSNonRetriableError'];
  while (wrappers.includes(e.name ?? '') && e.cause instanceof Error) e = e.cause as KafkaError;
  return (e.errors?.[0] as KafkaError | undefined) ?? e;
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

/** What failed, as an SqlError: 28P01 and 28000 login, 42501 permission, 42P01 and 42602 topic, 08001 connection, 08P01 protocol, else 58000. */
export function kafkaSqlError(error: unknown, brokers: string[], topic: string): SqlError {
  if (error instanceof SqlError) return error;
  const e = rootCause(error);
  const message = e.message ?? String(error);
  if (e.name === 'KafkaJSSASLAuthenticationError') return new SqlError('28P01', `Kafka refused the login: ${message}`);
  if (String(e.type).endsWith('AUTHORIZATION_FAILED')) {
    return new SqlError('42501', `permission denied for Kafka topic "${topic}": ${message}`);
  }
  if (e.type === 'INVALID_TOPIC_EXCEPTION') {
    return new SqlError('42602', `"${topic}" is no name for a Kafka topic`, {
      hint: 'It may have letters and digits of ASCII, ".", "_" and "-", up to 249.',
    });
  }
  if (isUnknownTopic(e)) {
    return new SqlError('42P01', `Kafka topic "${topic}" does not exist`, { hint: `Looked at ${brokers.join(', ')}.` });
  }
  const where = brokers.join(', ');
  if (e.type === 'ILLEGAL_SASL_STATE') {
    return new SqlError('28000', `Kafka at ${where} takes no login: the SASL options are for another listener of it`);
  }
  if (GARBAGE.includes(String(e.code))) {
    return new SqlError('08P01', `what answers at ${where} does not speak Kafka's protocol: ${message}`);
  }
  if (!CONNECTION.includes(e.name ?? '') && message !== NOT_CONNECTED) {
    return new SqlError('58000', `Kafka: ${message}`, { hint: `Looked at ${where}.` });
  }
  if (e.broker !== undefined && !brokers.includes(e.broker)) {
    return new SqlError(
      '08001',
      `could not connect to Kafka at ${e.broker}, which the broker at ${where} names as its address: ${message}`,
      {
        hint: "The broker's advertised.listeners must name an address that can be reached from here.",
      },
    );
  }
  const closed = e.name === 'KafkaJSConnectionClosedError';
  return new SqlError('08001', `could not connect to Kafka at ${where}: ${message}`, {
    hint: closed
      ? 'A listener that wants TLS or a login closes connections that come without.'
      : 'The option "brokers" must name an address that can be reached from this server: host:port, ...',
  });
}
