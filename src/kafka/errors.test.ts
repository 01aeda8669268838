import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaSqlError } from './errors.ts';

function connectionError(broker: string): Error {
  return Object.assign(new Error('getaddrinfo ENOTFOUND'), { name: 'KafkaJSConnectionError', broker });
}

test('what is wrong is named: topics that cannot be made, listeners of another kind, servers that are no brokers', () => {
  const of = (error: object) => {
    const { sqlstate, message, fields } = kafkaSqlError(Object.assign(new Error('why'), error), ['h:1'], 't');
    return [sqlstate, message, fields.hint];
  };
  const one = Object.assign(new Error('Replication-factor is invalid'), { name: 'KafkaJSCreateTopicError' });
  assert.deepEqual(of({ name: 'KafkaJSAggregateError', errors: [one] }), [
    '58000',
    'Kafka: Replication-factor is invalid',
    'Looked at h:1.',
  ]);
  assert.deepEqual(of({ type: 'INVALID_TOPIC_EXCEPTION' }).slice(0, 2), ['42602', '"t" is no name for a Kafka topic']);
  assert.deepEqual(of({ type: 'ILLEGAL_SASL_STATE' })[0], '28000');
  assert.deepEqual(of({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }).slice(0, 2), [
    '08P01',
    "what answers at h:1 does not speak Kafka's protocol: why",
  ]);
  assert.deepEqual(of({ message: 'Broker not connected' })[0], '08001');
  assert.match(of({ name: 'KafkaJSConnectionClosedError' })[2] ?? '', /TLS or a login/);
});

test('an address that only the broker knows is named, with what to do about it', () => {
  const direct = kafkaSqlError(connectionError('localhost:9092'), ['localhost:9092'], 't');
  assert.equal(direct.sqlstate, '08001');
  assert.equal(direct.message, 'could not connect to Kafka at localhost:9092: getaddrinfo ENOTFOUND');
  assert.match(direct.fields.hint ?? '', /"brokers" must name an address/);
  const advertised = kafkaSqlError(connectionError('kafka:29092'), ['localhost:9092'], 't');
  assert.equal(advertised.sqlstate, '08001');
  assert.match(advertised.message, /Kafka at kafka:29092, which the broker at localhost:9092 names as its address/);
  assert.match(advertised.fields.hint ?? '', /advertised\.listeners/);
});
