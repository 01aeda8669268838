/** A file that a manifest names: without it the checkpoint is of no use. */
import type { Disk, DiskFile } from '../durable/disk.ts';
import { Unusable } from './manifest.ts';

export async function openNamed(disk: Disk, path: string): Promise<DiskFile> {
  try {
    return await disk.open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Unusable(`${path} is missing`);
    throw error;
  }
}
