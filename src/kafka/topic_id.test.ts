import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TAGS } from './compact.ts';
import { parseTopicId } from './topic_id.ts';

/** A Metadata response (version 10) that names no brokers, and the one topic "t". */
function answered(error: number, id: string): Buffer {
  const [throttle, controller] = [Buffer.alloc(4), Buffer.alloc(4)];
  const errorCode = Buffer.alloc(2);
  errorCode.writeInt16BE(error);
  const name = Buffer.from([2, 't'.charCodeAt(0)]);
  const topics = [Buffer.from([2]), errorCode, name, Buffer.from(id, 'hex')];
  return Buffer.concat([NO_TAGS, throttle, Buffer.from([1]), Buffer.from([0]), controller, ...topics]);
}

const ID = '00112233445566778899aabbccddeeff';

test('the id of a topic is told, unless the broker does not know the topic', () => {
  assert.equal(parseTopicId(answered(0, ID)), ID);
  assert.equal(parseTopicId(answered(3, ID)), null);
});

test('zeros are no id: a cluster whose brokers are not all new enough gives its topics none yet', () => {
  assert.equal(parseTopicId(answered(0, '0'.repeat(32))), null);
});
