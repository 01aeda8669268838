/**
 * How anything is opened that a user names, for it may be no file: without waiting. An open() of a pipe waits for who has the other end, and takes the thread that it is done in, or one of the few
 * that all files of the process share, past every cancel (docs/decisions/0575). Where nobody writes a pipe opened so is at its end, unless the event loop reads it (postgres/copy/named_pipe.ts); a
 * device that has nothing to read now is an error.
 */
import { constants, type FileHandle, open } from 'node:fs/promises';

const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants;

export const AT_ONCE = O_NONBLOCK | O_NOCTTY;

export function openToRead(path: string): Promise<FileHandle> {
  return open(path, O_RDONLY | AT_ONCE);
}
