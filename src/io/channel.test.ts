import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { Channel } from './channel.ts';

interface Note {
  text: string;
  buffer?: ArrayBuffer;
}

/** A channel, and what comes out at its other end, in order: frames as text, `flush` for each message. */
function open() {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  const from = new Channel<Note, Note>(port1, (flush) => waiting.push(flush));
  const seen: string[] = [];
  new Channel<Note, Note>(port2, setImmediate).receive({
    frame: (kind, id, bytes) => seen.push(`${kind} ${id} ${bytes.length > 100 ? bytes.length : bytes.toString()}`),
    message: (note) => seen.push(`note ${note.text} ${note.buffer?.byteLength ?? ''}`),
  });
  let messages = 0;
  port2.on('message', () => messages++);
  return {
    from,
    seen,
    /** Runs what was deferred and waits for `count` messages in all. */
    async turn(count: number) {
      for (const flush of waiting.splice(0)) flush();
      while (messages < count) await once(port2, 'message');
      assert.equal(messages, count);
    },
    close: () => port1.close(),
  };
}

test('frames of a turn travel in one message, in order', async () => {
  const end = open();
  end.from.frame(1, 7, Buffer.from('abc'));
  end.from.frame(2, 8);
  end.from.frame(1, -1, Buffer.from('de'));
  await end.turn(1);
  assert.deepEqual(end.seen, ['1 7 abc', '2 8 ', '1 -1 de']);
  end.from.frame(3, 1);
  await end.turn(2);
  assert.equal(end.seen.at(-1), '3 1 ');
  end.close();
});

test('an object stays behind the frames before it and before those after it; its buffers are moved', async () => {
  const end = open();
  const buffer = new ArrayBuffer(50);
  end.from.frame(1, 1, Buffer.from('first'));
  end.from.post({ text: 'second', buffer }, [buffer]);
  end.from.frame(1, 1, Buffer.from('third'));
  await end.turn(3);
  assert.deepEqual(end.seen, ['1 1 first', 'note second 50', '1 1 third']);
  assert.equal(buffer.byteLength, 0);
  end.close();
});

test('large frames leave at once, whatever their size, and small ones after them still travel together', async () => {
  const end = open();
  end.from.frame(1, 1, Buffer.alloc(300_000));
  end.from.frame(1, 2, Buffer.from('x'));
  end.from.frame(1, 3, Buffer.alloc(65_536));
  end.from.frame(1, 4, Buffer.from('y'));
  end.from.number(1, 5, 0x20202020);
  await end.turn(4);
  assert.deepEqual(end.seen, ['1 1 300000', '1 2 x', '1 3 65536', '1 4 y', '1 5     ']);
  end.close();
});
