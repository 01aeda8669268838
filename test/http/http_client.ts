/** A server with HTTP for a test, and how the test asks it. */
import { type IncomingHttpHeaders, type IncomingMessage, type RequestOptions, request } from 'node:http';
import type { ServerSettings } from '../../src/cli/server.ts';
import { type ClientServer, startServer } from '../clients/server.ts';

export interface HttpServerForTest extends ClientServer {
  httpPort: number;
  base: string;
}

export async function startHttp(settings: Partial<ServerSettings> = {}): Promise<HttpServerForTest> {
  const server = await startServer({ http: { host: '127.0.0.1', port: 0 }, ...settings });
  const httpPort = server.running.http?.port ?? 0;
  return { ...server, httpPort, base: `http://127.0.0.1:${httpPort}` };
}

export interface Asked {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they expect.
  json: any;
}

/** One request with exactly these headers. */
export function ask(
  { httpPort }: HttpServerForTest,
  path: string,
  options: RequestOptions & { body?: string } = {},
): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: httpPort, path, agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { headers } = response;
        const isJson = text !== '' && headers['content-type']?.startsWith('application/json');
        const json = isJson ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers, text, json });
      });
    });
    asked.on('error', reject);
    asked.end(options.body);
  });
}

export function post(
  server: HttpServerForTest,
  sql: string,
  { accept = 'application/json', params, headers = {} }: { accept?: string; params?: unknown[]; headers?: object } = {},
): Promise<Asked> {
  return ask(server, '/query', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: accept, ...headers },
    body: JSON.stringify({ sql, params }),
  });
}

/** A response whose body is left to the test. */
export function open(server: HttpServerForTest, path: string, options: RequestOptions & { body?: string } = {}) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: server.httpPort, path, agent: false, ...options }, resolve);
    asked.on('error', reject);
    asked.end(options.body);
  });
}

export interface SentEvent {
  event: string;
  id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they expect.
  data: any;
}

/** A client of Server-Sent Events, by the rules of the HTML standard. */
export class EventReader {
  readonly response: IncomingMessage;
  lastEventId: string | null = null;
  readonly events: SentEvent[] = [];
  ended = false;
  #text = '';

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8').on('data', (part: string) => this.#take(part));
    const end = () => {
      this.ended = true;
    };
    response.on('end', end).on('error', end).on('close', end);
  }

  static async open(server: HttpServerForTest, sql: string, lastEventId: string | null = null): Promise<EventReader> {
    const headers = lastEventId === null ? {} : { 'Last-Event-ID': lastEventId };
    const reader = new EventReader(await open(server, `/subscribe?sql=${encodeURIComponent(sql)}`, { headers }));
    reader.lastEventId = lastEventId;
    return reader;
  }

  /** Changes of all ticks that came whole. */
  get changes(): [tick: string, diff: number, row: unknown[]][] {
    return this.events
      .filter(({ event }) => event === 'message')
      .flatMap(({ data }) => data.changes.map(([diff, row]: [number, unknown[]]) => [data.tick, diff, row]));
  }

  close(): void {
    this.response.destroy();
  }

  #take(part: string): void {
    const blocks = (this.#text + part).split('\n\n');
    this.#text = blocks.pop() as string;
    for (const block of blocks) {
      const data: string[] = [];
      let event = 'message';
      for (const line of block.split('\n')) {
        const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) as RegExpExecArray;
        if (field === 'data') data.push(value);
        if (field === 'event') event = value;
        if (field === 'id') this.lastEventId = value;
      }
      if (data.length > 0) this.events.push({ event, id: this.lastEventId, data: JSON.parse(data.join('\n')) });
    }
  }
}
