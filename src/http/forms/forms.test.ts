/** Values in each form, and which form a client gets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dateDays, timeMicros, timestampMicros } from './arrow_time.ts';
import { CsvForm } from './csv.ts';
import { formFor, OFFERED } from './index.ts';
import { JsonForm, NdjsonForm } from './json.ts';
import { jsonOf } from './json_value.ts';

const column = (name: string, type: string) => ({ name, type, base: type.replace(/\(.*?\)/, '') });

test('JSON keeps all digits and is JSON whatever a value holds', () => {
  const cases: [type: string, text: string, json: string][] = [
    ['integer', '-7', '-7'],
    ['bigint', '9223372036854775807', '"9223372036854775807"'],
    ['numeric', '0.10000000000000000000001', '"0.10000000000000000000001"'],
    ['numeric', 'NaN', '"NaN"'],
    ['double precision', '1e+300', '1e+300'],
    ['double precision', '-Infinity', '"-Infinity"'],
    ['real', 'NaN', '"NaN"'],
    ['boolean', 'f', 'false'],
    ['text', 'a"\\\n\u2028\u0001', JSON.stringify('a"\\\n\u2028\u0001')],
    ['jsonb', '{"a": 1e400}', '{"a": 1e400}'],
    ['json', '{\n "a":\r\n[1]}', '{  "a": [1]}'],
    ['bigint[]', '{{1,NULL},{3,4}}', '[["1",null],["3","4"]]'],
    ['boolean[]', '{t,f,NULL}', '[true,false,null]'],
    ['integer[]', '{}', '[]'],
    ['text[]', '[0:1][2:3]={{a,b},{NULL,"NULL"}}', '[["a","b"],[null,"NULL"]]'],
    ['text[]', '{"a\\"b\\\\c","","{,}"," x "}', '["a\\"b\\\\c","","{,}"," x "]'],
    ['jsonb[]', '{"{\\"a\\": 1}"}', '[{"a": 1}]'],
    ['"odd ""type"', 'x', '"x"'],
  ];
  for (const [type, text, json] of cases) assert.equal(jsonOf(type)(text), json, `${type} ${text}`);
});

test('JSON and NDJSON: whole, without columns, cut short by an error', () => {
  const form = new JsonForm();
  form.begin([column('a', 'integer'), column('a', 'numeric(5,2)')]);
  form.row(['1', '2.50']);
  form.row([null, null]);
  form.end({ command: 'SELECT 2', tick: '7' });
  assert.deepEqual(JSON.parse(form.take()), {
    columns: [
      { name: 'a', type: 'integer' },
      { name: 'a', type: 'numeric(5,2)' },
    ],
    rows: [
      [1, '2.50'],
      [null, null],
    ],
    command: 'SELECT 2',
    tick: '7',
  });
  assert.equal(form.pending, 0);
  const none = new JsonForm();
  none.begin(null);
  none.end({ command: 'CREATE TABLE', tick: '0' });
  assert.deepEqual(JSON.parse(none.take()), { columns: null, rows: [], command: 'CREATE TABLE', tick: '0' });
  const error = { error: { sqlstate: '22012', message: 'division by "zero"' } };
  const broken = new JsonForm();
  broken.begin([column('a', 'integer')]);
  broken.row(['1']);
  assert.equal(broken.fail(error), true);
  assert.deepEqual(JSON.parse(broken.take()), { columns: [{ name: 'a', type: 'integer' }], rows: [[1]], ...error });
  const lines = new NdjsonForm();
  lines.begin([column('a', 'json')]);
  lines.row(['{"a":\n1}']);
  lines.fail(error);
  assert.deepEqual(
    lines
      .take()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [{ columns: [{ name: 'a', type: 'json' }] }, [{ a: 1 }], error],
  );
});

test('CSV: what a reader of COPY needs quotes for has them', () => {
  const form = new CsvForm();
  form.begin([column('a,b', 'text'), column('c', 'text')]);
  form.row([null, '']);
  form.row(['x"y', 'two\nlines']);
  form.row(['\\.', ' blank']);
  form.end();
  assert.equal(form.take(), '"a,b",c\n,""\n"x""y","two\nlines"\n"\\."," blank"\n');
  assert.equal(form.fail(), false);
});

test('Accept: the best of what is offered, the first of equals, none', async () => {
  const type = async (accept?: string) => (await formFor(accept)?.())?.contentType.split(';')[0] ?? null;
  assert.equal(await type(), 'application/json');
  assert.equal(await type('*/*'), 'application/json');
  assert.equal(await type('text/*'), 'text/csv');
  assert.equal(await type('application/x-ndjson, application/json;q=0.5'), 'application/x-ndjson');
  assert.equal(await type('application/json;q=0, */*;q=0.1'), 'application/x-ndjson');
  assert.equal(await type('APPLICATION/VND.APACHE.ARROW.STREAM'), 'application/vnd.apache.arrow.stream');
  assert.equal(await type('text/html'), null);
  assert.equal(await type('application/json;q=nonsense'), null);
  assert.equal(OFFERED.length, 4);
});

test('dates and times are those of the Gregorian calendar, to the microsecond', () => {
  const start = Date.UTC(-4000, 0, 1);
  for (let n = 0; n < 3000; n++) {
    const at = new Date(start + n * 86_400_000 * 1237);
    const year = at.getUTCFullYear();
    const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
    const date = `${shown}${at.toISOString().slice(-20, -14)}${year > 0 ? '' : ' BC'}`;
    assert.equal(dateDays(date), at.getTime() / 86_400_000, date);
  }
  assert.equal(timeMicros('24:00:00'), 86_400_000_000n);
  assert.equal(timeMicros('00:00:00.00001'), 10n);
  assert.equal(timestampMicros('1970-01-01 00:00:00'), 0n);
  assert.equal(timestampMicros('1969-12-31 23:59:59.999999'), -1n);
  assert.equal(timestampMicros('1970-01-01 05:30:00+05:30'), 0n);
  assert.equal(timestampMicros('1969-12-31 20:00:00-04'), 0n);
  // 730 times 400 years later, which have 146097 days each.
  const day = BigInt(Date.UTC(2246, 11, 31) / 86_400_000 + 730 * 146_097);
  assert.equal(timestampMicros('294246-12-31 23:59:59.999999'), day * 86_400_000_000n + 86_399_999_999n);
  // PostgreSQL counts from 2000 on.
  assert.throws(() => timestampMicros('294276-12-31 23:59:59.999999'), { sqlstate: '22000' });
  assert.throws(() => timestampMicros('infinity'), { sqlstate: '22000' });
  assert.throws(() => dateDays('-infinity'), { sqlstate: '22000' });
});
