import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { Channel, LOOKS, newLinks } from './channel.ts';

interface Note {
  text: string;
  buffer?: ArrayBuffer;
}

/** A channel, and what comes out at its other end, in order: frames as text. `listen` makes the other end look. */
function open() {
  const { port1, port2 } = new MessageChannel();
  const [here, there] = newLinks();
  const from = new Channel<Note, Note>(port1, here);
  const seen: string[] = [];
  const other = new Channel<Note, Note>(port2, there);
  let wakes = 0;
  port2.on('message', () => wakes++);
  let told: (() => void) | null = null;
  const see = (what: string) => {
    seen.push(what);
    told?.();
  };
  return {
    from,
    seen,
    get wakes() {
      return wakes;
    },
    listen(take?: (bytes: Buffer) => void) {
      from.receive({ frame: () => undefined, message: () => undefined });
      other.receive({
        frame: (kind, id, bytes) => {
          take?.(bytes);
          see(`${kind} ${id} ${bytes.length > 100 ? bytes.length : bytes.toString()}`);
        },
        message: (note) => see(`note ${note.text} ${note.buffer?.byteLength ?? ''}`),
      });
    },
    /** Resolves when so many have been seen. */
    async came(count: number) {
      while (seen.length < count) {
        await new Promise<void>((resolve) => {
          told = resolve;
        });
      }
      assert.equal(seen.length, count);
    },
    close() {
      for (const port of [port1, port2, here.objects, there.objects]) port.close();
    },
  };
}

test('frames come in the order in which they were sent, those from before the other side listened too', async () => {
  const end = open();
  end.from.frame(1, 7, Buffer.from('abc'));
  end.from.frame(2, 8);
  end.listen();
  end.from.frame(1, -1, Buffer.from('de'));
  await end.came(3);
  assert.deepEqual(end.seen, ['1 7 abc', '2 8 ', '1 -1 de']);
  end.close();
});

test('who sleeps is woken once for all that is sent before it looks', async () => {
  const end = open();
  end.listen();
  // It looks some turns more, then it sleeps.
  for (let turn = 0; turn < LOOKS + 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 100; i++) end.from.number(1, i, 0x20202020);
  await end.came(100);
  assert.equal(end.wakes, 1);
  assert.equal(end.seen[99], '1 99     ');
  end.close();
});

test('an object stays behind the frames before it and before those after it; its buffers are moved', async () => {
  const end = open();
  end.listen();
  const buffer = new ArrayBuffer(50);
  end.from.frame(1, 1, Buffer.from('first'));
  end.from.post({ text: 'second', buffer }, [buffer]);
  end.from.frame(1, 1, Buffer.from('third'));
  await end.came(3);
  assert.deepEqual(end.seen, ['1 1 first', 'note second 50', '1 1 third']);
  assert.equal(buffer.byteLength, 0);
  end.close();
});

test('frames of all sizes, many times round the ring, come whole and in order', async () => {
  const end = open();
  end.listen();
  const sizes = [0, 1, 3, 4, 11, 12, 100, 1000, 32_768, 65_535, 65_536, 65_537, 300_000];
  const sent: string[] = [];
  for (let i = 0; i < 600; i++) {
    const size = sizes[(i * 7) % sizes.length];
    const bytes = Buffer.alloc(size, 97 + (i % 26));
    end.from.frame(1 + (i % 3), i, bytes);
    sent.push(`${1 + (i % 3)} ${i} ${size > 100 ? size : bytes.toString()}`);
  }
  await end.came(600);
  assert.deepEqual(end.seen, sent);
  end.close();
});

test('what finds no room waits, and comes in order when the other side begins to read', async () => {
  const end = open();
  const sent: string[] = [];
  for (let i = 0; i < 100; i++) {
    end.from.frame(1, i, Buffer.alloc(50_000));
    end.from.post({ text: String(i) });
    sent.push(`1 ${i} 50000`, `note ${i} `);
  }
  end.listen();
  await end.came(200);
  assert.deepEqual(end.seen, sent);
  end.close();
});

test('frames of every length come as they were sent, the short ones and those that are views', async () => {
  const end = open();
  const got: Buffer[] = [];
  end.listen((bytes) => got.push(bytes));
  const sent = Array.from({ length: 300 }, (_, length) =>
    Buffer.from(Array.from({ length }, (_, i) => (length + i) & 255)),
  );
  for (const [id, bytes] of sent.entries()) end.from.frame(1, id, bytes);
  await end.came(sent.length);
  assert.deepEqual(got, sent);
  end.close();
});
