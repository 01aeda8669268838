/** The console's files, read once: few and small. Nothing else is served from a disk. */
import { readdirSync, readFileSync } from 'node:fs';

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

export interface StaticFile {
  type: string;
  bytes: Buffer;
}

/** By path: / is the page, the others are under /console/. */
export function consoleFiles(): Map<string, StaticFile> {
  const folder = new URL('./console/', import.meta.url);
  const files = new Map<string, StaticFile>();
  for (const name of readdirSync(folder)) {
    const type = TYPES[name.split('.').pop() ?? ''];
    if (type === undefined) continue;
    const path = name === 'index.html' ? '/' : `/console/${name}`;
    files.set(path, { type, bytes: readFileSync(new URL(name, folder)) });
  }
  return files;
}
