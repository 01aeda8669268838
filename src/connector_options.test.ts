import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pem } from './connector_options.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-options-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a certificate is what the option holds, or the file that it names; what is no file is not waited for', () => {
  const text = '-----BEGIN CERTIFICATE-----';
  const file = join(folder, 'file');
  writeFileSync(file, 'of the file');
  assert.equal(pem({}, 'ssl_ca'), undefined);
  assert.equal(pem({ ssl_ca: text }, 'ssl_ca'), text);
  assert.equal(pem({ ssl_ca: file }, 'ssl_ca'), 'of the file');
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const path of [pipe, folder, '/dev/zero'])
    assert.throws(() => pem({ ssl_ca: path }, 'ssl_ca'), {
      sqlstate: '58P01',
      message: 'could not read the file of option "ssl_ca": it is no file',
    });
  assert.throws(() => pem({ ssl_ca: join(folder, 'none') }, 'ssl_ca'), { sqlstate: '58P01', message: /ENOENT/ });
});
