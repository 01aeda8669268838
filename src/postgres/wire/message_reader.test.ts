import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../../operators/errors.ts';
import { MessageReader } from './message_reader.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');

test('a name is read as it is there, whatever is likely', () => {
  for (const name of ['', 'a', 'ab', 'abc', 'aé', 'A']) {
    for (const likely of ['', 'a', 'ab', 'abc', 'aé', 'abcd']) {
      const reader = new MessageReader(bytes(`${name}\0z\0`));
      assert.equal(reader.cstring(likely), name, `${name} where ${likely} was likely`);
      assert.equal(reader.cstring(), 'z');
      reader.end();
    }
  }
});

test('nothing is read beyond the end of a message, where the next one begins', () => {
  const buffer = bytes('xxab\0yy\0');
  for (const likely of ['', 'a', 'ab']) {
    assert.throws(() => new MessageReader(buffer, 2, 4).cstring(likely), SqlError);
    assert.equal(new MessageReader(buffer, 2, 5).cstring(likely), 'ab');
  }
  assert.throws(() => new MessageReader(buffer, 2, 4).int32(), SqlError);
  assert.throws(() => new MessageReader(buffer, 2, 3).uint16(), SqlError);
  assert.throws(() => new MessageReader(buffer, 0, 7).uint64(), SqlError);
  assert.throws(() => new MessageReader(buffer, 2, 4).skip(3), SqlError);
  assert.throws(() => new MessageReader(buffer, 2, 4).skip(-1), SqlError);
  assert.throws(() => new MessageReader(buffer, 2, 5).end(), SqlError);
});

test('numbers have their signs', () => {
  const reader = new MessageReader(Buffer.from([0xff, 0xff, 0xff, 0xfe, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff]));
  assert.deepEqual([reader.int32(), reader.uint16(), reader.uint32()], [-2, 65534, 4294967295]);
  assert.equal(new MessageReader(Buffer.alloc(8, 0xff)).uint64(), 2n ** 64n - 1n);
});
