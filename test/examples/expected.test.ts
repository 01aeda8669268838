/** What the views of the examples mean: a few messages over the topics of kafka.sql, and the rows that they must give. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, Example } from './example.ts';

/** As tables show it. */
const time = (seconds: number) => at(seconds).replace('T', ' ').replace('.000Z', '+00');

async function over(name: string, check: (example: Example) => Promise<void>): Promise<void> {
  const example = await Example.kafka(name);
  try {
    await check(example);
    await example.checkViews();
  } finally {
    await example.close();
  }
}

test('event-sourcing: balances, statements, what was', () =>
  over('event-sourcing', async (bank) => {
    const event = (id: number, account: number, kind: string, body: object) => ({
      id,
      account,
      kind,
      body,
      at: at(id),
    });
    bank.tick(1, {
      'account-events': [
        event(1, 7, 'opened', { owner: 'Ann' }),
        event(2, 8, 'opened', { owner: 'Bo' }),
        event(3, 7, 'deposited', { amount: 100.5 }),
      ],
    });
    bank.tick(60, {
      'account-events': [
        event(4, 7, 'withdrawn', { amount: 700 }),
        event(6, 8, 'deposited', { amount: '10' }),
        event(7, 8, 'renamed', { owner: 'Bob' }),
      ],
    });
    assert.deepEqual(await bank.sql('SELECT * FROM balance ORDER BY account'), [
      ['7', 'Ann', '-599.50', '2'],
      ['8', 'Bob', '10.00', '1'],
    ]);
    assert.deepEqual(await bank.sql("SELECT * FROM balance AS OF now() - INTERVAL '30 seconds' ORDER BY account"), [
      ['7', 'Ann', '100.50', '1'],
      ['8', 'Bo', '0', '0'],
    ]);
    assert.deepEqual(
      await bank.sql('SELECT id, amount, balance FROM account_statement WHERE account = 7 ORDER BY id'),
      [
        ['3', '100.50', '100.50'],
        ['4', '-700.00', '-599.50'],
      ],
    );
    assert.deepEqual(await bank.sql('SELECT * FROM overdrawn'), [['7', 'Ann', '-599.50']]);
  }));

test('event-sourcing: an event that is no money is an error row, and the others go on', async () => {
  const bank = await Example.kafka('event-sourcing');
  try {
    const event = (id: number, amount: unknown) => ({
      id,
      account: 7,
      kind: 'deposited',
      body: { amount },
      at: at(id),
    });
    bank.tick(1, { 'account-events': [event(1, 10), event(2, 'ten'), event(3, '10')] });
    assert.deepEqual(await bank.sql('SELECT balance, movements FROM balance'), [['20.00', '2']]);
    assert.deepEqual(await bank.sql("SELECT sqlstate FROM tidemark.errors('balance')"), [['22P02']]);
  } finally {
    await bank.close();
  }
});

