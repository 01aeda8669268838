/** Templates of the standard against PostgreSQL, as .datetime(template) of paths uses them: random templates, texts that nearly fit. */
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { type Call, Oracle, report } from '../testing/oracle.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const random = new Random(testSeed('standard datetime'));

/** Patterns, each with texts that fit it and some that do not. */
const PATTERNS: [string, string[]][] = [
  ['YYYY', ['2024', '1', '0000', '-44', '99999']],
  ['YY', ['24', '99']],
  ['Y,YYY', ['2,024']],
  ['MM', ['02', '2', '13', ' 2']],
  ['Mon', ['Feb', 'feb', 'Fox']],
  ['Month', ['February', 'February ']],
  ['DD', ['29', '1', '31', '0']],
  ['DDD', ['060']],
  ['Day', ['Thursday']],
  ['IYYY-IW-ID', ['2024-09-4']],
  ['HH24', ['13', '24', '7', '99']],
  ['HH12', ['12', '13', '1']],
  ['AM', ['am', 'PM', 'xm']],
  ['MI', ['05', '60', '5']],
  ['SS', ['59', '60', '7']],
  ['SSSSS', ['43200']],
  ['MS', ['5', '500']],
  ['US', ['123456', '1']],
  ['FF3', ['123', '9996', '1']],
  ['TZH', ['+05', '-3', '5', ' 05']],
  ['TZM', ['30', '61']],
  ['TZ', ['+05:30', 'EST', 'z', '-08', 'xyz']],
  ['OF', ['+05:30', '-08']],
  ['BC', ['bc', 'AD']],
  ['CC', ['21']],
  ['J', ['2460000']],
  ['FM', ['']],
  ['FX', ['']],
];
const BETWEEN = ['-', ':', ' ', '.', '/', ',', ';', "'", '"T"', '"x y"', '', '', '_', 'k'];

function calls(): Call {
  let template = '';
  let text = '';
  const n = 1 + random.below(5);
  for (let i = 0; i < n; i++) {
    const [pattern, texts] = random.pick(PATTERNS);
    const between = i === n - 1 && random.below(4) > 0 ? '' : random.pick(BETWEEN);
    template += pattern + between;
    text += random.pick(texts) + (random.below(12) === 0 ? random.pick(BETWEEN) : between.replaceAll('"', ''));
  }
  if (random.below(8) === 0) text = text.slice(0, random.below(text.length + 1));
  if (random.below(8) === 0) text += random.pick([' ', '  ', 'x']);
  const path = `$.datetime(${JSON.stringify(template)})`;
  return ['jsonb_path_query(jsonb,jsonpath,jsonb,bool)', JSON.stringify(text), path, '{}', random.pick(['f', 't'])];
}

test('templates', async () => {
  report(await oracle.differences(Array.from({ length: Number(process.env.ROUNDS ?? 6000) }, calls)));
});
