import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder, readRow } from '../../../operators/batch/builder.ts';
import { SqlError } from '../../../operators/errors.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { DecoderSpec } from '../../formats/format.ts';
import type { RawBatch } from '../source.ts';
import { nexmarkColumns } from './columns.ts';
import { eventOfRow, lastAuction, lastPerson, type NexmarkTable, rowsBefore } from './numbering.ts';
import { type NexmarkOptions, parseNexmarkOptions } from './options.ts';
import { NexmarkSource } from './source.ts';

const TABLES: NexmarkTable[] = ['person', 'auction', 'bid'];
const POSTGRES_EPOCH_MS = 946_684_800_000n;

const COLUMNS: Record<NexmarkTable, [string, number][]> = {
  person: [
    ['id', OID.int8],
    ['name', OID.text],
    ['email_address', OID.text],
    ['credit_card', OID.text],
    ['city', OID.text],
    ['state', OID.text],
    ['date_time', OID.timestamp],
    ['extra', OID.text],
  ],
  auction: [
    ['id', OID.int8],
    ['item_name', OID.text],
    ['description', OID.text],
    ['initial_bid', OID.int8],
    ['reserve', OID.int8],
    ['date_time', OID.timestamp],
    ['expires', OID.timestamp],
    ['seller', OID.int8],
    ['category', OID.int8],
    ['extra', OID.text],
  ],
  bid: [
    ['auction', OID.int8],
    ['bidder', OID.int8],
    ['price', OID.int8],
    ['channel', OID.text],
    ['url', OID.text],
    ['date_time', OID.timestamp],
    ['extra', OID.text],
  ],
};

function options(table: NexmarkTable, given: Record<string, string> = {}): NexmarkOptions {
  return parseNexmarkOptions({ connector: 'nexmark', table, ...given });
}

function spec(table: NexmarkTable): DecoderSpec {
  const columns = COLUMNS[table].map(([name, oid]) => {
    return { name, type: colType(oid), notNull: false, origin: { k: 'field' as const, name } };
  });
  return { columns, needed: columns.map((_, i) => i) };
}

function drain(source: NexmarkSource): RawBatch[] {
  const batches: RawBatch[] = [];
  for (let batch = source.poll(); batch !== null; batch = source.poll()) batches.push(batch);
  return batches;
}

type Message = Record<string, string | number>;

function parse(batch: RawBatch): Message[] {
  return Array.from({ length: batch.n }, (_, i) => {
    return JSON.parse(batch.bytes.toString('utf8', batch.valueStart[i], batch.valueEnd[i]));
  });
}

async function rows(table: NexmarkTable, given: Record<string, string>): Promise<Message[]> {
  const source = new NexmarkSource(options(table, given), { form: 'json' });
  source.open(await source.startOffsets({ k: 'earliest' }));
  const all = drain(source).flatMap(parse);
  await source.close();
  return all;
}

test('50 events are one person, three auctions, 46 bids', () => {
  for (const table of TABLES) {
    for (let events = 0; events < 160; events++) {
      const expected = Array.from({ length: 200 }, (_, i) => eventOfRow(table, i)).filter((n) => n < events).length;
      assert.equal(rowsBefore(table, events), expected, `${table} ${events}`);
    }
  }
  const numbers = TABLES.flatMap((table) =>
    Array.from({ length: rowsBefore(table, 500) }, (_, i) => eventOfRow(table, i)),
  );
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: 500 }, (_, i) => i),
  );
  assert.deepEqual(
    [lastPerson(0), lastAuction(0), lastAuction(1), lastAuction(3), lastAuction(49), lastAuction(50)],
    [0, -1, 0, 2, 2, 2],
  );
});