test('fraud: five in a minute, London to New York in an hour, the limit of then', () =>
  over('fraud', async (fraud) => {
    const pay = (id: number, card: number, amount: number, seconds: number, place = [51.5, 0]) => ({
      id,
      card,
      amount,
      lat: place[0],
      lon: place[1],
      at: at(seconds),
    });
    const rules = 'SELECT id, points, rules FROM score ORDER BY id';
    fraud.tick(0, {
      'card-limits': [
        { card: 9, most: 500, since: at(0) },
        { card: 9, most: 1000, since: at(100) },
      ],
      payments: [
        ...[1, 2, 3, 4, 5].map((i) => pay(i, 7, 10, i * 10)),
        pay(10, 9, 600, 99),
        pay(11, 9, 600, 101),
        pay(12, 5, 1e6, 101),
      ],
    });
    assert.deepEqual(await fraud.sql(rules), [
      ['5', '40', '{"too many"}'],
      ['10', '30', '{"too much"}'],
    ]);
    const newYork = [40.7, -74];
    fraud.tick(1, { payments: [pay(20, 8, 10, 200), pay(21, 8, 10, 3800, newYork), pay(22, 9, 1001, 3800, newYork)] });
    assert.deepEqual(await fraud.sql('SELECT id, points, rules FROM alert ORDER BY id'), [
      ['21', '60', '{"too fast"}'],
      ['22', '90', '{"too fast","too much"}'],
    ]);
    // Out of order: somebody paid half way, so the last stretch was short, and this one was not.
    fraud.tick(2, { payments: [pay(23, 8, 10, 3796, [40.71, -74])] });
    assert.deepEqual(await fraud.sql('SELECT id, points FROM alert WHERE card = 8'), [['23', '60']]);
    // Too late for the watermark.
    fraud.tick(3, { payments: [pay(24, 8, 10, 3000)] });
    assert.deepEqual(await fraud.sql("SELECT id FROM tidemark.late('payment')"), [['24']]);
    assert.deepEqual(await fraud.sql('SELECT card, points FROM suspect ORDER BY card'), [
      ['7', '40'],
      ['8', '60'],
      ['9', '120'],
    ]);
    fraud.tick(720);
    assert.deepEqual(await fraud.sql('SELECT card, points FROM suspect ORDER BY card'), [
      ['8', '60'],
      ['9', '90'],
    ]);
  }));

test('fulfilment: the clock brings orders in, a shipment takes them out', () =>
  over('fulfilment', async (shop) => {
    const order = (id: number, seconds: number) => ({ id, customer: 1, amount: 10, at: at(seconds) });
    const event = (id: number, seconds: number) => ({ id, at: at(seconds) });
    shop.tick(10, {
      orders: [order(1, 0), order(2, 1), order(3, 2), order(4, 61)],
      payments: [event(1, 5), event(2, 6)],
      shipments: [event(1, 8)],
    });
    const states = 'SELECT id, state FROM order_state ORDER BY id';
    const stuck = 'SELECT id FROM stuck ORDER BY id';
    assert.deepEqual(await shop.sql(states), [
      ['1', 'shipped'],
      ['2', 'paid'],
      ['3', 'placed'],
      ['4', 'placed'],
    ]);
    assert.deepEqual(await shop.sql(stuck), []);
    shop.tick(36.5);
    assert.deepEqual(await shop.sql(stuck), [['2']]);
    shop.tick(40, { shipments: [event(2, 40)], payments: [event(3, 40)] });
    assert.deepEqual(await shop.sql(stuck), []);
    assert.deepEqual(await shop.sql('SELECT * FROM service_level ORDER BY minute'), [
      [time(0), '3', '3', '2', '1', '00:00:35.9'],
      [time(60), '1', '0', '0', '0', null],
    ]);
    shop.tick(3700);
    assert.deepEqual(await shop.sql(states), []);
    assert.deepEqual(await shop.sql('SELECT orders FROM service_level ORDER BY minute'), [['3'], ['1']]);
  }));

