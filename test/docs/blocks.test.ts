/** Every SQL block of README and docs/ runs, page by page, in one engine a page; blocks marked `no-run` must parse unless they are templates. */
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
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
  const blocks = [...text.matchAll(/^```sql( no-run)?\n([\s\S]*?)^```$/gm)]
    .filter((m) => m[1] === undefined)
    .map((m) => m[2]);
  if (blocks.length === 0) continue;
  test(`SQL of ${page}`, { timeout: 60_000 }, async () => {
    const engine = await openEngine();
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
