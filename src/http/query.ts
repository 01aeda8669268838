/**
 * POST /query: one statement, its result in the form that the client asks for.
 *
 *   rows from the session -> form (JSON, NDJSON, CSV, Arrow) -> CHUNK_CHARACTERS at a time to the client; while it does not take them nothing more is read from the session
 *
 * The head goes with the first chunk, so that what fails before has its status. A statement that only reads is run with a question for its tick in one transaction.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { errorOf } from '../postgres/wire/backend_reader.ts';
import { Answer } from './answer.ts';
import { type QueryRequest, readQuery } from './body.ts';
import { answerTo, HttpError } from './errors.ts';
import type { ResultForm } from './forms/form.ts';
import { formFor, OFFERED } from './forms/index.ts';
import { leadingWord } from './leading_word.ts';
import type { PgClient } from './pg_client.ts';

/** Opens the session of who asks; it ends with the response. */
export type OpenSession = (request: IncomingMessage, response: ServerResponse) => Promise<PgClient>;

const CHUNK_CHARACTERS = 64 * 1024;
/** Rows of a statement that takes its time are sent after so long. */
const FLUSH_MS = 200;
const READS = ['select', 'with', 'values', 'table'];
/** In a WITH: a part of it, or what it ends with, changes something. */
const CHANGES = /[()]\s*(?:insert|update|delete|merge)\b/i;

export async function answerQuery(
  request: IncomingMessage,
  response: ServerResponse,
  openSession: OpenSession,
): Promise<void> {
  const make = formFor(request.headers.accept);
  if (make === null)
    throw new HttpError(406, `a result cannot be had as "${request.headers.accept}"`, {
      sqlstate: '0A000',
      hint: `It can be had as ${OFFERED.join(', ')}.`,
    });
  const form = await make();
  const answer = new Answer(response, form.contentType);
  // Before the body is read: nobody has us keep one who may not come in.
  const client = await openSession(request, response);
  try {
    await run(client, await readQuery(request), form, answer);
    client.close();
  } catch (error) {
    client.leave();
    if (!answer.started) throw error;
    // The status has gone already.
    const said = answerTo(error);
    if (said === null || !form.fail(said.body)) {
      response.destroy();
      if (said === null) throw error;
    } else answer.end(form.take());
  }
}

async function run(client: PgClient, { sql, params }: QueryRequest, form: ResultForm, answer: Answer): Promise<void> {
  const word = leadingWord(sql);
  if (word === 'subscribe')
    throw new HttpError(400, 'SUBSCRIBE is no query: it has no end', { sqlstate: '0A000', hint: 'Use /subscribe.' });
  const columns = await client.prepare(sql);
  const withTick = columns !== null && READS.includes(word) && !(word === 'with' && CHANGES.test(sql));
  form.begin(columns);
  client.run(params, withTick);
  const { reader } = client;
  let rows = 0;
  let command: string | null = null;
  let tick: string | null = null;
  for (;;) {
    const message = reader.now();
    if (message === null) {
      const more = reader.more();
      if (rows === 0 || form.pending === 0) await more;
      else if ((await Promise.race([more, delay(FLUSH_MS, 'slow', { ref: false })])) === 'slow')
        await answer.send(form.take());
      continue;
    }
    if (message.name === 'error') throw errorOf(message);
    if (message.name === 'readyForQuery') break;
    if (message.name === 'commandComplete') command ??= message.text;
    else if (message.name === 'copyInResponse' || message.name === 'copyOutResponse')
      throw new HttpError(400, 'COPY is not available over HTTP', {
        sqlstate: '0A000',
        hint: 'SELECT gives rows in the format that the Accept header names; INSERT takes them.',
      });
    else if (message.name === 'dataRow') {
      if (command !== null) tick = message.fields[0];
      else {
        form.row(message.fields);
        rows++;
        if (form.pending >= CHUNK_CHARACTERS) await answer.send(form.take());
      }
    }
  }
  form.end({ command: command ?? '', tick: tick ?? (await client.tick()) });
  answer.end(form.take());
}
