/** Files below some folders by a test of their name, as paths relative to the root, sorted. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export function globSync(root, folders, wanted) {
  const found = [];
  const visit = (folder) => {
    if (!existsSync(join(root, folder))) return;
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (wanted(entry.name)) found.push(path);
    }
  };
  for (const folder of folders) visit(folder);
  return found.sort();
}
