/** Whether the cold files that a checkpoint names are there: quickly, for a start, and wholly, for the doctor. */
import { join } from 'node:path';
import { type NamedFile, Unusable } from '../checkpoint/manifest.ts';
import { openNamed } from '../checkpoint/named_file.ts';
import { type Disk, readAll } from '../durable/disk.ts';
import { BLOCK_BYTES, isBlock } from './block.ts';
import { coldFileName } from './names.ts';

/** Blocks read at once. */
const READ_BLOCKS = 256;

/** Throws Unusable when a file is missing, too short or another one: its last block is looked at. A block in between is verified when it is first read. */
export async function checkFiles(disk: Disk, folder: string, named: NamedFile[]): Promise<void> {
  for (const file of named) await withFile(disk, folder, file, (look) => look(file.blocks - 1, 1));
}

/** Reads every block that the checkpoint names; throws Unusable for the first that is damaged. */
export async function verifyFiles(disk: Disk, folder: string, named: NamedFile[]): Promise<void> {
  for (const file of named) {
    await withFile(disk, folder, file, async (look) => {
      for (let first = 0; first < file.blocks; first += READ_BLOCKS)
        await look(first, Math.min(READ_BLOCKS, file.blocks - first));
    });
  }
}

type Look = (first: number, count: number) => Promise<void>;

async function withFile(
  disk: Disk,
  folder: string,
  named: NamedFile,
  use: (look: Look) => Promise<void>,
): Promise<void> {
  const path = join(folder, coldFileName(named.number));
  const file = await openNamed(disk, path);
  const bytes = Buffer.allocUnsafe(Math.min(READ_BLOCKS, named.blocks) * BLOCK_BYTES);
  try {
    await use(async (first, count) => {
      if (!(await readAll(file, bytes.subarray(0, count * BLOCK_BYTES), first * BLOCK_BYTES)))
        throw new Unusable(`${path} is cut short`);
      for (let i = 0; i < count; i++)
        if (!isBlock(bytes, i * BLOCK_BYTES, named, first + i))
          throw new Unusable(`${path} is damaged at byte ${(first + i) * BLOCK_BYTES}`);
    });
  } finally {
    await file.close();
  }
}
