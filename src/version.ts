import { readFileSync } from 'node:fs';

/** Version of this package. */
export function version(): string {
  for (const up of ['..', '../..']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(`${up}/package.json`, import.meta.url), 'utf8'));
      if (name === 'tidemark') return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error('package.json of tidemark not found');
}
