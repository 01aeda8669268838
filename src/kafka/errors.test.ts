import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaSqlError } from './errors.ts';

function connectionError(broker: string): Error {
  return Object.assign(new Error('getaddrinfo ENOTFOUND'), { name: 'KafkaJSConnectionError', broker });
}

test('an address that only the broker knows is named, with what to do about it', () => {
  const direct = kafkaSqlError(connectionError('localhost:9092'), ['localhost:9092'], 't');
  assert.equal(direct.sqlstate, '08001');
  assert.equal(direct.message, 'could not connect to Kafka at localhost:9092: getaddrinfo ENOTFOUND');
  const advertised = kafkaSqlError(connectionError('kafka:29092'), ['localhost:9092'], 't');
  assert.equal(advertised.sqlstate, '08001');
  assert.match(advertised.message, /Kafka at kafka:29092, which the broker at localhost:9092 names as its address/);
  assert.match(advertised.fields.hint ?? '', /advertised\.listeners/);
});
