/** A response that is written at its reader's pace. */
import type { ServerResponse } from 'node:http';
import { setImmediate as immediate } from 'node:timers/promises';
import type { ErrorBody } from './errors.ts';

/** The client has gone: nobody hears what is said. */
export class ClientGone extends Error {}

export class Answer {
  readonly #response: ServerResponse;
  readonly #contentType: string;

  constructor(response: ServerResponse, contentType: string) {
    this.#response = response;
    this.#contentType = contentType;
  }

  /** The head is sent: its status stands. */
  get started(): boolean {
    return this.#response.headersSent;
  }

  start(): void {
    if (!this.started) this.#response.writeHead(200, { 'Content-Type': this.#contentType });
    this.#response.flushHeaders();
  }

  /** Resolves when more may come; others have had their turn. */
  async send(bytes: string | Uint8Array): Promise<void> {
    const response = this.#response;
    if (response.destroyed) throw new ClientGone();
    if (!this.started) response.writeHead(200, { 'Content-Type': this.#contentType });
    if (response.write(bytes)) {
      await immediate();
      return;
    }
    await new Promise<void>((resolve) => {
      const done = () => {
        response.off('drain', done);
        response.off('close', done);
        resolve();
      };
      response.once('drain', done);
      response.once('close', done);
    });
    if (response.destroyed) throw new ClientGone();
  }

  /** With the last bytes; of an answer that is short they are all. */
  end(bytes: string | Uint8Array): void {
    const response = this.#response;
    if (!this.started)
      response.writeHead(200, { 'Content-Type': this.#contentType, 'Content-Length': Buffer.byteLength(bytes) });
    response.end(bytes);
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: ErrorBody | object,
  headers: Record<string, string> = {},
): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
