/**
 * The files that a path with *, ?, [...] and ** names, in the order of their names' bytes.
 *
 * As in a shell: a name that begins with a dot is named by a pattern that does; ** stands for any folders, also none, and follows no links.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

export interface FoundFile {
  path: string;
  size: number;
  /** Milliseconds since 1970. */
  mtime: number;
}

const SPECIAL = /[*?[]/;

/** Throws what the system says, but for folders and files that are not there. */
export async function filesOf(pattern: string): Promise<FoundFile[]> {
  let paths: string[] = [sep];
  const parts = pattern.split(sep).filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    const next: string[] = [];
    for (const path of paths) {
      if (part === '**') await addFolders(path, next);
      else if (!SPECIAL.test(part)) next.push(join(path, part));
      else for (const { name } of await entries(path)) if (matches(part, name)) next.push(join(path, name));
    }
    paths = next;
  }
  const found: FoundFile[] = [];
  for (const path of new Set(paths)) {
    const { size, mtime } = (await fileStat(path)) ?? { size: -1, mtime: 0 };
    if (size >= 0) found.push({ path, size, mtime });
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

/** Size and time of change; null where there is no file. */
export async function fileStat(path: string): Promise<{ size: number; mtime: number } | null> {
  const found = await there(() => stat(path));
  return found?.isFile() ? { size: found.size, mtime: Math.floor(found.mtimeMs) } : null;
}

/** The folder and all folders in it. */
async function addFolders(path: string, into: string[]): Promise<void> {
  into.push(path);
  for (const entry of await entries(path))
    if (entry.isDirectory() && !entry.name.startsWith('.')) await addFolders(join(path, entry.name), into);
}

async function entries(path: string) {
  return (await there(() => readdir(path, { withFileTypes: true }))) ?? [];
}

async function there<T>(look: () => Promise<T>): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

function matches(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  return expressionOf(pattern).test(name);
}

function expressionOf(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const c = pattern[at];
    const end = c === '[' ? pattern.indexOf(']', at + 2) : -1;
    if (c === '*') source += '[^]*';
    else if (c === '?') source += '[^]';
    else if (end > 0) {
      const set = pattern.slice(at + 1, end).replace(/[\\\][^]/g, '\\$&');
      source += /^(!|\\\^)/.test(set) ? `[^${set.replace(/^(!|\\\^)/, '')}]` : `[${set}]`;
      at = end;
    } else source += c.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
  }
  return new RegExp(`^${source}$`, 'u');
}
