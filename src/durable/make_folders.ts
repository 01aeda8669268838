/**
 * A folder with those above it, as mkdir -p makes them.
 *
 * Not mkdir's `recursive` of Node: where the system says ENOENT although the folder above is there (in a directory that was removed while the process
 * stands in it, in /proc), that goes round for ever.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Does nothing when there is such a folder. Errors are the system's. */
export async function makeFolders(path: string, mode: number): Promise<void> {
  try {
    await makeFolder(path, mode);
  } catch (error) {
    const above = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error;
    // It may be there by now: others make folders, too.
    if (!(await isFolder(above))) await makeFolders(above, mode);
    await makeFolder(path, mode);
  }
}

async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}
