/**
 * Marks as a server has them. Checked builds, which all other tests are, keep finer ones in another way; so these run in a process of their own, in which
 * nothing took pages before.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PAGE_BYTES, U8 } from '../batch/memory.ts';
import { checked, pages } from '../batch/pages.ts';
import { Heap } from './heap.ts';
import { pagesOf } from './saved.ts';
import { takeBack } from './undo_log.ts';
import { endImage, endTick, loadedPages, startImage, startTick, touch } from './write_marks.ts';

if (checked) {
  test('marks of a build without checks', () => {
    const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url)], {
      env: { ...process.env, TIDEMARK_CHECKED: '0', NODE_TEST_CONTEXT: undefined },
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /# pass 2/);
  });
} else {
  const START = 100;
  const run = { start: START, count: 64 };
  const heap = new Heap();
  assert.ok(pages.reserve(START * PAGE_BYTES, run.count));
  heap.load({
    ...heap.save(),
    heapPages: Uint32Array.of(run.start, run.count),
    unused: [0],
    next: (START + 10) * PAGE_BYTES,
    end: (START + run.count) * PAGE_BYTES,
  });
  loadedPages(
    [run],
    Array.from({ length: 10 }, (_, i) => START + i),
  );

  test('a tick that writes to a page of a loaded heap which was never written before is taken back', () => {
    const block = heap.alloc(1000);
    U8[block] = 1;
    startTick();
    touch(block);
    U8[block] = 9;
    takeBack();
    endTick();
    assert.equal(U8[block], 1);
  });

  test('and such a page is in the next image, whatever pages others take', () => {
    startTick();
    const block = heap.alloc(PAGE_BYTES);
    U8[block] = 7;
    endTick();
    // Its pages lie behind the heap's.
    const other = new Heap();
    startTick();
    other.alloc(2 * START * PAGE_BYTES);
    endTick();
    const image = startImage(pagesOf(heap.save()), () => undefined);
    endImage();
    assert.deepEqual(image.changed, [START + 10, START + 11]);
    assert.equal(image.pages.length, 12);
  });
}
