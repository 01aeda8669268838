/** Paths against PostgreSQL: random ones over random documents, and chosen ones. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../../../testing/property.ts';
import { type Call, literal, Oracle, outcome, report } from '../../testing/oracle.ts';
import { randomDocument, randomPath, VARIABLES } from '../../testing/random_path.ts';
import { parsePath } from './parse.ts';
import { pathDatum, pathText } from './print.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const random = new Random(testSeed('jsonpath'));
const ROUNDS = Number(process.env.ROUNDS ?? 3000);

/** Results are equal as text; of errors the code counts. */
const same = (theirs: string, ours: string): boolean =>
  theirs === ours || (theirs.startsWith('E') && ours.startsWith('E') && theirs.slice(0, 6) === ours.slice(0, 6));

const FUNCTIONS = [
  'jsonb_path_query',
  'jsonb_path_query',
  'jsonb_path_query',
  'jsonb_path_query_array',
  'jsonb_path_query_first',
  'jsonb_path_exists',
  'jsonb_path_match',
];

test('random paths over random documents', async () => {
  for (const zone of ['UTC', 'America/New_York', 'Asia/Kolkata']) {
    await oracle.exec(`SET timezone = '${zone}'`);
    oracle.ctx.timeZone = zone;
    const now = await oracle.attempt([`SELECT ((extract(epoch FROM now()) * 1000000)::int8 - 946684800000000)::text`]);
    oracle.ctx.now = BigInt(now[0].slice(1));
    const calls = Array.from({ length: ROUNDS }, (): Call => {
      const fn = `${random.pick(FUNCTIONS)}${random.below(3) === 0 ? '_tz' : ''}(jsonb,jsonpath,jsonb,bool)`;
      const document = randomDocument(random, 3);
      return [fn, document, randomPath(random), random.pick(VARIABLES), random.pick(['t', 'f', 'f'])];
    });
    report(await oracle.differences(calls, same));
  }
});

test('operators', async () => {
  const calls = Array.from({ length: ROUNDS }, (): Call => {
    const fn = random.pick(['jsonb_path_exists_opr(jsonb,jsonpath)', 'jsonb_path_match_opr(jsonb,jsonpath)']);
    return [fn, randomDocument(random, 3), randomPath(random)];
  });
  report(await oracle.differences(calls, same));
});

test('the normal form of random paths, and its normal form', async () => {
  const paths = Array.from({ length: 2 * ROUNDS }, () => randomPath(random));
  const theirs = await oracle.attempt(paths.map((p) => `SELECT ${literal(p)}::jsonpath::text`));
  const differences: string[] = [];
  paths.forEach((p, i) => {
    const ours = outcome(() => pathText(parsePath(p)));
    // Its messages may cut a character into bytes.
    const cut = theirs[i].includes('\ufffd');
    if (!cut && theirs[i] !== ours) differences.push(`${p}\n    ${theirs[i]}\n    ${ours}`);
    if (!ours.startsWith('V')) return;
    const stored = pathDatum(parsePath(p));
    assert.equal(pathDatum(parsePath(stored)), stored);
    assert.equal(`V${pathText(parsePath(stored))}`, ours);
  });
  report(differences);
});