test('ids count up, references and distributions are those of the suite', async () => {
  const given = { events: '200000', seed: '7' };
  const people = await rows('person', given);
  const auctions = await rows('auction', given);
  const bids = await rows('bid', given);
  assert.deepEqual([people.length, auctions.length, bids.length], [4000, 12000, 184000]);
  assert.ok(people.every((p, i) => p.id === 1000 + i));
  assert.ok(auctions.every((a, i) => a.id === 1000 + i));
  const share = (hits: number, of: number) => hits / of;
  const near = (value: number, expected: number, slack: number, what: string) => {
    assert.ok(Math.abs(value - expected) <= slack, `${what}: ${value}, expected ${expected}`);
  };
  const lateBids = bids.slice(100_000);
  near(
    share(lateBids.filter((b) => Number(b.auction) % 100 === 0).length, lateBids.length),
    0.5 + 0.5 / 100,
    0.01,
    'hot auctions',
  );
  near(
    share(lateBids.filter((b) => Number(b.bidder) % 100 === 1).length, lateBids.length),
    0.75 + 0.25 / 100,
    0.01,
    'hot bidders',
  );
  near(
    share(auctions.filter((a) => Number(a.seller) % 100 === 0).length, auctions.length),
    0.7525,
    0.015,
    'hot sellers',
  );
  near(
    share(bids.filter((b) => !String(b.channel).startsWith('channel-')).length, bids.length),
    0.5,
    0.01,
    'hot channels',
  );
  const others = bids.filter((b) => String(b.channel).startsWith('channel-'));
  near(
    share(others.filter((b) => String(b.url).includes('&channel_id=')).length, others.length),
    0.9,
    0.01,
    'channel ids',
  );
  assert.ok(bids.every((b) => Number(b.price) >= 100 && Number(b.price) <= 100_000_000));
  const logs = bids.map((b) => Math.log10(Number(b.price) / 100));
  near(logs.reduce((a, b) => a + b, 0) / logs.length, 3, 0.02, 'log of price');
  for (let category = 10; category < 15; category++) {
    near(
      share(auctions.filter((a) => a.category === category).length, auctions.length),
      0.2,
      0.015,
      `category ${category}`,
    );
  }
  near(
    share(people.filter((p) => ['OR', 'ID', 'CA'].includes(String(p.state))).length, people.length),
    0.5,
    0.03,
    'states',
  );
  const horizon = auctions.map((a) => Date.parse(`${a.expires}Z`) - Date.parse(`${a.date_time}Z`));
  assert.ok(horizon.every((ms) => ms >= 1 && ms <= 2 * 167));
  assert.equal(bids[0].date_time, '2026-01-01 00:00:00.000');
  assert.equal(bids[bids.length - 1].date_time, '2026-01-01 00:00:19.999');
  const bidExtra = bids.map((b) => String(b.extra).length);
  near(bidExtra.reduce((a, b) => a + b, 0) / bids.length, 68, 1, 'extra of a bid');
  assert.ok(auctions.every((a) => String(a.item_name) === String(a.item_name).trim()));
});

test('any range is made again alike, and columns hold what the messages say', async () => {
  const arena = new Arena();
  for (const table of TABLES) {
    const given = options(table, { events: '30000', seed: '-3' });
    const json = new NexmarkSource(given, { form: 'json' });
    const columns = new NexmarkSource(given, { form: 'columns' });
    json.open(new Map([[0, 0n]]));
    const all = drain(json).flatMap(parse);
    const again: Message[] = [];
    for await (const batch of json.readRange(0, 101n, 333n)) again.push(...parse(batch));
    assert.deepEqual(again, all.slice(101, 333));

    const decoder = nexmarkColumns(given, spec(table));
    assert.ok(decoder !== null);
    const out = new BatchBuilder(
      spec(table).columns.map((column) => column.type),
      arena,
      4,
    );
    columns.open(new Map([[0, 0n]]));
    for (const batch of drain(columns)) assert.deepEqual(decoder.decode(batch, 0, batch.n, out, 0n), []);
    const batch = out.build();
    assert.equal(batch.n, all.length);
    for (let i = 0; i < batch.n; i++) {
      const expected = COLUMNS[table].map(([name, oid]) => {
        const value = all[i][name];
        if (oid === OID.timestamp) return (BigInt(Date.parse(`${value}Z`)) - POSTGRES_EPOCH_MS) * 1000n;
        return oid === OID.int8 ? BigInt(value) : value;
      });
      assert.deepEqual(readRow(batch, i), expected, `${table} row ${i}`);
    }
    await json.close();
    await columns.close();
  }
  arena.release();
});

