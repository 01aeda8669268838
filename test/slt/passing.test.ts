/** sqllogictest files that pass whole, both ways: our own, and the listed ones of other people's suites where those lie beside the project. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runFile, type Way } from '../../sqllogictest/run_file.ts';
import { pgliteTarget, tidemarkTarget } from '../../sqllogictest/target.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const corpora = path('../../../shared/corpora/');
const own = path('../../sqllogictest/own/');
const listed = readFileSync(path('../../sqllogictest/passing.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

async function passes(file: string, way: Way, strictErrors: boolean): Promise<void> {
  const target = await tidemarkTarget();
  try {
    const { failures } = await runFile(file, target, { way, strictErrors });
    assert.deepEqual(
      failures.map((f) => `line ${f.line}: ${f.message}`),
      [],
      `${file} as ${way}`,
    );
  } finally {
    await target.close();
  }
}

for (const name of readdirSync(own).filter((f) => f.endsWith('.slt'))) {
  for (const way of ['batch', 'views'] as const)
    test(`own ${name}, ${way}`, { timeout: 120_000 }, () => passes(own + name, way, true));
  test(`own ${name} says what PostgreSQL says`, { timeout: 120_000 }, async () => {
    const target = await pgliteTarget();
    try {
      const { failures } = await runFile(own + name, target, { way: 'batch', strictErrors: true });
      assert.deepEqual(
        failures.map((f) => `line ${f.line}: ${f.message}`),
        [],
      );
    } finally {
      await target.close();
    }
  });
}

const absent = existsSync(corpora) ? false : "skip: other people's sqllogictest suites are not beside this clone";
if (absent !== false) console.log(`# ${absent}`);
test("listed files of other people's suites", { skip: absent, timeout: 1_200_000 }, async (t) => {
  for (const name of listed) {
    await t.test(name, async () => {
      for (const way of ['batch', 'views'] as const) await passes(corpora + name, way, false);
    });
  }
});
