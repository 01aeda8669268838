/** The HTTP thread: what runs in the worker that http_thread.ts starts. */
import { parentPort, workerData } from 'node:worker_threads';
import { receivedError, sentError } from '../io/messages.ts';
import { HttpServer } from './http_server.ts';
import type { FromHttp, Health, HttpStart, Question, ToHttp } from './messages.ts';
import { StreamPort } from './stream_port.ts';

if (parentPort === null) throw new Error('this file runs in a worker thread');
const port = parentPort;
const post = (message: FromHttp) => port.postMessage(message);

const { settings, streams } = workerData as HttpStart;
const sessions = new StreamPort(streams);

interface Asked {
  resolve(value: Health | string): void;
  reject(error: Error): void;
}
const asked = new Map<number, Asked>();
let lastAsk = 0;

function ask(what: Question): Promise<Health | string> {
  const id = ++lastAsk;
  return new Promise((resolve, reject) => {
    asked.set(id, { resolve, reject });
    post({ k: 'ask', ask: id, what });
  });
}

const server = new HttpServer({
  ...settings,
  connect: (peer) => sessions.open(peer),
  ask,
  log: (level, message, fields) => post({ k: 'log', level, message, fields }),
});

function answered(id: number): Asked | undefined {
  const waiting = asked.get(id);
  asked.delete(id);
  return waiting;
}

port.on('message', (message: ToHttp) => {
  switch (message.k) {
    case 'state':
      server.state = message.state;
      return;
    case 'tls':
      try {
        server.useTls(message.pair);
        post({ k: 'tlsTaken', error: null });
      } catch (error) {
        post({ k: 'tlsTaken', error: sentError(error) });
      }
      return;
    case 'answer':
      answered(message.ask)?.resolve(message.value);
      return;
    case 'failed':
      answered(message.ask)?.reject(receivedError(message.error));
      return;
    case 'close':
      void server.close(message.graceMs).then(() => post({ k: 'closed' }));
      return;
  }
});

try {
  post({ k: 'listening', ...(await server.listen()) });
} catch (error) {
  post({ k: 'refused', error: sentError(error) });
}
