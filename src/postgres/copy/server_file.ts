/**
 * Files of the server as COPY opens them: PostgreSQL's errors, and what is written is there whole or not at all. Nothing waits in a system call for somebody else (named_pipe.ts): a device that
 * has nothing to read now is an error.
 */
import { randomBytes } from 'node:crypto';
import { access, constants, type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { SqlError, type SqlErrorFields } from '../../../operators/errors.ts';
import { AT_ONCE, openToRead } from '../../open_at_once.ts';
import type { CopyWait } from './copy_wait.ts';
import { NamedPipe } from './named_pipe.ts';

/** As PostgreSQL's: others may read it, unless the umask says no. */
const FILE_MODE = 0o644;
const CHUNK_BYTES = 1 << 18;

const SQLSTATES: Record<string, string> = {
  ENOENT: '58P01',
  ENOTDIR: '58P01',
  EACCES: '42501',
  EPERM: '42501',
  EROFS: '42501',
  EISDIR: '42809',
  ENOSPC: '53100',
  EDQUOT: '53100',
  EMFILE: '53000',
  ENFILE: '53000',
  EIO: '58030',
};

/** What the system says of a file, as an SqlError. */
function fileError(does: string, path: string, error: unknown, fields: SqlErrorFields = {}): unknown {
  const { code, errno } = error as NodeJS.ErrnoException;
  if (error instanceof SqlError || code === undefined || errno === undefined) return error;
  const [, said = code] = getSystemErrorMap().get(errno) ?? [];
  const words = `${said.charAt(0).toUpperCase()}${said.slice(1)}`;
  return new SqlError(SQLSTATES[code] ?? '58030', `could not ${does.replace('%', `"${path}"`)}: ${words}`, fields);
}

/** What there is to read, piece by piece. Throws 42809 for a folder. */
export async function* bytesOf(path: string, cancellation: CopyWait): AsyncGenerator<Buffer> {
  const file = await openFileOrPipe(path);
  try {
    if (file instanceof NamedPipe) yield* file.chunks(cancellation);
    else yield* chunksOf(file);
  } catch (error) {
    throw fileError('read from file %', path, error);
  } finally {
    await file.close();
  }
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Bytes of a file. Throws for what cannot be read, 42809 for a folder. */
export async function sizeToRead(path: string): Promise<number> {
  const file = await openFileOrPipe(path);
  try {
    return file instanceof NamedPipe ? 0 : (await file.stat()).size;
  } finally {
    await file.close();
  }
}

async function openFileOrPipe(path: string): Promise<FileHandle | NamedPipe> {
  let file: FileHandle;
  try {
    if ((await stat(path)).isFIFO()) return await NamedPipe.toRead(path);
    file = await openToRead(path);
  } catch (error) {
    throw fileError('open file % for reading', path, error, {
      hint: "COPY FROM instructs the server process to read a file. You may want a client-side facility such as psql's \\copy.",
    });
  }
  if (!(await file.stat()).isDirectory()) return file;
  await file.close();
  throw new SqlError('42809', `"${path}" is a directory`);
}

/** A file that takes the place of what has its name when it is done; what is no file (a pipe, a device) is written to as it goes. */
export class FileToWrite {
  readonly #path: string;
  /** Null: there is none beside the file itself. */
  readonly #temporary: string | null;
  readonly #file: FileHandle | NamedPipe;

  private constructor(path: string, temporary: string | null, file: FileHandle | NamedPipe) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  static async open(path: string, cancellation: CopyWait): Promise<FileToWrite> {
    if (!isAbsolute(path)) throw new SqlError('42602', 'relative path not allowed for COPY to file');
    try {
      const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (there?.isDirectory())
        throw new SqlError('42809', `could not open file "${path}" for writing: Is a directory`);
      if (there?.isFIFO()) return new FileToWrite(path, null, await NamedPipe.toWrite(path, cancellation));
      if (there !== null && !there.isFile())
        return new FileToWrite(path, null, await open(path, constants.O_WRONLY | AT_ONCE));
      // A link stays one.
      const target = there === null ? path : await realpath(path);
      // Hidden from patterns of a stream that watches the folder.
      const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
      if (there === null) return new FileToWrite(target, temporary, await open(temporary, 'wx', FILE_MODE));
      // As if it were written to: who may not write to it may not put another in its place, and nobody may read more than before.
      await access(target, constants.W_OK);
      const file = await open(temporary, 'wx', there.mode & 0o600);
      await file.chmod(there.mode & 0o777);
      return new FileToWrite(target, temporary, file);
    } catch (error) {
      throw fileError('open file % for writing', path, error, {
        hint: "COPY TO instructs the server process to write a file. You may want a client-side facility such as psql's \\copy.",
      });
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      const file = this.#file;
      if (file instanceof NamedPipe) await file.write(bytes);
      else for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
    } catch (error) {
      throw fileError('write to file %', this.#path, error);
    }
  }

  /** It is there under its name. */
  async done(): Promise<void> {
    try {
      await this.#file.close();
      if (this.#temporary !== null) await rename(this.#temporary, this.#path);
    } catch (error) {
      throw fileError('write to file %', this.#path, error);
    }
  }

  /** Nothing of it is left. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    if (this.#temporary !== null) await rm(this.#temporary, { force: true });
  }
}
