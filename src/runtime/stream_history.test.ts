/** The compact history against one that keeps every tick. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamHistory } from './stream_history.ts';

interface Tick {
  takes: { partition: number; records: number; gap: number; late: number[] }[];
  rise: number;
}

const tick: fc.Arbitrary<Tick> = fc.record({
  takes: fc.array(
    fc.record({
      partition: fc.nat(2),
      records: fc.nat(5),
      gap: fc.constantFrom(0, 0, 0, 2),
      late: fc.uniqueArray(fc.nat(4), { maxLength: 2 }),
    }),
    { maxLength: 4 },
  ),
  rise: fc.constantFrom(0, 0, 3, 10),
});

/** Every offset taken, with the watermark of its tick, in the order of ticks. */
function run(ticks: Tick[]) {
  const history = new StreamHistory();
  const taken: { partition: number; offset: number; watermark: bigint | null; now: bigint }[] = [];
  const late: [number, number][] = [];
  const at = [0, 100, 5000];
  let watermark: bigint | null = null;
  let now = 0n;
  for (const { takes, rise } of ticks) {
    history.mark(watermark);
    for (const { partition, records, gap, late: refused } of takes) {
      const from = at[partition] + gap;
      at[partition] = from + records;
      history.add({ partition, from: BigInt(from), to: BigInt(from + records), records }, now);
      for (let offset = from; offset < from + records; offset++) taken.push({ partition, offset, watermark, now });
      for (const i of [...refused].sort((a, b) => a - b)) {
        if (i >= records) continue;
        history.addRefused(partition, from + i);
        late.push([partition, from + i]);
      }
    }
    if (rise > 0) watermark = (watermark ?? 0n) + BigInt(rise);
    if (rise !== 10) now += 1_000_000n;
  }
  return { history, taken, late };
}

test('pieces cover what was taken, once, in order, with watermarks that hold', () => {
  fc.assert(
    fc.property(fc.array(tick, { maxLength: 40 }), fc.nat(120), fc.boolean(), (ticks, reach, saved) => {
      const { history: made, taken, late } = run(ticks);
      let history = made;
      if (saved) {
        history = new StreamHistory();
        history.load(made.save());
      }
      const reached = new Map([[1, BigInt(90 + reach)]]);
      const wanted = taken.filter(({ partition, offset }) => partition !== 1 || offset >= 90 + reach);
      const pieces = history.pieces(reached);
      const watermarkOf = new Map(wanted.map((t) => [`${t.partition}/${t.offset}`, t.watermark]));
      const clockOf = new Map(taken.map((t) => [`${t.partition}/${t.offset}`, t.now]));
      let last: bigint | null = null;
      const seen: string[] = [];
      for (const { partition, from, to, watermark } of pieces) {
        assert.ok(last === null || (watermark !== null && watermark >= last));
        last = watermark;
        const clocks = history.clocksIn(partition, from, to);
        for (let offset = from; offset < to; offset++) {
          const key = `${partition}/${offset}`;
          const held = watermarkOf.get(key) ?? null;
          assert.ok(watermark === null || (held !== null && held >= watermark), key);
          seen.push(key);
          assert.equal(clocks.find(({ end }) => end > offset)?.now, clockOf.get(key), key);
        }
      }
      assert.deepEqual([...seen].sort(), [...watermarkOf.keys()].sort());
      for (const [partition, count] of history.counts())
        assert.equal(count, taken.filter((one) => one.partition === partition).length);
      const offsets = (partition: number) => late.filter(([p]) => p === partition).map(([, offset]) => offset);
      for (const partition of [0, 1, 2]) assert.deepEqual(history.lateIn(partition, 0n, 1n << 40n), offsets(partition));
    }),
  );
});

test('an endless stream keeps a bounded history', () => {
  const history = new StreamHistory();
  for (let i = 0; i < 100_000; i++) {
    history.mark(BigInt(i));
    history.add({ partition: i % 2, from: BigInt(i >> 1), to: BigInt((i >> 1) + 1), records: 1 }, null);
  }
  const saved = history.save();
  assert.equal(saved.ranges.length, 2 * 3);
  assert.deepEqual(saved.clocks, []);
  assert.ok(saved.marks.length > 200 && saved.marks.length <= 512);
  assert.ok(history.pieces().length <= 1024 + 2);
});
