/** `tidemark backup DIR TO`: copies a data directory; ends with 0 when the copy is whole. */
import { initParser } from '../../planner/parse/parse.ts';
import { backup as copy } from '../durable/backup.ts';

export async function backup(from: string, to: string): Promise<void> {
  await initParser();
  const { tick, bytes } = await copy(from, to);
  process.stdout.write(`${to}: tick ${tick}, ${bytes} bytes, checked\n`);
}
