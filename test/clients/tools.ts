/**
 * Where the client programs are. Absent ones are a reason to skip with, except under CI=true: there what apt-get, pip and mvn
 * can bring is brought (bounded in time; libraries into .clients/), and what is still absent fails.
 *
 *   const psql = await findPsql();
 *   test('...', { skip: skip(psql) }, async () => run(pathOf(psql), ...));
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './server.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const KEPT = join(HERE, '..', '..', '.clients');
const INSTALL_MS = 240_000;

/** A path, or why there is none. */
export type Tool = { path: string } | { absent: string };

/** For `test(name, { skip })`. Under CI=true nothing is skipped. */
export function skip(...tools: Tool[]): string | false {
  if (process.env.CI === 'true') return false;
  for (const tool of tools) if ('absent' in tool) return tool.absent;
  return false;
}

/** Throws with the reason when the tool is absent. */
export function pathOf(tool: Tool): string {
  if ('absent' in tool) throw new Error(tool.absent);
  return tool.path;
}

async function works(path: string, ...args: string[]): Promise<boolean> {
  return run(path, args, { timeoutMs: 30_000 }).then(
    ({ code }) => code === 0,
    () => false,
  );
}

/** Runs an installer; null when it went well, else the last line that it said. */
async function install(path: string, args: string[], cwd?: string): Promise<string | null> {
  try {
    const { code, stdout, stderr } = await run(path, args, {
      cwd,
      timeoutMs: INSTALL_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    return code === 0 ? null : ((stderr + stdout).trim().split('\n').at(-1) ?? `${path} failed`);
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}

const mayInstall = () => process.env.CI === 'true' && process.getuid?.() === 0;

export async function findPsql(): Promise<Tool> {
  if (await works('psql', '--version')) return { path: 'psql' };
  if (!mayInstall()) return { absent: 'psql is not installed' };
  const failed =
    (await install('apt-get', ['update', '-qq'])) ??
    (await install('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postgresql-client']));
  return failed === null ? { path: 'psql' } : { absent: `psql is not installed: ${failed}` };
}

/** pgbench comes in the package of the server, which is unpacked into .clients/ rather than installed: nothing is started. */
export async function findPgbench(): Promise<Tool> {
  if (await works('pgbench', '--version')) return { path: 'pgbench' };
  const inside = (root: string): string[] =>
    existsSync(root) ? readdirSync(root).map((version) => join(root, version, 'bin', 'pgbench')) : [];
  const unpacked = join(KEPT, 'pgbench', 'usr', 'lib', 'postgresql');
  const candidates = () => [...inside('/usr/lib/postgresql'), ...inside(unpacked)];
  for (const path of candidates()) if (await works(path, '--version')) return { path };
  const psql = await findPsql();
  if ('absent' in psql || !mayInstall()) return { absent: 'pgbench is not installed' };
  const { stdout } = await run('psql', ['--version']);
  const major = /(\d+)\./.exec(stdout)?.[1] ?? '';
  const work = join(KEPT, `pgbench.${process.pid}`);
  mkdirSync(work, { recursive: true });
  const failed =
    (await install('apt-get', ['update', '-qq'])) ??
    (await install('apt-get', ['download', '-qq', `postgresql-${major}`], work)) ??
    (await install('sh', ['-c', 'dpkg-deb -x *.deb .'], work));
  rmSync(join(KEPT, 'pgbench'), { recursive: true, force: true });
  renameSync(work, join(KEPT, 'pgbench'));
  for (const path of candidates()) if (await works(path, '--version')) return { path };
  return { absent: `pgbench is not installed: ${failed ?? 'not in the package'}` };
}

/** The folder to name in PYTHONPATH: the drivers of python/requirements.txt, installed by pip on first use. */
export async function findPythonDrivers(): Promise<Tool> {
  const list = join(HERE, 'python', 'requirements.txt');
  return keep('python', list, 'python3', async (work) => {
    if (!(await works('python3', '--version'))) return 'python3 is not installed';
    return install('python3', ['-m', 'pip', 'install', '-q', '--no-input', '--target', work, '-r', list]);
  });
}

/** The folder that holds pgjdbc's jar, resolved by Maven from jdbc/pom.xml on first use. */
export async function findJdbc(): Promise<Tool> {
  const pom = join(HERE, 'jdbc', 'pom.xml');
  if (!(await works('java', '-version'))) return { absent: 'java is not installed' };
  return keep('jdbc', pom, 'pgjdbc', (work) =>
    install('mvn', ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${work}`]),
  );
}

/** A folder under .clients/ named by what fills it. Two processes may race: the first rename wins. */
async function keep(
  name: string,
  list: string,
  what: string,
  fill: (work: string) => Promise<string | null>,
): Promise<Tool> {
  const hash = createHash('sha256').update(readFileSync(list)).digest('hex').slice(0, 12);
  const path = join(KEPT, `${name}-${hash}`);
  if (existsSync(path)) return { path };
  const work = `${path}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    const failed = await fill(work);
    if (failed !== null) return { absent: `${what} is not there: ${failed}` };
    if (!existsSync(path)) renameSync(work, path);
    return { path };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
