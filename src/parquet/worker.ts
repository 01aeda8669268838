/**
 * The thread that decodes Parquet files: what runs in the worker that thread.ts starts. Of each reader the next piece is made while the one before it is on its way, no more: who is slow holds one
 * piece and a slice of rows here.
 */
import { parentPort } from 'node:worker_threads';
import { sentError } from '../io/messages.ts';
import type { Piece } from '../sources/files/pieces.ts';
import { ParquetFile } from './file.ts';
import { linesOf } from './lines.ts';
import type { Form, FromParquet, ToParquet, Wanted } from './messages.ts';
import { recordsOf } from './records.ts';

if (parentPort === null) throw new Error('this file runs in a worker thread');
const port = parentPort;

interface Reader {
  path: string;
  form: Form;
  wanted: Wanted;
  file: ParquetFile;
  pieces: AsyncGenerator<Piece> | null;
  ahead: Promise<IteratorResult<Piece>> | null;
}

/** Null: it has not been opened yet, or not well. */
const readers = new Map<number, Reader | null>();

function post(message: FromParquet): void {
  const piece = message.k === 'piece' ? message.piece : null;
  port.postMessage(message, piece === null ? [] : [piece.bytes.buffer as ArrayBuffer]);
}

async function answer(reader: number, work: () => Promise<Piece | null>): Promise<void> {
  try {
    const piece = await work();
    if (readers.has(reader)) post({ k: 'piece', reader, piece });
  } catch (error) {
    if (readers.has(reader)) post({ k: 'failed', reader, error: sentError(error) });
  }
}

async function open({ reader, path, size, form, wanted }: Extract<ToParquet, { k: 'open' }>): Promise<null> {
  readers.set(reader, null);
  const file = await ParquetFile.open(path, size);
  if (readers.has(reader)) readers.set(reader, { path, form, wanted, file, pieces: null, ahead: null });
  return null;
}

function begin({ reader, row }: Extract<ToParquet, { k: 'from' }>): void {
  const known = readers.get(reader);
  if (!known) return;
  const { path, file, form, wanted } = known;
  known.pieces = form === 'records' ? recordsOf(file, wanted, row) : linesOf(path, file, wanted, row);
  known.ahead = null;
  goOn(known);
}

function goOn(reader: Reader): void {
  reader.ahead = reader.pieces?.next() ?? null;
  // Who asks for it is told.
  reader.ahead?.catch(() => undefined);
}

async function next(id: number): Promise<Piece | null> {
  const reader = readers.get(id);
  if (!reader?.ahead) throw new Error('nothing has been asked for');
  const { value, done } = await reader.ahead;
  if (done) return null;
  goOn(reader);
  return value;
}

port.on('message', (message: ToParquet) => {
  const { reader } = message;
  if (message.k === 'open') void answer(reader, () => open(message));
  else if (message.k === 'next') void answer(reader, () => next(reader));
  else if (message.k === 'from') begin(message);
  else {
    const pieces = readers.get(reader)?.pieces;
    readers.delete(reader);
    pieces?.return(undefined).catch(() => undefined);
  }
});
