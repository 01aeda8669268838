/** The package as npm packs it, installed in an empty project without the network: it runs from JavaScript and TypeScript, and its types are right. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const root = new URL('../../', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'tidemark-packed-'));
const project = join(folder, 'project');
after(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** What the package needs, as it is installed here. */
function needed(name: string, all = new Set<string>()): Set<string> {
  const { dependencies = {} } = JSON.parse(readFileSync(join(name, 'package.json'), 'utf8'));
  for (const other of Object.keys(dependencies)) {
    const path = join(root, 'node_modules', other);
    if (all.has(path)) continue;
    all.add(path);
    needed(path, all);
  }
  return all;
}

before(() => {
  const tarballs = join(folder, 'tarballs');
  mkdirSync(tarballs);
  mkdirSync(project);
  const pack = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', tarballs];
  run('npm', [...pack, root, ...needed(root)], folder);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }));
  const files = readdirSync(tarballs).map((name) => join(tarballs, name));
  const install = [
    'install',
    '--offline',
    '--omit=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  run('npm', [...install, ...files], project);
});

test('runs from JavaScript', () => {
  const text = `
    import { readFileSync } from 'node:fs';
    import { open, TidemarkError } from 'tidemark';
    const db = await open({ data: 'data', clock: 'manual' });
    await db.execute('CREATE TABLE t (n int); CREATE MATERIALIZED VIEW v AS SELECT sum(n) AS s FROM t');
    await db.insert('t', [{ n: 1 }, { n: 2 }]);
    const { rows } = await db.query('SELECT * FROM v WHERE s > $1', [0]);
    const error = await db.query('SELECT 1/0').catch((e) => e);
    await db.close();
    console.log(JSON.stringify([String(rows[0].s), error instanceof TidemarkError && error.code]));
  `;
  writeFileSync(join(project, 'run.mjs'), text);
  assert.deepEqual(JSON.parse(run(process.execPath, ['run.mjs'], project)), ['3', '22012']);
  writeFileSync(join(project, 'run.cjs'), "import('tidemark').then(({ open }) => console.log(typeof open));");
  assert.equal(run(process.execPath, ['run.cjs'], project), 'function\n');
  assert.match(run(join(project, 'node_modules', '.bin', 'tidemark'), ['--version'], project), /^tidemark \d/);
});

test('its types say what it does, and name nothing else', () => {
  const good = `
    import { type Changes, type Column, type Database, open, TidemarkError, type Written } from 'tidemark';
    interface Total { shop: string; total: bigint }
    const db: Database = await open({ clock: 'manual', kafka: 'local', memoryLimit: '1GB', log: (level, message) => void [level, message] });
    const { rows, tick, rowCount, columns } = await db.query<Total>('SELECT $1', [1]);
    const first: Total = rows[0];
    const exact: [bigint, number | null, Column[]] = [tick, rowCount, columns];
    const arrays: unknown[][] = (await db.query('SELECT 1', [], { rowMode: 'array' })).rows;
    const pairs: [number, string][] = (await db.query<[number, string]>('SELECT 1', [], { rowMode: 'array' })).rows;
    const anything: string = (await db.query('SELECT 1')).rows[0].name;
    const written: Written = await db.insert('t', [first], { partition: 1 });
    for await (const changes of db.subscribe<Total>('totals', { asOf: 1n, snapshot: false, params: [1] })) {
      const whole: Changes<Total> = changes;
      const removed: Total[] = whole.removed;
      if (removed.length > 0) break;
    }
    for await (const row of db.iterate<Total>('SELECT 1')) if (row.total > 1n) break;
    const five: number = await db.transaction(async (tx) => (await tx.delete('t', [{ id: 1 }])).rowCount);
    const at: Date = await db.clock.now();
    const moved: bigint = (await db.clock.advance('1 day')) + (await db.clock.set(at));
    const where: { host: string; port: number } | null = db.address;
    try { await db.close(); } catch (error) {
      if (error instanceof TidemarkError) { const code: string = error.code; const hint: string | undefined = error.hint; void [code, hint]; }
    }
    async function scoped() { await using other = await open(); await other.query('SELECT 1'); }
    void [exact, arrays, pairs, anything, written, five, moved, where, scoped];
  `;
  const wrong = [
    "import { Engine } from 'tidemark';",
    "import { open } from 'tidemark'; await open({ data: 1 });",
    "import { open } from 'tidemark'; await open({ dir: '/x' });",
    "import { open } from 'tidemark'; const db = await open(); db.query('SELECT 1', 1);",
    "import { open } from 'tidemark'; const db = await open(); (await db.query<{ a: string }>('SELECT 1')).rows[0].b;",
    "import inner from 'tidemark/dist/main.cjs'; void inner;",
  ];
  writeFileSync(join(project, 'good.mts'), good);
  wrong.forEach((text, i) => {
    writeFileSync(join(project, `wrong${i}.mts`), `${text}\nexport {};\n`);
  });
  // As a project has it that has nothing else: no types of Node.
  const options = { target: 'es2022', module: 'nodenext', strict: true, noEmit: true, skipLibCheck: false, types: [] };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
  for (const compiler of ['typescript/bin/tsc', 'typescript-native/bin/tsc']) {
    let said = '';
    try {
      run(process.execPath, [join(root, 'node_modules', compiler), '-p', '.', '--pretty', 'false'], project);
    } catch (error) {
      said = String((error as { stdout: string }).stdout);
    }
    const files = said.split('\n').flatMap((line) => /^(\S+?)\(\d+,\d+\): error/.exec(line)?.[1] ?? []);
    assert.deepEqual(
      [...new Set(files)].sort(),
      wrong.map((_, i) => `wrong${i}.mts`),
      said,
    );
  }
});