test('monitoring: alarms with hysteresis, gaps, who is silent, closed minutes', () =>
  over('monitoring', async (devices) => {
    const readings = (...list: [device: number, seconds: number, celsius: number][]) => ({
      readings: list.map(([device, seconds, celsius]) => ({ device, celsius, at: at(seconds) })),
    });
    devices.tick(20, readings([1, 1, 75], [1, 2, 80], [1, 3, 71], [2, 4, 85], [1, 5, 79], [2, 20, 70], [3, 20, 75]));
    assert.deepEqual(await devices.sql('SELECT device, at, celsius FROM alarm ORDER BY device'), [
      ['1', time(2), '80'],
    ]);
    assert.deepEqual(await devices.sql('SELECT device, at, hot FROM alarm_change ORDER BY at'), [
      ['1', time(2), 't'],
      ['2', time(4), 't'],
      ['2', time(20), 'f'],
    ]);
    assert.deepEqual(await devices.sql('SELECT * FROM gap'), [['2', time(4), time(20)]]);
    assert.deepEqual(await devices.sql('SELECT device, since, until, readings FROM online ORDER BY device, since'), [
      ['1', time(1), time(5), '4'],
      ['2', time(4), time(4), '1'],
      ['2', time(20), time(20), '1'],
      ['3', time(20), time(20), '1'],
    ]);
    assert.deepEqual(await devices.sql('SELECT * FROM silent'), [['1', time(5)]]);
    // Between the thresholds, after the alarm: it is on still. Out of order: the break was shorter.
    devices.tick(31, readings([1, 25, 72], [2, 12, 72]));
    assert.deepEqual(await devices.sql('SELECT device FROM alarm'), [['1']]);
    assert.deepEqual(await devices.sql('SELECT * FROM gap'), [['1', time(5), time(25)]]);
    assert.deepEqual(await devices.sql('SELECT device FROM silent ORDER BY device'), [['2'], ['3']]);
    assert.deepEqual(await devices.sql('SELECT * FROM minute_figures'), []);
    devices.tick(95, readings([1, 91, 60]));
    devices.tick(96, readings([1, 92, 60]));
    assert.deepEqual(await devices.sql('SELECT * FROM minute_figures ORDER BY device'), [
      [time(0), '1', '5', '80', '{75,79.8}'],
      [time(0), '2', '3', '85', '{72,83.7}'],
      [time(0), '3', '1', '75', '{75,75}'],
    ]);
    assert.deepEqual(await devices.sql('SELECT * FROM alarm'), []);
  }));

test('inventory: reservations end by the clock, products follow their database', () =>
  over('inventory', async (shop) => {
    const product = (op: string, sku: number, name: string, reorder_below: number) => ({
      op,
      before: null,
      after: { sku, name, reorder_below },
    });
    const stock = (sku: number, place: string, on_hand: number) => ({
      key: JSON.stringify({ sku, place }),
      value: JSON.stringify({ on_hand }),
    });
    const reserve = (id: number, sku: number, quantity: number, seconds: number) => ({
      key: String(id),
      value: JSON.stringify({ sku, quantity, expires_at: at(seconds) }),
    });
    const available = 'SELECT sku, on_hand, reserved, available FROM available ORDER BY sku';
    shop.tick(0, {
      'shop.public.product': [product('c', 1, 'lamp', 10), product('c', 2, 'cup', 5)],
      stock: [stock(1, 'north', 8), stock(1, 'south', 9), stock(1, 'north', 6)],
      reservations: [reserve(1, 1, 4, 30), reserve(2, 1, 3, 60)],
    });
    assert.deepEqual(await shop.sql(available), [
      ['1', '15', '7', '8'],
      ['2', '0', '0', '0'],
    ]);
    assert.deepEqual(await shop.sql('SELECT sku, missing FROM low_stock ORDER BY sku'), [
      ['1', '2'],
      ['2', '5'],
    ]);
    assert.deepEqual(await shop.sql('SELECT * FROM best_place'), [['1', 'south', '9']]);
    shop.tick(30);
    assert.deepEqual(await shop.sql('SELECT sku, missing FROM low_stock'), [['2', '5']]);
    shop.tick(31, {
      reservations: [{ key: '2', value: null }],
      stock: [{ key: '{"sku":1,"place":"south"}', value: null }],
      'shop.public.product': [product('u', 2, 'mug', 0)],
    });
    assert.deepEqual(await shop.sql(available), [
      ['1', '6', '0', '6'],
      ['2', '0', '0', '0'],
    ]);
    assert.deepEqual(await shop.sql('SELECT sku, name, missing FROM low_stock'), [['1', 'lamp', '4']]);
  }));

