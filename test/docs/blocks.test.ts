/**
 * Every SQL block of README and docs/ runs, page by page, in one engine a page, whose Kafka topics are its own; blocks marked `no-run` must parse unless they are templates. Every
 * JavaScript block runs as a program of its own, beside the files that SQL blocks name in their first line (`-- shop.sql`).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { initParser, parse } from '../../planner/parse/parse.ts';
import { localKafka } from '../../src/embed/local_kafka.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import { openEngine, sql } from '../engine/harness.ts';

const root = new URL('../../', import.meta.url);
const pages = [
  'README.md',
  ...readdirSync(new URL('docs/', root))
    .filter((f) => f.endsWith('.md'))
    .map((f) => `docs/${f}`),
];

/** The README's SQL reads the demo's views. */
async function prepare(page: string, run: (text: string) => Promise<unknown>): Promise<void> {
  if (page !== 'README.md') return;
  const { DEMO_SQL } = await import('../../src/cli/demo.ts');
  await run(DEMO_SQL);
}

for (const page of pages) {
  const text = readFileSync(new URL(page, root), 'utf8');
  testPrograms(page, text);
  const all = [...text.matchAll(/^```sql( no-run)?\n([\s\S]*?)^```$/gm)];
  const blocks = all.filter((m) => m[1] === undefined).map((m) => m[2]);
  const others = all.filter((m) => m[1] !== undefined).map((m) => m[2]);
  if (others.length > 0) {
    test(`SQL of ${page} that does not run here`, async () => {
      await initParser();
      for (const block of others.filter((block) => !isTemplate(block))) parse(block);
    });
  }
  if (blocks.length === 0) continue;
  test(`SQL of ${page}`, { timeout: 60_000 }, async () => {
    const engine = await openEngine({ kafka: localKafka });
    engine.system.catalogs = new PgCatalog(engine);
    try {
      const run = (statements: string) => sql(engine, statements);
      await prepare(page, run);
      // A COPY out has no end here: it follows a subscription.
      for (const block of blocks) await run(block.replace(/^COPY \(SUBSCRIBE[^;]*;.*$/gm, ''));
    } finally {
      await engine.close();
    }
  });
}

/** It has a choice, or leaves something out. */
function isTemplate(block: string): boolean {
  return / \| |\.\.\./.test(block);
}

function testPrograms(page: string, text: string): void {
  const programs = [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map((m) => m[1]);
  if (programs.length === 0) return;
  test(`JavaScript of ${page}`, { timeout: 120_000 }, () => {
    // In the package, which finds itself by its name.
    const folder = mkdtempSync(join(root.pathname, 'dist', 'docs-'));
    try {
      for (const [, block, name] of text.matchAll(/^```sql(?: no-run)?\n(-- (\S+\.sql)\n[\s\S]*?)^```$/gm))
        writeFileSync(join(folder, name), block);
      for (const program of programs) {
        writeFileSync(join(folder, 'program.mjs'), program);
        // The runner of this test says to others that they are part of it.
        const { NODE_TEST_CONTEXT: _, ...env } = process.env;
        const { status, stdout, stderr } = spawnSync(process.execPath, ['program.mjs'], {
          cwd: folder,
          env,
          encoding: 'utf8',
        });
        assert.equal(status, 0, `${stdout}${stderr}\n${program}`);
        checkPrinted(program, stdout);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** What a comment behind console.log() says is what is printed. */
function checkPrinted(program: string, printed: string): void {
  for (const [, said] of program.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm))
    assert.ok(printed.split('\n').includes(said), `${said}\nis not in\n${printed}`);
}
