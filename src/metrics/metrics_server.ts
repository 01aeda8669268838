/**
 * --metrics HOST:PORT: GET /metrics for Prometheus, and nothing else. In the dataflow thread, which has the figures: they are read in turns of some milliseconds, between which ticks run.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setImmediate as immediate } from 'node:timers/promises';
import type { PostgresServer } from '../postgres/options.ts';
import type { TidemarkEngine } from '../runtime/engine.ts';
import { CONTENT_TYPE, exposition } from './exposition.ts';
import { familiesOf } from './families.ts';

type Sessions = Pick<PostgresServer, 'sessions'>;

export interface MetricsServer {
  address: string;
  port: number;
  close(): Promise<void>;
}

/** A request that has not come whole by then is cut off. */
const REQUEST_MS = 10_000;

/** Rejects when the address cannot be had. */
export async function serveMetrics(
  listen: { host: string; port: number },
  engine: TidemarkEngine,
  postgres: Sessions,
): Promise<MetricsServer> {
  const timeouts = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS };
  const answers = new Answers(engine, postgres);
  const server = createServer(timeouts, (request, response) => void answers.answer(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', (error) => engine.log('error', `metrics: ${error.message}`));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the metrics have no network address');
  return {
    address: bound.address,
    port: bound.port,
    close: () =>
      new Promise((resolve) => {
        answers.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What the rest of the server must not wait longer for. */
const SLICE_MS = 2;

/** All figures, or nothing when `isOver` says in between that nobody wants them. */
export async function metricsText(engine: TidemarkEngine, postgres: Sessions, isOver: () => boolean): Promise<string> {
  let from = performance.now();
  const othersTurn = async () => {
    if (performance.now() - from < SLICE_MS) return;
    await immediate();
    from = performance.now();
  };
  const families = familiesOf(engine, postgres);
  for (let step = families.next(); ; step = families.next()) {
    if (step.done === true) {
      let text = '';
      for (const family of step.value) {
        text += exposition(family);
        await othersTurn();
      }
      return text;
    }
    await othersTurn();
    if (isOver()) return '';
  }
}

class Answers {
  readonly #engine: TidemarkEngine;
  readonly #postgres: Sessions;
  #closing = false;

  constructor(engine: TidemarkEngine, postgres: Sessions) {
    this.#engine = engine;
    this.#postgres = postgres;
  }

  /** What is being read of the engine is not read further. */
  close(): void {
    this.#closing = true;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A body is nothing that is looked at.
    request.resume();
    if (request.url?.split('?')[0] !== '/metrics') {
      end(response, 404, 'there is only /metrics\n');
      return;
    }
    if (request.method !== 'GET') {
      response.setHeader('Allow', 'GET');
      end(response, 405, 'only GET\n');
      return;
    }
    try {
      const isOver = () => this.#closing || response.destroyed;
      end(response, 200, await metricsText(this.#engine, this.#postgres, isOver), CONTENT_TYPE);
    } catch (error) {
      const { message, stack } = error as Error;
      this.#engine.log('error', `metrics: ${message}`, { stack });
      end(response, 500, 'the figures could not be read; the log says why\n');
    }
  }
}

function end(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