test('columns of another type or name are left to the messages', () => {
  const other = spec('bid');
  other.columns[0] = { ...other.columns[0], type: colType(OID.int4) };
  assert.equal(nexmarkColumns(options('bid'), other), null);
});

test('another seed gives other rows', async () => {
  const [a, b] = await Promise.all([rows('bid', { events: '1000' }), rows('bid', { events: '1000', seed: '2' })]);
  assert.notDeepEqual(a, b);
});

test('streams of one seed stay in step', async () => {
  const given = { seed: '11' };
  const person = new NexmarkSource(options('person', given), { form: 'columns' });
  const bid = new NexmarkSource(options('bid', given), { form: 'columns' });
  person.open(new Map([[0, 0n]]));
  bid.open(new Map([[0, 0n]]));
  const before = drain(bid);
  assert.ok(before.length > 1);
  assert.equal(bid.poll(), null);
  const woken = new Promise<void>((resolve) => bid.onReady(resolve));
  assert.ok(person.poll() !== null);
  await woken;
  assert.ok(bid.poll() !== null);
  person.pause(0);
  for (let i = 0; i < 100; i++) assert.ok(bid.poll() !== null);
  await person.close();
  await bid.close();
});

test('events_per_second delivers what is due by the clock, in event time too', async () => {
  let now = 0;
  const source = new NexmarkSource(options('bid', { events_per_second: '1000' }), { form: 'json', clock: () => now });
  source.open(new Map([[0, 0n]]));
  assert.equal(source.poll(), null);
  now = 1000;
  const batch = source.poll();
  assert.equal(batch?.n, rowsBefore('bid', 1001));
  assert.equal(source.poll(), null);
  assert.equal(source.highWatermark(0), source.position(0));
  assert.equal(parse(batch!).at(-1)?.date_time, '2026-01-01 00:00:00.999');
  const ready = new Promise<void>((resolve) => source.onReady(resolve));
  now = 2000;
  await ready;
  assert.ok(source.poll() !== null);
  await source.close();
});

test('starting positions', async () => {
  const source = new NexmarkSource(options('bid', { events: '1000' }), { form: 'json' });
  const at = async (start: Parameters<typeof source.startOffsets>[0]) => (await source.startOffsets(start)).get(0);
  assert.equal(await at({ k: 'earliest' }), 0n);
  assert.equal(await at({ k: 'at', offsets: new Map([[0, 17n]]) }), 17n);
  assert.equal(await at({ k: 'timestamp', ms: Date.UTC(2026, 0, 1) + 10 }), BigInt(rowsBefore('bid', 100)));
  assert.equal(await at({ k: 'timestamp', ms: Date.UTC(2030, 0, 1) }), 920n);
  await assert.rejects(async () => {
    for await (const batch of source.readRange(0, 0n, 921n)) assert.fail(String(batch));
  }, SqlError);
});

test('options are checked by name and value', () => {
  const reject = (given: Record<string, string>, pattern: RegExp) => {
    assert.throws(
      () => options('bid', given),
      (e) => e instanceof SqlError && e.sqlstate === '22023' && pattern.test(e.message + e.fields.hint),
    );
  };
  reject({ tabel: 'bid' }, /unrecognized option "tabel".*table, events/s);
  reject({ table: 'bids' }, /"bids".*'person'/s);
  reject({ events: '-1' }, /events/);
  reject({ seed: 'x' }, /seed/);
  reject({ base_time: 'now' }, /base_time/);
  assert.equal(options('bid', { base_time: '2025-02-03' }).baseTime, Date.UTC(2025, 1, 3));
});
