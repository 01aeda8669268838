/**
 * GET /subscribe?sql=..., POST /subscribe: a SUBSCRIBE as Server-Sent Events, one for each tick, so that a client has a tick whole or not at all:
 *
 *   event: columns   data: {"columns":[{"name":...,"type":...}]}
 *   id: 41           data: {"tick":"41","snapshot":true,"changes":[      the rows as they were at the beginning; later ticks have no "snapshot"
 *                    data: [1,["lamp","120"]]
 *                    data: ]}
 *   id: 57                                                              nothing changed up to there: the client's Last-Event-ID goes on
 *   event: failure   data: {"error":{...}}                              and the end
 *
 * With Last-Event-ID it goes on AS OF that tick, without rows. What a slow reader does not take the session holds, up to the limits of SUBSCRIBE.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { SqlError } from '../../operators/errors.ts';
import { errorOf } from '../postgres/wire/backend_reader.ts';
import { Answer } from './answer.ts';
import { checked, readQuery } from './body.ts';
import { answerTo, HttpError } from './errors.ts';
import { rowWriter } from './forms/json.ts';
import { leadingWord } from './leading_word.ts';
import type { PgClient } from './pg_client.ts';
import type { OpenSession } from './query.ts';
import type { Column } from './type_names.ts';

const CHUNK_CHARACTERS = 64 * 1024;
/** A client is told so often how far ticks without changes are, which shows as well that it is there. */
const BEAT_MS = 5000;
/** What fails at once has its status. */
const START_MS = 300;
/** Before the columns of the query. */
const LEADING = 3;

async function sqlOf(request: IncomingMessage, url: URL): Promise<string> {
  if (request.method === 'POST') {
    const { sql, params } = await readQuery(request);
    if (params.length > 0) throw new HttpError(400, 'SUBSCRIBE takes no parameters', { sqlstate: '0A000' });
    return sql;
  }
  const sql = url.searchParams.get('sql');
  if (sql === null) throw new HttpError(400, 'the query is missing: /subscribe?sql=...', { sqlstate: '22023' });
  return checked({ sql, params: [] }).sql;
}

/** Digits; null: there is none. */
function lastEventId({ headers }: IncomingMessage): string | null {
  const id = headers['last-event-id'];
  if (id === undefined || id === '') return null;
  if (typeof id !== 'string' || !/^\d{1,18}$/.test(id))
    throw new HttpError(400, 'Last-Event-ID is not a tick', { sqlstate: '22023' });
  return id;
}

/** A statement without what ends it. */
function withoutEnd(sql: string): string {
  let end = sql.length;
  while (end > 0 && /[\s;]/.test(sql[end - 1])) end--;
  return sql.slice(0, end);
}

/** The SUBSCRIBE for a query, or for `SUBSCRIBE view`, and how many characters are before the client's. */
export function subscription(sql: string, after: string | null): { text: string; before: number } {
  const own = withoutEnd(sql);
  // The line's end ends a comment that is the last of it.
  const end = `\nWITH (snapshot = ${after === null}, progress = true)${after === null ? '' : ` AS OF ${after}`}`;
  if (leadingWord(own) === 'subscribe') return { text: own + end, before: 0 };
  const begin = 'SUBSCRIBE (';
  return { text: `${begin}${own}\n)${end}`, before: begin.length };
}

/** The same error with its place in what the client sent. */
function moved(error: unknown, sql: string, before: number): unknown {
  if (!(error instanceof SqlError) || error.fields.position === undefined) return error;
  const position = error.fields.position - before;
  const isThere = position >= 1 && position <= [...sql].length + 1;
  return new SqlError(error.sqlstate, error.message, { ...error.fields, position: isThere ? position : undefined });
}