test('recommendations: what goes with what was bought, and is not bought yet', () =>
  over('recommendations', async (shop) => {
    const order = (id: number, customer: number, ...products: number[]) =>
      products.map((product) => ({ order_id: id, customer, product, at: at(id) }));
    shop.tick(5, { purchases: [...order(1, 1, 10, 11), ...order(2, 2, 10, 11, 12), ...order(3, 3, 10)] });
    assert.deepEqual(await shop.sql('SELECT * FROM bought_together ORDER BY product, rank'), [
      ['10', '11', '2', '1'],
      ['10', '12', '1', '2'],
      ['11', '10', '2', '1'],
      ['11', '12', '1', '2'],
      ['12', '10', '1', '1'],
      ['12', '11', '1', '2'],
    ]);
    assert.deepEqual(await shop.sql('SELECT * FROM recommended ORDER BY customer, rank'), [
      ['1', '12', '2', '1'],
      ['3', '11', '2', '1'],
      ['3', '12', '1', '2'],
    ]);
    shop.tick(6, { purchases: order(4, 3, 11) });
    assert.deepEqual(await shop.sql('SELECT product, score FROM recommended WHERE customer = 3'), [['12', '2']]);
    shop.tick(700);
    assert.deepEqual(await shop.sql('SELECT * FROM recommended'), []);
    assert.deepEqual(await shop.sql('SELECT count(*) FROM pair'), [['6']]);
  }));

test('analytics: visits end by a gap, steps count in their order', () =>
  over('analytics', async (shop) => {
    const click = (visitor: number, seconds: number, page: string) => ({ visitor, page, at: at(seconds) });
    shop.tick(60, {
      clicks: [
        click(1, 0, '/'),
        click(1, 3, '/product'),
        click(1, 5, '/cart'),
        click(1, 9, '/paid'),
        click(2, 4, '/cart'),
        click(2, 6, '/product'),
        click(3, 8, '/'),
        click(1, 30, '/'),
        click(1, 62, '/'),
      ],
    });
    assert.deepEqual(await shop.sql("SELECT clicks, visitors FROM page_minute WHERE page = '/' ORDER BY minute"), [
      ['3', '2'],
      ['1', '1'],
    ]);
    assert.deepEqual(await shop.sql("SELECT clicks, visitors FROM page_hour WHERE page = '/'"), [['4', '2']]);
    assert.deepEqual(await shop.sql('SELECT since, until, clicks FROM visit WHERE visitor = 1 ORDER BY since'), [
      [time(0), time(9), '4'],
      [time(30), time(30), '1'],
      [time(62), time(62), '1'],
    ]);
    assert.deepEqual(await shop.sql('SELECT * FROM funnel ORDER BY minute'), [
      [time(0), '4', '2', '1', '1'],
      [time(60), '1', '0', '0', '0'],
    ]);
  }));

test('feeds: the newest ten of those that one follows, as long as they are fresh', () =>
  over('feeds', async (network) => {
    const post = (id: number, author: number, body = `post ${id} #tea`) => ({ id, author, body, at: at(id) });
    const follow = (reader: number, author: number, value: string | null = '{}') => ({
      key: JSON.stringify({ reader, author }),
      value,
    });
    const feed = 'SELECT reader, rank, id FROM feed ORDER BY reader, rank';
    network.tick(20, {
      posts: [...Array.from({ length: 11 }, (_, i) => post(i + 1, 1)), post(15, 2, 'a #cat and #tea, #tea')],
      follows: [follow(100, 1), follow(100, 2), follow(200, 2)],
    });
    const newest = [15, 11, 10, 9, 8, 7, 6, 5, 4, 3].map((id, i) => ['100', String(i + 1), String(id)]);
    assert.deepEqual(await network.sql(feed), [...newest, ['200', '1', '15']]);
    assert.deepEqual(await network.sql('SELECT * FROM trending ORDER BY posts DESC'), [
      ['tea', '13', '2'],
      ['cat', '1', '1'],
    ]);
    network.tick(21, { follows: [follow(100, 1, null), follow(200, 2, null)] });
    assert.deepEqual(await network.sql(feed), [['100', '1', '15']]);
    network.tick(615);
    assert.deepEqual(await network.sql(feed), []);
    assert.deepEqual(await network.sql('SELECT * FROM trending'), []);
  }));
