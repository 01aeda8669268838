/**
 * The first file of the built form, in both threads: runs the thread's program (dist/main.cjs, dist/worker.cjs) with what V8 compiled of it when it was built.
 *
 *   dist/X.cjs          (function (exports, require, module, __filename, __dirname, __moduleUrl, __import) { the program })
 *   dist/X.cjs.code     V8's code for it: of main.cjs what a start has used (scripts/code_cache.mjs)
 *
 * Without it a start spends a third of its time on compiling. V8 looks whether the code is of the same text, version and flags; if not, it is
 * left aside and the program is compiled as usual.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { isMainThread, workerData } from 'node:worker_threads';

/** A database of the library (src/embed/engine_thread.ts) has the whole program in a thread. */
const isWhole = isMainThread || workerData?.program === 'main';
const url = new URL(isWhole ? './main.cjs' : './worker.cjs', import.meta.url).href;
const file = fileURLToPath(url);

/** Undefined where there is none: while it is made. */
function cachedCode(): Buffer | undefined {
  try {
    return readFileSync(`${file}.code`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

// The bundler writes ASCII only.
export const script = new Script(readFileSync(file, 'latin1'), {
  filename: file,
  cachedData: cachedCode(),
});

const module = { exports: {} };
const folder = fileURLToPath(new URL('.', url));
const importPackage = (name: string) => import(name);
script.runInThisContext()(module.exports, createRequire(url), module, file, folder, url, importPackage);