export async function answerSubscribe(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  openSession: OpenSession,
): Promise<void> {
  const after = lastEventId(request);
  const answer = new Answer(response, 'text/event-stream; charset=utf-8');
  const events = new Events(answer);
  const client = await openSession(request, response);
  try {
    const sql = await sqlOf(request, url);
    const { text, before } = subscription(sql, after);
    try {
      const columns = await client.prepare(text);
      if (columns === null) throw new HttpError(400, 'there is nothing to subscribe to', { sqlstate: '42601' });
      client.run([], false);
      await follow(client, columns.slice(LEADING), after === null, answer, events);
    } catch (error) {
      throw moved(error, sql, before);
    }
    client.close();
  } catch (error) {
    client.leave();
    if (!answer.started) throw error;
    const said = answerTo(error);
    // A tick that is told in part must not pass for a whole one.
    if (said === null || events.within) response.destroy();
    else answer.end(`event: failure\ndata: ${JSON.stringify(said.body)}\n\n`);
    if (said === null) throw error;
  }
}

class Events {
  readonly #answer: Answer;
  #text = '';
  /** Lines of the event that is being written; 0: none is. */
  #lines = 0;
  /** The last tick that the client was told, or could have been. */
  #whole: string | null = null;
  #told: string | null = null;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  /** An event is being written. */
  get within(): boolean {
    return this.#lines > 0;
  }

  columns(columns: Column[]): void {
    const described = columns.map(({ name, type }) => ({ name, type }));
    this.#text += `event: columns\ndata: ${JSON.stringify({ columns: described })}\n\n`;
  }

  begin(tick: string, snapshot: boolean): void {
    this.#text += `data: {"tick":"${tick}",${snapshot ? '"snapshot":true,' : ''}"changes":[\n`;
    this.#lines = 1;
  }

  change(diff: string, row: string): void {
    this.#text += `data: ${this.#lines++ === 1 ? '' : ','}[${diff},${row}]\n`;
  }

  end(tick: string): void {
    this.#text += `data: ]}\nid: ${tick}\n\n`;
    this.#lines = 0;
    this.#told = tick;
    this.#whole = tick;
  }

  /** Nothing has changed in this tick. */
  passed(tick: string): void {
    this.#whole = tick;
  }

  beat(): void {
    if (this.within) return;
    this.#text += this.#told === this.#whole ? ':\n\n' : `id: ${this.#whole}\n\n`;
    this.#told = this.#whole;
  }

  async send(atLeast = 1): Promise<void> {
    const text = this.#text;
    if (text.length < atLeast) return;
    this.#text = '';
    await this.#answer.send(text);
  }
}

async function follow(
  client: PgClient,
  columns: Column[],
  withSnapshot: boolean,
  answer: Answer,
  events: Events,
): Promise<void> {
  const { reader } = client;
  const write = rowWriter(columns);
  let snapshot = withSnapshot;
  let waitMs = START_MS;
  events.columns(columns);
  for (;;) {
    const message = reader.now();
    if (message === null) {
      if (answer.started) await events.send();
      const more = reader.more();
      const timer = new AbortController();
      const beat = delay(waitMs, 'beat', { ref: false, signal: timer.signal }).catch(() => null);
      const what = await Promise.race([more, beat]);
      timer.abort();
      if (what !== 'beat') continue;
      if (answer.started) events.beat();
      else waitMs = BEAT_MS;
      await events.send();
      continue;
    }
    if (message.name === 'error') throw errorOf(message);
    if (message.name === 'commandComplete') break;
    if (message.name !== 'dataRow') continue;
    const [tick, progress, diff, ...row] = message.fields as [string, string, string, ...(string | null)[]];
    if (progress === 't') {
      // An empty view has its beginning, too.
      if (snapshot && !events.within) events.begin(tick, true);
      if (events.within) events.end(tick);
      else events.passed(tick);
      snapshot = false;
      waitMs = BEAT_MS;
      // A tick leaves as soon as it is whole.
      await events.send(1);
    } else {
      if (!events.within) events.begin(tick, snapshot);
      events.change(diff, write(row));
      await events.send(CHUNK_CHARACTERS);
    }
  }
  await events.send();
  answer.end('');
}
